/* SPDX-License-Identifier: Apache-2.0 */

/* A configuration file of adit. */

#include "client/settings.h"
#include "tests/fuzz/fuzz_yaml.h"
