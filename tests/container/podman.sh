# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
#
# Containers by podman, all private: images, state and cgroups are in one folder and
# under one parent cgroup, no network is touched, and nothing is left.  Sourced by
# tests, never run.
#
#	. tests/container/podman.sh
#	podman_setup "$(mktemp -d)" || exit $?	# 77: prints the reason and skips
#	podman_run web sleep 100		# prints the container's id
#	export SKEP_CONTAINER_STORAGE=$PODMAN_STORAGE
#	…
#	podman_cleanup				# also done at the end of the script
#
# What it takes on a machine like ours, where cgroups are hybrid and limits can't be
# raised: runc (crun refuses hybrid cgroups), cgroupfs, and low ulimits by name.
#
# Debian: podman runc conmon netavark busybox-static

# podman_setup DIR: make an empty storage with the image "skep-test" in DIR.  Sets
# PODMAN_STORAGE, the graph root.  A trap on EXIT cleans up; a script with a trap of
# its own calls podman_cleanup in it.
podman_setup() {
	local tool busybox applet

	[ "$(id -u)" = 0 ] || _podman_skip "podman: needs root" || return
	for tool in podman runc conmon unshare; do
		command -v "$tool" >/dev/null || _podman_skip "podman: needs '$tool'" || return
	done
	busybox=$(command -v busybox) || _podman_skip "podman: needs busybox-static" || return
	! ldd "$busybox" >/dev/null 2>&1 || _podman_skip "podman: busybox isn't static" || return

	# podman makes this empty folder, wherever all else is
	PODMAN_NETWORKS=
	[ -d /run/containers ] || PODMAN_NETWORKS=/run/containers/networks
	PODMAN_DIR=$1
	PODMAN_STORAGE=$PODMAN_DIR/storage
	# a parent of our own, so that it can be removed with all that is below
	PODMAN_CGROUP=/skep-podman-$$
	PODMAN_DRIVER=overlay
	mkdir -p "$PODMAN_DIR"/{rootfs/{bin,etc,proc,sys,dev,tmp,run},lower,upper,work,merged}
	unshare -m mount -t overlay overlay "$PODMAN_DIR/merged" 2>/dev/null \
		-o "lowerdir=$PODMAN_DIR/lower,upperdir=$PODMAN_DIR/upper,workdir=$PODMAN_DIR/work" ||
		PODMAN_DRIVER=vfs
	# runc.sh may be in use beside us, and there is one trap only
	[ -n "$(trap -p EXIT)" ] ||
		trap 'podman_cleanup; ! declare -F runc_cleanup >/dev/null || runc_cleanup' EXIT

	cat >"$PODMAN_DIR/containers.conf" <<-EOF
		[containers]
		default_ulimits = ["nofile=1024:1024", "nproc=1024:1024"]
		[engine]
		events_logger = "file"
		[network]
		network_backend = "netavark"
		network_config_dir = "$PODMAN_DIR/networks"
	EOF
	cat >"$PODMAN_DIR/storage.conf" <<-EOF
		[storage]
		driver = "$PODMAN_DRIVER"
		graphroot = "$PODMAN_STORAGE"
		runroot = "$PODMAN_DIR/run"
	EOF

	cp "$busybox" "$PODMAN_DIR/rootfs/bin/busybox"
	for applet in $("$busybox" --list); do
		[ "$applet" = busybox ] || ln -s busybox "$PODMAN_DIR/rootfs/bin/$applet"
	done
	tar -C "$PODMAN_DIR/rootfs" -cf "$PODMAN_DIR/image.tar" .
	# what makes images keeps a cache in /var/lib/containers that no option moves
	PODMAN_PRIVATE=1 podman_do import -q "$PODMAN_DIR/image.tar" localhost/skep-test \
		>/dev/null 2>"$PODMAN_DIR/import.log" ||
		{ cat "$PODMAN_DIR/import.log" >&2 && return 1; }
}

# podman_do ARG...: podman in our folder: podman_do exec web ls
podman_do() {
	local run=(env "CONTAINERS_CONF=$PODMAN_DIR/containers.conf"
		"CONTAINERS_STORAGE_CONF=$PODMAN_DIR/storage.conf" "TMPDIR=$PODMAN_DIR")

	# shellcheck disable=SC2016 # the inner shell expands it
	[ -z "${PODMAN_PRIVATE:-}" ] ||
		run+=(unshare -m sh -c 'mount -t tmpfs none /var/lib && exec "$@"' sh)
	"${run[@]}" podman --root "$PODMAN_STORAGE" --runroot "$PODMAN_DIR/run" \
		--tmpdir "$PODMAN_DIR/tmp" --storage-driver "$PODMAN_DRIVER" --runtime runc \
		--cgroup-manager cgroupfs "$@"
}

# podman_run NAME CMD...: start a container in the background, print its id.  The
# array PODMAN_OPTIONS holds more options, as --annotation key=value.
podman_run() {
	local name=$1 parent=(--network none --cgroup-parent "$PODMAN_CGROUP")

	shift
	# the pod's cgroup is the parent of those in it
	case " ${PODMAN_OPTIONS[*]} " in *" --pod "*) parent=() ;; esac
	podman_do run -d --name "$name" "${parent[@]}" --ulimit nofile=1024:1024 \
		--ulimit nproc=1024:1024 "${PODMAN_OPTIONS[@]}" localhost/skep-test "$@"
}

# podman_pod NAME: make a pod, print its id.  With --pod NAME in PODMAN_OPTIONS a
# container goes into it.
podman_pod() {
	PODMAN_PRIVATE=1 podman_do pod create --name "$1" --network none \
		--cgroup-parent "$PODMAN_CGROUP"
}

# podman_pid NAME: the container's first process, as the host sees it.
podman_pid() {
	podman_do inspect -f '{{.State.Pid}}' "$1"
}

# podman_cgroup NAME: the container's cgroup, from the root of the cgroup2 hierarchy.
podman_cgroup() {
	sed -n 's/^0:://p' "/proc/$(podman_pid "$1")/cgroup"
}

# podman_cleanup: end all containers and remove all that podman_setup made.
podman_cleanup() {
	local file i

	[ -n "${PODMAN_DIR:-}" ] && [ -d "$PODMAN_DIR" ] || return 0
	podman_do pod rm -fa -t 0 >/dev/null 2>&1 || :
	podman_do rm -fa -t 0 >/dev/null 2>&1 || :
	# a conmon ends by calling podman, which still writes into the folder
	for ((i = 0; i < 50; i++)); do
		_podman_is_busy || break
		sleep 0.1
	done
	while read -r _ file _; do
		case $file in "$PODMAN_DIR"/*) umount -l "$file" || : ;; esac
	done < <(tac /proc/mounts)
	for file in /sys/fs/cgroup"$PODMAN_CGROUP" /sys/fs/cgroup/*"$PODMAN_CGROUP"; do
		[ ! -d "$file" ] || find "$file" -depth -type d -exec rmdir {} + 2>/dev/null || :
	done
	[ -z "$PODMAN_NETWORKS" ] || rmdir -p "$PODMAN_NETWORKS" 2>/dev/null || :
	rm -rf "$PODMAN_DIR"
	unset PODMAN_DIR
}

# _podman_is_busy: does a podman or conmon still work in our folder?
_podman_is_busy() {
	local process name

	for process in /proc/[0-9]*; do
		{ read -r name <"$process/comm"; } 2>/dev/null || continue
		case $name in podman | conmon) ;; *) continue ;; esac
		grep -qaF -- "$PODMAN_STORAGE" "$process/cmdline" 2>/dev/null && return 0
	done
	return 1
}

# _podman_skip REASON: always 77.
_podman_skip() {
	echo "$1"
	return 77
}

PODMAN_OPTIONS=()
