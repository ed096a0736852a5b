#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# An object's skeleton without the object: skeleton.sh BPFTOOL OBJECT NAME > NAME.skel.h
#
# bpftool writes the object into it, as one long string.  Here its bytes come from elsewhere,
# packed; of NAME__elf_bytes() the size is left.
set -e
skeleton=$("$1" gen skeleton "$2" name "$3")
printf '%s\n' "$skeleton" | sed '/return (const void \*)"\\$/,/";$/c\
	return NULL;'
