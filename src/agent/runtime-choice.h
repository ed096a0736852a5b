/* SPDX-License-Identifier: Apache-2.0 */
/* May programs run in the kernel here? */
#pragma once

/* AUTO: in the kernel if that may be, else, over a command of ours, in skep itself. */
enum runtime_choice { RUNTIME_AUTO, RUNTIME_KERNEL, RUNTIME_EMBEDDED };

/* 0: they may; −EPERM: not for this user; −ENOSYS and others: not here.  Tried, not guessed. */
int runtime_kernel_refuses(void);
/* Say that so many processes of the command end with skep; 0: nothing. */
void runtime_say_left(unsigned int n);
/* A refusal in some words, as the beginning of a message. */
const char *runtime_refusal(int r);
