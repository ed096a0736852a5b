# SPDX-License-Identifier: Apache-2.0
# Does one binary show the same story on every kernel?
#
# Each check runs a command under `skep watch` and looks for lines of JSON with all the
# given pieces of text in them.

. /lib/tap.sh

# has FILE PIECE...: one line of the file holds all pieces.
has() {
	local file=$1 pattern
	shift
	cp "$file" left
	for pattern in "$@"; do
		grep -F -- "$pattern" left >next || return 1
		mv next left
	done
	head -n 1 left
}

# watch OUT ARGS...: run skep quietly, its complaints as comments
watch() {
	local out=$1
	shift
	skep watch --json -o "$out" "$@" 2>said || true
	sed 's/^/# /' said
}

# --- processes
watch p.json --events all -- sh -c '/bin/cat /etc/hosts; /bin/sh -c "exit 3"; /bin/true --password=geheim'
check watch.exec has p.json '"event":"exec"' '"args":["/bin/cat","/etc/hosts"]' '"parents":[{'
check watch.exec.secret has p.json '"event":"exec"' '--password=•••'
check watch.exit has p.json '"event":"exit"' '"exit_code":3'
check watch.fork has p.json '"event":"fork"' '"child_pid":'
check watch.open has p.json '"event":"open"' '"file":"/etc/hosts"'
check watch.cgroup.gone sh -c '! ls -d /sys/fs/cgroup/skep-* 2>/dev/null'

# --- names
mkdir -p /tmp/real && ln -sfn /tmp/real /tmp/link
watch n.json --events all -- sh -c 'cd /tmp/link; echo x >f; /bin/cat ../link/f;
	/bin/mv f /tmp/link/../link/g; /bin/ln g h; /bin/chmod 600 /tmp/link/g;
	/bin/rm /proc/self/root/tmp/link/g; /bin/mkdir d; /bin/rmdir d; /bin/rm h'
check names.create has n.json '"event":"create"' '"file":"/tmp/real/f"'
check names.open has n.json '"event":"open"' '"file":"/tmp/real/f"' '"path":"../link/f"'
check names.rename has n.json '"event":"rename"' '"file":"/tmp/real/f"' '"file2":"/tmp/real/g"'
check names.link has n.json '"event":"link"' '"file":"/tmp/real/g"' '"file2":"/tmp/real/h"'
check names.chmod has n.json '"event":"chmod"' '"file":"/tmp/real/g"' '"mode":"0600"'
check names.unlink has n.json '"event":"unlink"' '"file":"/tmp/real/g"' '/proc/self/root'
check names.mkdir has n.json '"event":"mkdir"' '"file":"/tmp/real/d"'
check names.rmdir has n.json '"event":"rmdir"' '"file":"/tmp/real/d"'

# --- network
watch c.json --events network -- sh -c '
	/bin/busybox nc -l -p 7070 -e /bin/cat & sleep 0.5
	echo 12345 | /bin/busybox nc -w 2 127.0.0.1 7070; sleep 0.3; /bin/busybox nc 127.0.0.1 1; wait'
check net.listen has c.json '"event":"listen"' '"sport":7070'
check net.connect has c.json '"event":"connect"' '"dport":7070' '"args":["/bin/busybox","nc","-w"'
check net.accept has c.json '"event":"accept"' '"sport":7070' '"args":["/bin/busybox","nc","-l"'
check net.close has c.json '"event":"close"' '"dport":7070' '"sent":6' '"received":6'
check net.refused has c.json '"event":"connect"' '"dport":1' '"error":"ECONNREFUSED"'

# told CGROUP FILE: a process that it starts in the cgroup is in the file, so all is attached.
told() {
	sh -c "echo \$\$ >/sys/fs/cgroup$1/cgroup.procs; exec /bin/true"
	test -s "$2"
}

# --- filters, all decided in the kernel
mkdir -p /sys/fs/cgroup/t
skep watch --cgroup /t --json --events exec -o f.json 2>/dev/null &
skep=$!
wait_for told /t f.json
/bin/true outside
sh -c 'echo $$ >/sys/fs/cgroup/t/cgroup.procs; exec /bin/true inside'
wait_for grep -q inside f.json
kill $skep
wait $skep
rmdir /sys/fs/cgroup/t
check filter.cgroup has f.json '"event":"exec"' '"inside"'
check filter.cgroup.outside sh -c '! grep -q outside f.json'

watch m.json --events exec --comm 'tr*' -- sh -c '/bin/cat /dev/null; /bin/true'
check filter.comm has m.json '"event":"exec"' '"/bin/true"'
no_cat() { ! grep -qF '"args":["/bin/cat"' m.json; }
check filter.comm.other no_cat

sleep 60 &
older=$!
skep watch --pid $older --json --for 6s --events exit,kill -o i.json 2>/dev/null &
skep=$!
wait_for test -e i.json && sleep 0.5
kill $older
wait $skep
check filter.pid has i.json '"event":"exit"' "\"pid\":$older" '"exit_signal":"SIGTERM"'

# --- recording
watch live.json --events all --record r.skep -- sh -c '/bin/cat /etc/hosts; /bin/true'
skep replay r.skep --json -q -o again.json
check record.same cmp live.json again.json
check record.mode sh -c 'test "$(stat -c %a r.skep)" = 600'

# --- what is there before
sleep 60 &
older=$!
wait_for grep -q 60 /proc/$older/cmdline # it is the shell before
mkdir -p /sys/fs/cgroup/u && echo $older >/sys/fs/cgroup/u/cgroup.procs
skep watch --cgroup /u --json -o o.json 2>/dev/null &
skep=$!
wait_for told /u o.json
kill $older
wait_for grep -q sleep o.json
kill $skep
wait $skep
rmdir /sys/fs/cgroup/u
check older.process has o.json '"event":"exit"' '"args":["sleep","60"]'

# --- io_uring, where the kernel shows requests (6.0)
case $KERNEL in
5.*) skip uring.open "tracepoints name the request since 6.0" ;;
*)
	watch u.json --events file -- /t/bin/uring open /etc/hosts
	check uring.open has u.json '"event":"open"' '"file":"/etc/hosts"' '"io_uring":true'
	check uring.create has u.json '"event":"create"' '/made"' '"io_uring":true'
	;;
esac

# --- a killed skep leaves nothing
skep watch --events exec -o k.json -- /bin/sleep 20 2>/dev/null &
skep=$!
wait_for test -e k.json && sleep 0.5
kill -9 $skep
gone() { ! ls -d /sys/fs/cgroup/skep-* 2>/dev/null; }
check killed.cgroup wait_for gone
