/* SPDX-License-Identifier: Apache-2.0 */
/* `skep watch --list-events`: the catalog's events as a table or as JSON. */
#pragma once

#include <stdbool.h>

/* Prints on standard output; returns the exit status 0. */
int events_list(bool json);
