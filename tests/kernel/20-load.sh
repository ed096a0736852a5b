# SPDX-License-Identifier: Apache-2.0
# Objects on other kernels: the Hello World in C, and a script that was compiled on the
# machine that runs these tests, where the kernel's structs look otherwise.

. /lib/tap.sh

# --- examples/hello/hello.bpf.c
skep load -c '/bin/busybox true' /t/bin/hello.bpf.o >hello 2>said
check load.hello grep -E '^[a-z]+-[0-9]+: Hello, World!$' hello
sed 's/^/# /' said

# --- skep trace --emit: the same as the script itself
if [ -f /t/bin/task.o ]; then
	skep load -q -c '/bin/busybox true' /t/bin/task.o >loaded 2>said
	sed 's/^/# /' said
	skep trace -q -c '/bin/busybox true' /t/bin/task.bt >direct 2>/dev/null
	check load.emit.prints grep -F 'busybox /bin/busybox 1' loaded
	check load.emit.same cmp loaded direct
else
	skip load.emit "nothing was compiled: the machine's kernel has no BTF"
fi
