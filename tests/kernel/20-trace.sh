# SPDX-License-Identifier: Apache-2.0
# Does one binary answer the same questions on every kernel?
#
# The development machine's kernel has no kprobes and no fentry: what `skep trace` does with
# them is tested here, and what it does instead on kernels that lack something: multi probes
# (before 6.6), cookies (5.15), bpf_loop (5.17), the address of a function that returns (5.15).

. /lib/tap.sh

# run ARGS...: skep trace, bounded; what it printed is in out, its complaints in err
run() {
	timeout 20 skep trace "$@" >out 2>err
	status=$?
}

said() {
	head -n 12 out err | sed 's/^/#   /'
}

# shows NAME PATTERN ARGS...: it ends well, and one line that it printed fits the pattern
shows() {
	local name=$1 pattern=$2
	shift 2
	run "$@"
	if [ $status -eq 0 ] && grep -Eq -- "$pattern" out; then
		ok "trace.$name"
	else
		said
		not_ok "trace.$name" "status $status, no line like: $pattern"
	fi
}

# refuses NAME PATTERN ARGS...: it fails, and says why
refuses() {
	local name=$1 pattern=$2
	shift 2
	run "$@"
	if [ $status -ne 0 ] && [ $status -ne 124 ] && grep -Eq -- "$pattern" err; then
		ok "trace.$name"
	else
		said
		not_ok "trace.$name" "status $status, no complaint like: $pattern"
	fi
}

# also NAME PATTERN: one more line of what was printed or said last
also() {
	if grep -Eq -- "$2" out err; then
		ok "trace.$1"
	else
		said
		not_ok "trace.$1" "no line like: $2"
	fi
}

# counted NAME N PATTERN: so many lines of what was printed last fit
counted() {
	if [ "$(grep -Ec -- "$3" out)" = "$2" ]; then
		ok "trace.$1"
	else
		said
		not_ok "trace.$1" "not $2 lines like: $3"
	fi
}

# serve: somebody takes one connection on port 4000
listening() { netstat -ltn | grep -q ':4000 '; }
serve() {
	nc -l -p 4000 >/dev/null 2>&1 &
	server=$!
	wait_for listening
}
served() {
	kill $server 2>/dev/null
	wait $server 2>/dev/null
}
cat >connect.sh <<'END'
echo hello | nc -w 2 127.0.0.1 4000
END
connect="/bin/sh connect.sh"
cat="/bin/cat -v /etc/hosts" # -v: by write(), which keeps its lines apart from ours
demo="/t/bin/probed"
before() { # before NUMBER: is the kernel older?
	[ "$(printf '%s\n%s\n' "$KERNEL" "$1" | sort -t . -k 1n -k 2n | head -n 1)" != "$1" ]
}

# --- the one-liners with which every introduction begins
shows line.opens '^cat /etc/hosts$' -c "$cat" \
	'tracepoint:syscalls:sys_enter_openat { printf("%s %s\n", comm, str(args.filename)); }'
shows line.calls '^@\[busy\]: [0-9]+$' -c "/bin/sh /t/trace/busy.sh" \
	'tracepoint:raw_syscalls:sys_enter { @[comm] = count(); } interval:s:5 { exit(); }'
shows line.reads '^\[1K, 2K\) +3 \|@+ *\|$' -c "/bin/dd if=/dev/zero of=/dev/null bs=1500 count=3" \
	'tracepoint:syscalls:sys_enter_read { @bytes = hist(args.count); }'
serve
shows line.connects '^nc -> 127\.0\.0\.1$' -c "$connect" \
	'kprobe:tcp_connect { printf("%s -> %s\n", comm, ntop(((struct sock*)arg0)->__sk_common.skc_daddr)); }'
served

# --- kprobes
shows kprobe '^cat hosts$' -c "$cat" \
	'kprobe:vfs_open /comm == "cat"/ { printf("%s %s\n", comm, str(((struct path *)arg0)->dentry->d_name.name)); }'
serve
shows kretprobe '^nc 0 tcp_v4_connect$' -c "$connect" \
	'kretprobe:tcp_v4_connect { printf("%s %d %s\n", comm, (int32)retval, func); }'
served
shows kprobe.wildcard '^@\[kprobe:vfs_open, vfs_open\]: [0-9]+$' -c "$cat" \
	'kprobe:vfs_ope*,kprobe:vfs_rea* { @[probe, func] = count(); }'
also kprobe.wildcard.other '^@\[kprobe:vfs_read, vfs_read\]: [0-9]+$'
also kprobe.attached '^Attached [4-9] probes$'
shows kretprobe.wildcard '^@\[kretprobe:vfs_open, vfs_open\]: [0-9]+$' -c "$cat" \
	'kretprobe:vfs_ope*,kretprobe:vfs_rea* { @[probe, func] = count(); }'
shows kprobe.start '^@: [0-9]+$' -c "$cat" 'kprobe:vfs_read { @s[tid] = nsecs; }
	kretprobe:vfs_read /@s[tid]/ { @ = sum(nsecs > @s[tid] ? 1 : 0); delete(@s, tid); }'

# Where instructions begin differs: 4 bytes of endbr64 where there is IBT, then the 5 of ftrace.
run --for 100ms 'kprobe:vfs_read+5 { }'
offset=5
[ $status -eq 0 ] || offset=9
shows kprobe.offset '^@: [0-9]+$' -c "$cat" "kprobe:vfs_read+$offset { @ = count(); }"
refuses kprobe.offset.inside 'inside of an instruction' --for 1s 'kprobe:vfs_read+1 { }'
shows kprobe.registers '^vfs_open 1$' -c "$cat" \
	'kprobe:vfs_open /comm == "cat"/ { printf("%s %d\n", ksym(reg("ip")), reg("di") == arg0); exit(); }'
refuses kprobe.unknown 'tcp_connekt' --for 1s 'kprobe:tcp_connekt { }'
shows kprobe.kstack '^ +vfs_read\+[0-9]+$' -c "$cat" \
	'kprobe:vfs_read { printf("%s\n", kstack(3)); exit(); }'
also kprobe.kstack.caller '^ +ksys_read\+[0-9]+$'
shows kprobe.module '^@\[[a-z]+\]: [0-9]+$' -c "$connect" \
	'kprobe:vmlinux:tcp_v4_connect { @[comm] = count(); }'

# --- fentry, fexit
shows fentry '^fentry:vmlinux:vfs_open vfs_open hosts$' -c "$cat" 'fentry:vfs_open /comm == "cat"/ {
	printf("%s %s %s\n", probe, func, str(args.path.dentry.d_name.name)); }'
shows fexit '^0 hosts$' -c "$cat" \
	'fexit:vfs_open /comm == "cat"/ { printf("%d %s\n", retval, str(args.path.dentry.d_name.name)); }'
shows fentry.wildcard '^@\[fentry:vmlinux:vfs_open\]: [0-9]+$' -c "$cat" \
	'fentry:vfs_ope*,fexit:vfs_rea* { @[probe] = count(); }'
also fexit.wildcard '^@\[fexit:vmlinux:vfs_read\]: [0-9]+$'
shows fentry.path '^/etc/hosts$' -c "$cat" \
	'fentry:security_file_open { printf("%s\n", path(args.file.f_path)); }'

# --- tracepoints
shows tracepoint.wildcard '^@\[tracepoint:sched:sched_process_exit\]: [0-9]+$' -c "$cat" \
	'tracepoint:sched:sched_process_* { @[probe] = count(); }'
shows tracepoint.dispatch '^@\[tracepoint:syscalls:sys_enter_openat\]: 1$' -c "$cat" \
	'tracepoint:syscalls:sys_enter_* /pid == cpid/ { @[probe] = count(); }'
shows tracepoint.exit '^openat [3-9]$' -c "$cat" \
	'tracepoint:syscalls:sys_exit_openat /pid == cpid/ { printf("openat %d\n", args.ret); }'
shows rawtracepoint '^/bin/cat$' -c "$cat" \
	'rawtracepoint:sched_process_exec { printf("%s\n", str(args.bprm.filename)); }'

# --- timers and counters
shows profile '^@\[1\]: [1-9][0-9]*$' --for 1s 'profile:hz:50 { @[cpu] = count(); }'
shows interval '^tick$' 'interval:ms:100 { print("tick"); if (++@n == 3) { exit(); } }'
also interval.map '^@n: 3$'
shows software '^@: [0-9]+$' -c "$cat" 'software:page-faults:1 { @ = count(); }'
if [ -e /sys/bus/event_source/devices/cpu ]; then
	shows hardware '^@: [0-9]+$' -c "$cat" 'hardware:instructions:100000 { @ = count(); }'
else
	skip trace.hardware "the emulated processor has no counters"
	refuses hardware.none 'no such counter' --for 1s 'hardware:instructions:100000 { }'
fi

# --- watchpoints: a variable of the program, at an address that is known
address=$(cat /t/trace/probed_count)
shows watchpoint '^round [123]$' -c "$demo 3" \
	"watchpoint:$address:8:w / *(int64 *)$address/ { printf(\"round %d\\n\", *(int64 *)$address); }"
counted watchpoint.three 3 '^round [123]$'

# --- iterators
shows iter.task '^init 1$' 'iter:task /ctx.task.pid == 1/ { printf("%s %d\n", ctx.task.comm, ctx.task.tgid); }'
shows iter.task_file '^1 1$' \
	'iter:task_file /ctx.task.pid == 1/ { printf("%d %d\n", ctx.task.tgid, ctx.fd); }'
if before 5.11; then
	refuses iter.path 'path\(\)|helper' 'iter:task_file { printf("%s\n", path(ctx.file.f_path)); }'
else
	shows iter.path '^[0-9]+ /dev/console$' \
		'iter:task_file /ctx.task.pid == 1/ { printf("%d %s\n", ctx.fd, path(ctx.file.f_path)); }'
fi

# --- programs
shows uprobe '^2 7 probed_add uprobe:/t/bin/probed:probed_add$' -c "$demo 3" \
	'uprobe:/t/bin/probed:probed_add { printf("%d %d %s %s\n", arg0, arg1, func, probe); }'
shows uretprobe '^9 probed_add$' -c "$demo 3" \
	'uretprobe:/t/bin/probed:probed_add { printf("%d %s\n", retval, func); }'
shows uprobe.string '^round 2$' -c "$demo 3" \
	'uprobe:/t/bin/probed:probed_name { printf("%s\n", str(arg0)); }'
shows uprobe.wildcard '^@\[uprobe:/t/bin/probed:probed_name\]: 3$' -c "$demo 3" \
	'uprobe:/t/bin/probed:probed_* { @[probe] = count(); }'
also uprobe.wildcard.other '^@\[uprobe:/t/bin/probed:probed_add\]: 3$'
shows uprobe.ustack '^ +probed_name\+0$' -c "$demo 1" \
	'uprobe:/t/bin/probed:probed_name { printf("%s\n", ustack(1)); }'
shows usdt '^2 4$' -c "$demo 3" 'usdt:/t/bin/probed:demo:round { printf("%d %d\n", arg0, arg1); }'
shows usdt.semaphore '^@: 3$' -c "$demo 3" 'usdt:/t/bin/probed:demo:asked { @ = count(); }'
shows usdt.wildcard '^@\[usdt:/t/bin/probed:demo:round\]: 3$' -c "$demo 3" \
	'usdt:/t/bin/probed:* { @[probe] = count(); }'

# --- whom: a process, a command, a cgroup
$demo 100000 1 &
pid=$!
wait_for test -d /proc/$pid
shows pid '^@\[true\]: [0-9]+$' -p $pid --for 1s \
	'tracepoint:syscalls:sys_enter_clock_nanosleep { @[pid == $1] = count(); }' $pid
$demo 100000 1 &
other=$!
shows pid.only "^@p\\[$pid\\]: 1\$" -p $pid --for 1s 'tracepoint:raw_syscalls:sys_enter { @p[pid] = 1; }'
counted pid.only.one 1 '^@p'
shows pid.uprobe "^@p\\[$pid\\]: 1\$" -p $pid --for 1s 'uprobe:/t/bin/probed:probed_add { @p[pid] = 1; }'
counted pid.uprobe.one 1 '^@p'
mkdir -p /sys/fs/cgroup/t/below && echo $pid >/sys/fs/cgroup/t/below/cgroup.procs
shows cgroup "^@p\\[probed, $pid\\]: 1\$" --cgroup /t --for 1s \
	'tracepoint:raw_syscalls:sys_enter { @p[comm, pid] = 1; }'
counted cgroup.one 1 '^@p'
for hook in kprobe:hrtimer_nanosleep fentry:hrtimer_nanosleep uprobe:/t/bin/probed:probed_add \
	software:cpu-clock:100000 rawtracepoint:sys_exit tracepoint:syscalls:sys_exit_clock_nanosleep \
	profile:hz:999; do
	run --cgroup /t --for 1s "$hook { @p[pid] = 1; }"
	also "cgroup.${hook%%:*}" "^@p\\[$pid\\]: 1\$"
	counted "cgroup.${hook%%:*}.one" 1 '^@p'
done
shows cgroup.id "^@p\\[$pid\\]: 1\$" --for 1s 'tracepoint:raw_syscalls:sys_enter
	/cgroup == cgroupid("/sys/fs/cgroup/t/below")/ { @p[pid] = 1; }'
refuses cgroup.none 'no such cgroup' --cgroup /not-there --for 1s 'interval:s:1 { exit(); }'
kill $pid $other
wait $pid $other 2>/dev/null
rmdir /sys/fs/cgroup/t/below /sys/fs/cgroup/t

# --- what changes something
shows signal '^killed$' --unsafe -c "/bin/sh /t/trace/killed.sh" \
	'tracepoint:syscalls:sys_enter_clock_nanosleep /comm == "victim"/ { signal("KILL"); }'
refuses signal.safe 'unsafe' -c "$cat" 'tracepoint:syscalls:sys_enter_openat { signal("KILL"); }'
if grep -q bpf_override_return /proc/kallsyms && [ -s /sys/kernel/debug/error_injection/list ]; then
	shows override '^-1$' --unsafe -c "$cat" 'kprobe:__x64_sys_openat /comm == "cat"/ { override(-1); }
		tracepoint:syscalls:sys_exit_openat /comm == "cat"/ { print(args.ret); }'
else
	refuses override.none 'CONFIG_BPF_KPROBE_OVERRIDE' --unsafe --for 1s \
		'kprobe:vfs_read { override(1); }'
fi

# --- the language where the kernel lacks helpers: loops, many points, long strings, stacks
shows loops '^10 15 6$' 'begin { $r = 0; for ($i : 0..5) { $r += $i; }
	$w = 0; $j = 5; while ($j > 0) { $w += $j; $j--; } $u = 0; unroll(3) { $u += 2; }
	printf("%d %d %d\n", $r, $w, $u); exit(); }'
if before 5.13; then
	refuses loops.map 'for_each_map_elem' 'begin { @m[1] = 1; for ($kv : @m) { print($kv); } exit(); }'
	refuses loops.len 'for_each_map_elem' 'begin { @m[1] = 1; print(len(@m)); exit(); }'
else
	shows loops.map '^6 3$' 'begin { @m[1] = 1; @m[2] = 2; @m[3] = 3; $s = 0;
		for ($kv : @m) { $s += $kv.1; } printf("%d %d\n", $s, len(@m)); exit(); }'
fi
check trace.script skep trace /t/trace/script.bt 2
shows strings '^/etc/hosts 1 hosts$' -c "$cat" 'tracepoint:syscalls:sys_enter_openat /comm == "cat"/ {
	$s = str(args.filename, 16); printf("%s %d %s\n", $s, strcontains($s, "host"), "hosts"); }'

# --- lists
shows list.kprobe '^kprobe:tcp_v4_connect$' -l 'kprobe:tcp_v4_conn*'
shows list.fentry '^ +struct sock \* ?sk$' -l -v 'fentry:tcp_v4_connect'
shows list.tracepoint '^tracepoint:sched:sched_process_exec$' -l 'tracepoint:sched:sched_process_*'
shows list.uprobe '^uprobe:/t/bin/probed:probed_add$' -l 'uprobe:/t/bin/probed:probed_*'

# --- nothing is left
check trace.left sh -c '! ls -d /sys/fs/cgroup/skep-* 2>/dev/null'
events() { ! grep -q . /sys/kernel/tracing/kprobe_events /sys/kernel/tracing/uprobe_events; }
check trace.left.events events
