#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# A file as a C header: embed.sh [--gz] FILE NAME > NAME.h; include it in one place only.
# --gz: for src/runtime/kern/packed.h.
set -e
pack() {
	cat
}
if [ "$1" = --gz ]; then
	pack() {
		gzip -9n
	}
	shift
fi
echo "/* made from $(basename "$1") */"
echo "static const unsigned char $2[] = {"
pack <"$1" | od -An -v -tx1 | sed 's/ \(..\)/0x\1,/g'
echo "};"
echo "enum { $2_size = sizeof($2) };"
