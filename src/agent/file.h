/* SPDX-License-Identifier: Apache-2.0 */
/* Whole files that people name on the command line: read, written.  0 or -errno. */
#pragma once

#include "base/str.h"

/* Append all of a file; -EFBIG: it is larger than `most` bytes. */
int file_read_all(const char *path, size_t most, struct buf *to);
/* The same of what is open, from where it stands. */
int file_read_fd(int fd, size_t most, struct buf *to);

/* Make or overwrite a file that only we may read. */
int file_write(const char *path, struct str bytes);
/* Write a new file beside the old one, for all to read, which then takes its place. */
int file_replace(const char *path, struct str bytes);
