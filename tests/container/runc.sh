# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
#
# Plain runc containers: no engine above them, their cgroup is just /NAME, and only
# runc's state file tells that it is a container.  Sourced by tests, never run.
#
#	. tests/container/runc.sh
#	runc_setup "$(mktemp -d)" || exit $?	# 77: prints the reason and skips
#	runc_run web sleep 100
#	…
#	runc_cleanup				# also done at the end of the script
#
# Bundles and files are in one folder.  The state is in /run/runc, where everybody
# looks for it; so a name that is taken there is refused.
#
# Debian: runc busybox-static

# runc_setup DIR: a root folder with busybox for all containers.  A trap on EXIT cleans
# up; a script with a trap of its own calls runc_cleanup in it.
runc_setup() {
	local busybox applet

	[ "$(id -u)" = 0 ] || _runc_skip "runc: needs root" || return
	command -v runc >/dev/null || _runc_skip "runc: needs 'runc'" || return
	busybox=$(command -v busybox) || _runc_skip "runc: needs busybox-static" || return
	! ldd "$busybox" >/dev/null 2>&1 || _runc_skip "runc: busybox isn't static" || return

	RUNC_DIR=$1
	RUNC_NAMES=()
	RUNC_PARENTS=()
	mkdir -p "$RUNC_DIR"/rootfs/{bin,etc,proc,sys,dev,tmp,run}
	# podman.sh may be in use beside us, and there is one trap only
	[ -n "$(trap -p EXIT)" ] ||
		trap 'runc_cleanup; ! declare -F podman_cleanup >/dev/null || podman_cleanup' EXIT
	cp "$busybox" "$RUNC_DIR/rootfs/bin/busybox"
	for applet in $("$busybox" --list); do
		[ "$applet" = busybox ] || ln -s busybox "$RUNC_DIR/rootfs/bin/$applet"
	done
}

# runc_run NAME CMD...: start a container in the background.  Its annotations are in
# RUNC_ANNOTATIONS, as JSON: '{"team": "shop"}'.  Its cgroup is /NAME, or RUNC_CGROUP.
runc_run() {
	local name=$1 bundle=$RUNC_DIR/$1 arg args=

	shift
	for arg; do
		arg=${arg//\\/\\\\}
		args+=${args:+, }\"${arg//\"/\\\"}\"
	done
	mkdir "$bundle" 2>/dev/null || { echo "runc: '$name' is taken" >&2 && return 1; }
	cat >"$bundle/config.json" <<-EOF
		{
		  "ociVersion": "1.0.2",
		  "hostname": "$name",
		  "process": {
		    "terminal": false, "cwd": "/", "user": {"uid": 0, "gid": 0},
		    "args": [$args],
		    "env": ["PATH=/bin", "container=runc"]
		  },
		  "root": {"path": "$RUNC_DIR/rootfs", "readonly": false},
		  "mounts": [
		    {"destination": "/proc", "type": "proc", "source": "proc"},
		    {"destination": "/dev", "type": "tmpfs", "source": "tmpfs"},
		    {"destination": "/tmp", "type": "tmpfs", "source": "tmpfs"}
		  ],
		  "annotations": ${RUNC_ANNOTATIONS:-"{}"},
		  "linux": {
		    "cgroupsPath": "${RUNC_CGROUP:-/$name}",
		    "namespaces": [
		      {"type": "pid"}, {"type": "ipc"}, {"type": "uts"}, {"type": "mount"},
		      {"type": "network"}
		    ]
		  }
		}
	EOF
	RUNC_NAMES+=("$name")
	[ -z "${RUNC_CGROUP:-}" ] || RUNC_PARENTS+=("$(dirname "$RUNC_CGROUP")")
	if ! runc run -d -b "$bundle" --pid-file "$bundle/pid" "$name" </dev/null \
		>"$bundle/log" 2>&1; then
		cat "$bundle/log" >&2
		unset 'RUNC_NAMES[-1]' # not ours to delete
		return 1
	fi
}

# runc_pid NAME: the container's first process, as the host sees it.
runc_pid() {
	cat "$RUNC_DIR/$1/pid"
}

# runc_cgroup NAME: the container's cgroup, from the root of the cgroup2 hierarchy.
runc_cgroup() {
	sed -n 's/^0:://p' "/proc/$(runc_pid "$1")/cgroup"
}

# runc_cleanup: end all containers and remove all that runc_setup made.
runc_cleanup() {
	local name parent hierarchy

	[ -n "${RUNC_DIR:-}" ] && [ -d "$RUNC_DIR" ] || return 0
	for name in "${RUNC_NAMES[@]}"; do
		runc delete -f "$name" 2>/dev/null || :
	done
	# runc leaves the groups above the container's own
	for parent in "${RUNC_PARENTS[@]}"; do
		for hierarchy in /sys/fs/cgroup /sys/fs/cgroup/*/; do
			(cd "$hierarchy" && rmdir -p ".$parent" 2>/dev/null) || :
		done
	done
	rm -rf "$RUNC_DIR"
	unset RUNC_DIR
}

# _runc_skip REASON: always 77.
_runc_skip() {
	echo "$1"
	return 77
}
