# SPDX-License-Identifier: Apache-2.0
# Run test scripts one after the other; the half of tools/vm/suite in the VM.
#
#	sh suite.sh MARK KERNEL SECONDS TRY SCRIPT...	(names in /t)
#
# Each script's output is passed on as it is, between "MARK begin SCRIPT" and
# "MARK end SCRIPT STATUS", where STATUS is a number or "timeout".  MARK is a random
# word, so no script can say these by chance.  "MARK warned SCRIPT" stands before the
# end when the kernel printed a warning meanwhile.  The first script finds TRY in its
# environment: 2 if it runs again, after a VM that ended; the others find 1.
#
# Every script starts in an empty folder, as the leader of a session of its own, and
# when it has ended or its time is over, all processes but init and this one are
# killed.  Mounts, pins and cgroups it leaves, stay.

mark=$1
export KERNEL=$2
seconds=$3
export TRY=$4
shift 4

# Bit 9 of the taint mask: a WARN() was hit.
warned() { [ $(($(cat /proc/sys/kernel/tainted) & 512)) -ne 0 ]; }

warned && echo "# the kernel warned while it booted"
for script; do
	rm -rf /run/late /run/work
	mkdir /run/work
	cd /run/work || exit 1
	warned && before=1 || before=
	printf '\n%s begin %s\n' "$mark" "$script"

	setsid sh "/t/$script" </dev/null 2>&1 &
	pid=$!
	(
		sleep "$seconds"
		: >/run/late
		kill -9 -$pid
	) &
	wait $pid
	status=$?
	kill -9 -1
	[ ! -e /run/late ] || status=timeout

	[ -n "$before" ] || ! warned || printf '\n%s warned %s\n' "$mark" "$script"
	printf '\n%s end %s %s\n' "$mark" "$script" "$status"
	TRY=1
	cd /
done
