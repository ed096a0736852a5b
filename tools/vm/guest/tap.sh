# SPDX-License-Identifier: Apache-2.0
# What a script of tests/kernel/ says its results with: ". /lib/tap.sh".
#
# In the VM it finds KERNEL (5.10, 6.1 or 6.12), an empty folder of its own as the
# working directory, its neighbours in /t, helper programs in /t/bin (in the path)
# and the program under test as /bin/skep.
#
# The shell is busybox's, which runs its own commands as /proc/self/exe, or without
# any exec.  Who wants to see an exec of /bin/ls must call /bin/ls.

# ok NAME, not_ok NAME [REASON], skip NAME REASON: one result line.
ok() { echo "ok $1"; }
not_ok() { echo "not ok $1${2:+ # $2}"; }
skip() { echo "skip $1 # $2"; }

# check NAME COMMAND ARGS...: ok if the command succeeds; else what it said, too.
check() {
	local name=$1 said status
	shift
	said=$("$@" 2>&1 </dev/null)
	status=$?
	if [ $status -eq 0 ]; then
		ok "$name"
	else
		echo "$said" | sed 's/^/#   /'
		not_ok "$name" "status $status"
	fi
}

# wait_for COMMAND ARGS...: try it until it succeeds, for at most 30 seconds (a VM may get little
# of a busy machine).
wait_for() {
	local tries=300
	until "$@" >/dev/null 2>&1; do
		tries=$((tries - 1))
		[ $tries -gt 0 ] || return 1
		sleep 0.1
	done
}
