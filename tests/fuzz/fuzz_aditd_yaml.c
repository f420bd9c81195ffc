/* SPDX-License-Identifier: Apache-2.0 */

/* A configuration file of aditd. */

#include "server/settings.h"
#include "tests/fuzz/fuzz_yaml.h"
