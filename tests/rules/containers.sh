#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# Containers for scenario.py, one after the other, all watched by one skep:
#
#	containers.sh DIR TODO WATCH ACT
#
# TODO has a line for each: name, command for `podman exec` or -, script, options.
# WATCH has skep's command line, a word a line; ACT is the program of prog/act.c.
# 77: containers can't run here.
set -u
dir=$1 todo=$2 act=$4
mapfile -t watch <"$3"
cd "$(dirname "$0")/../.." || exit 1
. tests/container/podman.sh
podman_setup "$dir/podman" || exit $?
export SKEP_CONTAINER_STORAGE=$PODMAN_STORAGE

# an image with what an image has, and with the program under several names
root=$PODMAN_DIR/rootfs
mkdir -p "$root"/{srv,mnt,root/.ssh,var/log,etc/pam.d,lib}
cp "$act" "$root/bin/act"
for name in debugfs scp ncat; do ln -s act "$root/bin/$name"; done
rm -f "$root/bin/sendmail"
echo 'root:x:0:0:root:/root:/bin/sh' >"$root/etc/passwd"
echo 'root:*:1:0:99999:7:::' >"$root/etc/shadow"
echo box >"$root/etc/hostname"
echo data >"$root/srv/file"
echo line >"$root/var/log/auth.log"
echo key >"$root/root/.ssh/id_rsa"
tar -C "$root" -cf "$PODMAN_DIR/image.tar" .
PODMAN_PRIVATE=1 podman_do import -q "$PODMAN_DIR/image.tar" localhost/skep-test >/dev/null 2>&1 ||
	exit 1

# the parent cgroup has to be there before skep looks for it
mount=$(awk '$3 == "cgroup2" { print $2; exit }' /proc/mounts)
mkdir -p "$mount$PODMAN_CGROUP"
out=
for ((i = 0; i < ${#watch[@]}; i++)); do
	[ "${watch[i]}" != -o ] || out=${watch[i + 1]}
done
# names that the rules ask for are resolved by this file
# shellcheck disable=SC2016 # the inner shell expands it
unshare -m sh -c 'mount --bind "$1" /etc/hosts; shift; exec "$@"' sh "$dir/hosts" \
	"${watch[@]}" --cgroup "$PODMAN_CGROUP" 2>"$dir/watch.err" &
watcher=$!
for ((i = 0; i < 200; i++)); do
	[ ! -e "$out" ] || break
	kill -0 $watcher 2>/dev/null || break
	sleep 0.05
done
sleep 1

while IFS=$'\t' read -r name exec script options; do
	chmod 755 "$script"
	[ "$exec" != - ] || exec=
	# shellcheck disable=SC2206 # several words
	PODMAN_OPTIONS=($options -v "$script:/srv/script:ro")
	podman_run "$name" sh -e /srv/script >"$dir/$name.id" 2>"$dir/$name.err" || {
		echo "$name: $(tail -n 1 "$dir/$name.err")" >&2
		continue
	}
	if [ -n "$exec" ]; then
		# shellcheck disable=SC2086 # several words
		case $exec in
		"-t "*) podman_do exec -t "$name" ${exec#-t } ;;
		*) podman_do exec "$name" $exec ;;
		esac >"$dir/$name.err" 2>&1 </dev/null ||
			echo "$name: podman exec: status $?: $(tail -n 1 "$dir/$name.err")" >&2
		podman_do kill -s KILL "$name" >/dev/null 2>&1
	fi
	status=$(podman_do wait "$name" 2>/dev/null)
	[ -n "$exec" ] || [ "$status" = 0 ] ||
		echo "$name: status $status: $(podman_do logs "$name" 2>&1 | tail -n 2)" >&2
done <"$todo"

sleep 0.5
kill -INT $watcher
wait $watcher
status=$?
cat "$dir/watch.err" >&2
podman_cleanup
[ "$status" = 0 ] || [ "$status" = 130 ] || exit 1
