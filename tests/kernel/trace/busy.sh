# SPDX-License-Identifier: Apache-2.0
# Some system calls of a program with a name of its own.
cp /t/bin/probed busy
exec ./busy 5
