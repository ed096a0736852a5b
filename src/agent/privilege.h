/* SPDX-License-Identifier: Apache-2.0 */
/* Giving up what is no longer needed. */
#pragma once

/*
 * After loading, skep reads mapped memory and files: keep CAP_SYS_PTRACE (to follow
 * /proc/PID/exe) and CAP_DAC_READ_SEARCH (runtimes' state files), drop all other
 * capabilities for good.  Children are not affected if they were forked before.
 */
int privilege_drop(void);
