# SPDX-License-Identifier: Apache-2.0
# What the scripts of this folder share: the kernels there are, where they are
# kept, and how a script says that it can't go on.  Sourced, never run.
#
# A script of this folder ends with 77 when something it needs can't be had (no
# qemu, no network, …), which test runners read as "skipped", and with 2 when it
# was called wrongly.

# shellcheck disable=SC2034	# for those who source this
VM_DIR=$(CDPATH='' cd -- "$(dirname -- "${BASH_SOURCE[0]}")" && pwd)
VM_CACHE=${SKEP_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/skep}/kernels
VM_KERNELS="5.10 6.1 6.12"

# depmod and modprobe live in sbin, which is not in every user's path.
PATH=$PATH:/usr/sbin:/sbin

# vm_say STATUS MESSAGE...: a message on standard error, then the end.
vm_say() {
	local status=$1
	shift
	printf '%s: %s\n' "${0##*/}" "$*" >&2
	exit "$status"
}

vm_die() { vm_say 1 "$@"; }
vm_usage() { vm_say 2 "$@"; }
vm_skip() { vm_say 77 "$@"; }

# vm_need PROGRAM PACKAGE: skip when PROGRAM is not there.
vm_need() {
	command -v "$1" >/dev/null || vm_skip "needs '$1' (Debian package $2)"
}

# vm_is_kernel NAME: is it one of ours?
vm_is_kernel() {
	case " $VM_KERNELS " in
	*" $1 "*) ;;
	*) vm_usage "no such kernel: '$1' (there are: $VM_KERNELS)" ;;
	esac
}

# vm_is_elf FILE: does it begin as an ELF file?
vm_is_elf() {
	[ "$(od -An -tx1 -N4 "$1" | tr -d ' ')" = 7f454c46 ]
}

# vm_module DIR NAME: what to load for module NAME of the kernel in DIR, in
# order, as modprobe's "insmod FILE" and "builtin NAME" lines.  False when the
# kernel has no such module.
vm_module() {
	modprobe -d "$1" -S "$(cat "$1/version")" --show-depends "$2" 2>/dev/null
}
