# SPDX-License-Identifier: Apache-2.0
# Is the VM what the other scripts take it for?
#
# The kernel of the name, with type information, BPF LSM, the file systems mounted
# where a system has them, and a loopback that carries TCP.

. /lib/tap.sh

# mounted TYPE FOLDER
mounted() {
	awk -v type="$1" -v folder="$2" '
	$2 == folder && $3 == type { found = 1 }
	END { exit !found }' /proc/mounts
}

release=$(uname -r)
case $release in
"$KERNEL".*) ok kernel.release ;;
*) not_ok kernel.release "it is $release" ;;
esac

check kernel.btf test -s /sys/kernel/btf/vmlinux
check kernel.lsm grep -qw bpf /sys/kernel/security/lsm
check kernel.processors test "$(nproc)" -eq 2

check kernel.bpffs mounted bpf /sys/fs/bpf
check kernel.tracefs mounted tracefs /sys/kernel/tracing
check kernel.debugfs mounted debugfs /sys/kernel/debug
check kernel.cgroup2 mounted cgroup2 /sys/fs/cgroup
check kernel.tracepoints test -d /sys/kernel/tracing/events/syscalls/sys_enter_openat
check kernel.program test -x /bin/skep

# A cgroup of our own can be made, entered and removed.
own_cgroup() {
	mkdir /sys/fs/cgroup/t &&
		sh -c 'echo $$ >/sys/fs/cgroup/t/cgroup.procs && grep -q ":/t$" /proc/self/cgroup' &&
		rmdir /sys/fs/cgroup/t
}
check kernel.cgroup.own own_cgroup

check kernel.lo sh -c 'ip -o addr show dev lo | grep -q "inet 127.0.0.1/8"'

# One line over TCP.
nc -l -p 4000 >received &
listener=$!
listening() { netstat -ltn | grep -q ':4000 '; }
wait_for listening
echo "over lo" | nc -w 5 127.0.0.1 4000
wait $listener
check kernel.tcp grep -qx "over lo" received
