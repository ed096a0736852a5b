/* SPDX-License-Identifier: Apache-2.0 */
/* Numbers of system calls on this machine, both ways. */
#pragma once

/*
 * By the name of user space or of the tracepoint ("stat" or "newstat"); -1: there is none
 * on this architecture.
 */
int syscall_number(const char *name);
/* NULL: there is no such number. */
const char *syscall_number_name(unsigned int number);
