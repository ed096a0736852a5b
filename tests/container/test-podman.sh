#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# What skep says of a podman container: tests/container/test-podman.sh SKEP (TAP).
#
# The container's own shell reads a file and calls a page on its loopback; skep watches
# it by its parent's cgroup, by name, and from inside a command.
set -u
skep=$1
cd "$(dirname "$0")/../.." || exit 1
. tests/container/podman.sh
command -v jq >/dev/null || { echo "1..0 # SKIP needs jq"; exit 0; }
dir=$(mktemp -d)
podman_setup "$dir" 2>"$dir/why" ||
	{ echo "1..0 # SKIP podman: $(tail -n 1 "$dir/why")"; exit 0; }
export SKEP_CONTAINER_STORAGE=$PODMAN_STORAGE

# check NAME FILE JQ: a line of the file for which the jq expression is true
check() {
	if jq -es "map(select($3)) | length > 0" "$2" >/dev/null; then
		echo "ok $1"
	else
		echo "not ok $1"
		jq -c 'select(.event != "open") | [.event, .file, .process.exe, .container]' "$2" |
			tail -n 12 | sed 's/^/# /'
	fi
}
# ready FILE: skep writes to it once all is attached
ready() {
	local i
	for ((i = 0; i < 100; i++)); do
		[ -e "$1" ] && break
		sleep 0.05
	done
	sleep 0.3
}

id=$(podman_run box sh -c 'while :; do sleep 0.5; cat /etc/hostname >/dev/null; nc -w 1 127.0.0.1 1; done')
cgroup=$(podman_cgroup box)

"$skep" watch --json --events all --cgroup "$cgroup" --for 3s -o "$dir/cgroup.json" 2>/dev/null
check podman.cgroup.exec "$dir/cgroup.json" \
	'.event == "exec" and .container.name == "box" and .process.args[0] == "cat"'
check podman.cgroup.id "$dir/cgroup.json" ".container.id == \"$id\" and .container.runtime == \"podman\""
check podman.cgroup.image "$dir/cgroup.json" '.container.image | test("skep-test")'
check podman.cgroup.open "$dir/cgroup.json" '.event == "open" and .file == "/etc/hostname" and .container.name == "box"'
check podman.cgroup.connect "$dir/cgroup.json" '.event == "connect" and .dport == 1 and .container.name == "box"'
check podman.cgroup.inner_pid "$dir/cgroup.json" '.process.ns_pid != null and .process.ns_pid < .process.pid'

"$skep" watch --json --container box --for 2s -o "$dir/name.json" 2>"$dir/name.err"
check podman.name "$dir/name.json" '.event == "exec" and .container.name == "box"'
"$skep" watch --json --container "${id:0:12}" --for 2s -o "$dir/id.json" 2>/dev/null
check podman.id "$dir/id.json" '.event == "exec" and .container.name == "box"'

"$skep" watch --container bix --for 1s 2>"$dir/bix.err"
if [ $? = 2 ] && grep -q 'did you mean box' "$dir/bix.err"; then
	echo "ok podman.no_such_name"
else
	echo "not ok podman.no_such_name"
	sed 's/^/# /' "$dir/bix.err"
fi

# a container that starts while skep watches: its name must be there from the first event
above=${cgroup%/*}
"$skep" watch --json --events exec --cgroup "$above" --for 4s -o "$dir/new.json" 2>/dev/null &
watcher=$!
ready "$dir/new.json"
podman_run fresh sh -c 'sleep 0.2; cat /etc/passwd >/dev/null; sleep 30' >/dev/null
wait $watcher
check podman.new "$dir/new.json" '.event == "exec" and .container.name == "fresh" and .process.args[0] == "cat"'

podman_cleanup
