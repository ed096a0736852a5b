#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# What skep says of a plain runc container, whose cgroup's path does not tell that it is
# one: tests/container/test-runc.sh SKEP (TAP).
set -u
skep=$1
cd "$(dirname "$0")/../.." || exit 1
. tests/container/runc.sh
dir=$(mktemp -d)
runc_setup "$dir" 2>"$dir/why" ||
	{ echo "1..0 # SKIP runc: $(tail -n 1 "$dir/why")"; exit 0; }

check() {
	if jq -es "map(select($3)) | length > 0" "$2" >/dev/null; then
		echo "ok $1"
	else
		echo "not ok $1"
		jq -c '[.event, .file, .process.exe, .process.cgroup, .container]' "$2" | tail -n 12 | sed 's/^/# /'
	fi
}

name=skep-runc-$$
runc_run "$name" sh -c 'while :; do sleep 0.5; cat /etc/hostname >/dev/null; done' >/dev/null
"$skep" watch --json --cgroup "$(runc_cgroup "$name")" --for 2s -o "$dir/out.json" 2>/dev/null
check runc.exec "$dir/out.json" ".event == \"exec\" and .container.id == \"$name\""
check runc.runtime "$dir/out.json" '.container.runtime == "runc"'
"$skep" watch --json --container "$name" --for 2s -o "$dir/name.json" 2>/dev/null
check runc.name "$dir/name.json" '.event == "exec" and .process.args[0] == "cat"'
runc_cleanup
