# SPDX-License-Identifier: Apache-2.0
# bpftrace's tools under skep, one after the other, each with something to see: the half of
# tests/bench/bpftrace-tools in the VM.
#
#	sh tools-guest.sh TOOL…		names without .bt; the scripts are in /t/tools
#
# For each a line: "TOOL|attached or why not|lines of events|ok or what is wrong", and all that
# it printed before that with "| " in front.

# What each tool is given to see, and how a line of what it found looks.
disk=/dev/nullb0
burst() {
	tools read $disk
	dd if=/dev/zero of=$disk bs=4096 count=20 oflag=direct 2>/dev/null
}
talk() {
	nc -l -p 4000 >/dev/null 2>&1 &
	sleep 0.5
	echo hello | nc -w 2 127.0.0.1 4000
	sleep 0.5
	kill $! 2>/dev/null
}
in_group() { # in_group LIMIT COMMAND…: with so much memory, the rest may be swapped
	local limit=$1
	shift
	echo +memory >/sys/fs/cgroup/cgroup.subtree_control
	mkdir -p /sys/fs/cgroup/small
	echo "$limit" >/sys/fs/cgroup/small/memory.max
	sh -c 'echo $$ >/sys/fs/cgroup/small/cgroup.procs; exec "$@"' sh "$@" 2>/dev/null
}
swap() {
	truncate -s 100M /tmp/swap
	at=$(losetup -f) && losetup "$at" /tmp/swap && mkswap "$at" && swapon "$at"
	in_group 20M tools eat 60
	swapoff "$at"
	losetup -d "$at"
	sleep 0.5
}
files() { # files IMAGE TYPE: write and read in a file system
	mkdir -p /mnt
	mount -o loop "$1" /mnt || return
	dd if=/dev/zero of=/mnt/f bs=64k count=16 conv=fsync 2>/dev/null
	dd if=/mnt/f of=/dev/null bs=64k 2>/dev/null
	dd if=/dev/zero of=/mnt/g bs=64k count=16 2>/dev/null
	sync
	sleep 0.5
	umount /mnt
}
mirror() { # a RAID1 of one half, by sysfs; then a flush
	local at=/sys/block/md_t/md
	[ -d $at ] || echo md_t >/sys/module/md_mod/parameters/new_array
	truncate -s 32M /tmp/half
	loop=$(losetup -f) && losetup "$loop" /tmp/half
	echo none >$at/metadata_version
	echo raid1 >$at/level
	echo 1 >$at/raid_disks
	cat "/sys/block/${loop#/dev/}/dev" >$at/new_dev
	echo 0 >"$at/dev-${loop#/dev/}/slot"
	echo 32768 >"$at/dev-${loop#/dev/}/size"
	echo 32000 >$at/component_size
	echo active >$at/array_state
	mdev -s 2>/dev/null
	dd if=/dev/zero of=/dev/md_t bs=4096 count=4 conv=fsync 2>/dev/null
	echo clear >$at/array_state
}
secure() {
	openssl s_server -accept 4433 -cert /t/cert.pem -key /t/key.pem -quiet >/dev/null 2>&1 &
	sleep 2
	echo hello | openssl s_client -connect 127.0.0.1:4433 -quiet -no_ign_eof >/dev/null 2>&1
	sleep 1
	kill $! 2>/dev/null
}
retransmit() { # to a network where nobody answers
	ip link add d0 type dummy 2>/dev/null
	ip addr add 10.9.9.1/24 dev d0 2>/dev/null
	ip link set d0 up
	timeout 4 nc -w 3 10.9.9.9 80 </dev/null
}
drop() { # to a neighbour that is not there
	ip link add d1 type dummy 2>/dev/null
	ip link set d1 arp on up
	ip addr add 10.9.8.1/24 dev d1 2>/dev/null
	timeout 6 nc -w 5 10.9.8.8 80 </dev/null
}
ipv4='127\.0\.0\.1'
time='[0-9][0-9]:[0-9][0-9]:[0-9][0-9]'
histogram='^[[(].*[0-9]+ \|@+ *\|$'

plan() {
	case $1 in
	bashreadline) line="^$time +[0-9]+ +echo typed$" work='tools shell "echo typed"' ;;
	biolatency | biolatency-kp) line=$histogram work=burst ;;
	biosnoop) line='^[0-9]+ +[0-9]+ +[0-9]+ +(dd|tools) +[0-9]+ +[0-9]+$' work=burst ;;
	biostacks) line=$histogram work=burst ;;
	bitesize) line='^\[4K, 8K\) +[0-9]+ \|@' work=burst ;;
	capable) line="^$time +[0-9]+ +[0-9]+ +.* [0-9]+ +CAP_[A-Z_]+ +[0-9]+$" \
		work='chown 1000 /t/file' ;;
	cpuwalk) line='^\[[01]\] +[0-9]+ \|@' work='tools spin 2' ;;
	dcsnoop) line='^[0-9]+ +[0-9]+ +[a-z]+ +[RM] not-there$' work='ls /tmp/not-there' ;;
	execsnoop) line="^$time\\.[0-9]{6} +[0-9]+ +[0-9]+ +/bin/ls -l /t/file$" \
		work='/bin/ls -l /t/file' ;;
	gethostlatency) line="^$time +[0-9]+ +tools +[0-9]+ localhost$" \
		work='tools resolve localhost' ;;
	killsnoop) line="^$time\\.[0-9]+ +[0-9]+ .* SIG(TERM|HUP|0).* -?[0-9]+$" \
		work='/bin/kill -TERM 999999' ;;
	loads) line="^$time load averages: [0-9]+\\.[0-9]{3} [0-9]+\\.[0-9]{3} [0-9]+\\.[0-9]{3}$" \
		work='sleep 2' ;;
	mdflush) line="^$time +[0-9]+ +[^ ]+ +md_t$" work=mirror ;;
	naptime) line="^$time +[0-9]+ +sh +[0-9]+ +sleep +1\\.(199|200)$" work='/bin/sleep 1.2' ;;
	oomkill)
		line="^$time Triggered by PID [0-9]+ \\(\"tools\"\\), CGROUP [0-9]+"
		line="$line \\(\"[^\"]*/small\"\\), OOM kill of PID [0-9]+ \\(\"tools\"\\),"
		line="$line [0-9]+ pages, loadavg: [0-9]"
		work='in_group 20M tools eat 60'
		;;
	opensnoop) line='^[0-9]+ +cat +[0-9]+ +0 .*/t/file$' work='/bin/cat /t/file' ;;
	pidpersec) line="^$time PIDs/sec: @: [1-9]" \
		work='for i in 1 2 3 4 5 6; do /bin/true; sleep 0.4; done' ;;
	runqlat) line=$histogram work='tools spin 6' ;;
	runqlen) line='^\[[1-5](, [2-6])?[])] +[0-9]+ \|@' work='tools spin 6' ;;
	setuids) line="^$time +[0-9]+ +tools +0 +setuid +uid=1000 \\(0\\)$" \
		work='tools setuid 1000' ;;
	ssllatency) line=$histogram work=secure ;;
	sslsnoop) line="^ *[0-9]+.* +openssl +[0-9]+ .*SSL_(read|write|do_handshake)" work=secure ;;
	statsnoop) line='^[0-9]+ +tools +0 /t/file$' work='tools stat /t/file' ;;
	swapin) line='^@\[tools, [0-9]+\]: [0-9]+$' work=swap ;;
	syncsnoop) line="^$time +[0-9]+ +sync +.*sync$" work=sync ;;
	syscount) line='^@.*\[?(cat|[0-9]+|.*)\]?: [0-9]+$' work='/bin/cat /t/file' ;;
	tcpaccept) line="^$time +[0-9]+ +nc +(::ffff:)?$ipv4 +[0-9]+ +(::ffff:)?$ipv4 +4000 +[0-9]+/[0-9]+ *$" \
		work=talk ;;
	tcpconnect) line="^$time +[0-9]+ +nc +$ipv4 +[0-9]+ +$ipv4 +4000 *$" work=talk ;;
	tcpdrop) line="^$time +[0-9]+ +.* +10\\.9\\.8\\.1:[0-9]+ +10\\.9\\.8\\.8:80 +SYN_SENT *$" \
		work=drop ;;
	tcplife) line="^[0-9]+ +nc +(::ffff:)?$ipv4 +[0-9]+ +(::ffff:)?$ipv4 +[0-9]+ +[0-9]+ +[0-9]+ +[0-9]+ *$" \
		work=talk ;;
	tcpretrans) line="^$time +[0-9]+ +10\\.9\\.9\\.1:[0-9]+ +10\\.9\\.9\\.9:80 +SYN_SENT" \
		work=retransmit ;;
	tcpsynbl) line='^\[?0\]? +[0-9]+ \|@|^@backlog\[1\]:$' work=talk ;;
	threadsnoop) line="^ *$time\\.[0-9]+ +[0-9]+ tools +thread_body$" work='tools thread' ;;
	undump) line="^$time tools +[0-9]+ +6 +hello!$" work='tools unix hello!' ;;
	vfscount) line='^@\[vfs_(read|open)\]: [0-9]+$' work='/bin/cat -v /t/file' ;;
	vfsstat) line='^@\[vfs_(open|read|write)\]: [1-9]' \
		work='for i in 1 2 3 4 5; do /bin/cat -v /t/file; sleep 0.4; done' ;;
	writeback) line="^$time +[^ ]+ +[0-9]+ +(sync|periodic|background|vmscan) +[0-9]+\\.[0-9]{3}$" \
		work='files /t/ext.img' ;;
	xfsdist) line=$histogram work='files /t/xfs.img' ;;
	*) return 1 ;;
	esac
}

# Ready when "Attached" was said, or when it has ended.
ready() {
	grep -q '^Attached' said || ! kill -0 "$1" 2>/dev/null
}

one() {
	local tool=$1 line='' work='' pid status events tries=300
	plan "$tool" || line=.
	# emptied by us: the one in the background may open them later than we look
	: >found
	: >said
	skep trace "/t/tools/$tool.bt" >found 2>said &
	pid=$!
	until ready $pid; do
		sleep 0.1
		tries=$((tries - 1))
		[ $tries -gt 0 ] || break
	done
	if ! kill -0 $pid 2>/dev/null || ! grep -q '^Attached' said; then
		sed 's/^/| /' said
		kill $pid 2>/dev/null
		echo "$tool|$(grep -m 1 'ERROR\|error' said |
			sed 's/|/ /g; s/^[^ ]* ERROR: //' || echo "not attached")|0|not run"
		return
	fi
	eval "$work" >/dev/null 2>&1
	sleep 0.7
	kill -INT $pid
	wait $pid
	status=$?
	events=$(grep -Ec -- "$line" found)
	grep -v '^Attached' said | sed 's/^/| (said) /'
	head -n 45 found | cut -c 1-180 | sed 's/^/| /'
	if [ $status -ne 0 ]; then
		echo "$tool|$(grep '^Attached' said)|$events|status $status"
	elif [ "$events" -eq 0 ]; then
		echo "$tool|$(grep '^Attached' said)|0|NOTHING like: $(echo "$line" | tr '|' '/')"
	else
		echo "$tool|$(grep '^Attached' said)|$events|ok"
	fi
}

mkdir -p /run/tools && cd /run/tools || exit 1
echo "a line" >/t/file
for tool; do
	one "$tool"
done
