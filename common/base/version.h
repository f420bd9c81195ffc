/* SPDX-License-Identifier: Apache-2.0 */

/* The version of both programs; also what peers are told in Login. */

#ifndef ADIT_BASE_VERSION_H
#define ADIT_BASE_VERSION_H

#define ADIT_VERSION "0.1.0"

#endif
