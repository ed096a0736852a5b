#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# A file as a C header: embed.sh [--xz] FILE NAME > NAME.h; include it in one place only.
set -e
pack() {
	cat
}
if [ "$1" = --xz ]; then
	pack() {
		xz -9 --check=crc32 --stdout
	}
	shift
fi
echo "/* made from $(basename "$1") */"
echo "static const unsigned char $2[] = {"
pack <"$1" | od -An -v -tx1 | sed 's/ \(..\)/0x\1,/g'
echo "};"
echo "enum { $2_size = sizeof($2) };"
