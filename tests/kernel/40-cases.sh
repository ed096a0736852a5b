# SPDX-License-Identifier: Apache-2.0
# Cases of tests/trace/cases that want kprobes, fentry or a kernel that is not locked down:
# tests/trace/vm.py writes them to cases/, and says what is in there.  Each runs twice, at
# -O2 and at -O0, as on the development machine.

. /lib/tap.sh

skep info --json | tr '{' '\n' >info.json

# lacks NEED [ARG...]: says why the case cannot run here
lacks() {
	case $1 in
	pmu)
		ls -d /sys/bus/event_source/devices/cpu* >/dev/null 2>&1 ||
			echo "this machine has no performance counters"
		;;
	unlocked)
		! grep -q '\[integrity\]\|\[confidentiality\]' /sys/kernel/security/lockdown 2>/dev/null ||
			echo "lockdown: $(cat /sys/kernel/security/lockdown)"
		;;
	symbol) grep -q " $2\$" /proc/kallsyms || echo "this kernel does not list $2" ;;
	command) command -v "$2" >/dev/null || echo "no $2 here" ;;
	file) [ -e "$2" ] || echo "no $2 here" ;;
	*) grep -q "^\"name\":\"$1\",\"answer\":\"yes\"" info.json || echo "no $1 here" ;;
	esac
}

# lacking FOLDER: the first thing that the case needs and this kernel has not
lacking() {
	while read -r need; do
		# shellcheck disable=SC2086
		lacks $need
	done <"$1/needs" | head -n 1
}

# fits WANTED GOT: line by line, blank ones left out; ... stands for any lines
fits() {
	awk -v wanted="$1" -v got="$2" '
		function fit(i, j) {
			if (i > n)
				return j > m
			if (want[i] != "...")
				return j <= m && have[j] ~ "^(" want[i] ")$" && fit(i + 1, j + 1)
			for (; j <= m + 1; j++)
				if (fit(i + 1, j))
					return 1
			return 0
		}
		BEGIN {
			while ((getline line <wanted) > 0)
				want[++n] = line
			while ((getline line <got) > 0)
				if (line ~ /[^ \t]/)
					have[++m] = line
			exit !fit(1, 1)
		}'
}

# play FOLDER LEVEL: runs the case; says what is wrong
play() {
	rm -rf work
	cp -r "$1/files" work
	(cd work && timeout 20 sh "$1/run" ${2:+"$2"}) >out 2>all
	status=$?
	grep -Ev '^Attached [0-9]+ probes?$' all >err
	[ $status -eq "$(cat "$1/status")" ] || echo "status $status${2:+ with $2}"
	fits "$1/out" out || echo "standard output is not as expected${2:+ with $2}"
	[ ! -e "$1/err" ] || fits "$1/err" err || echo "standard error is not as expected${2:+ with $2}"
}

for needs in /t/cases/*/needs; do
	folder=${needs%/needs}
	name=case.${folder##*/}
	why=$(lacking "$folder")
	if [ -n "$why" ]; then
		skip "$name" "$why"
		continue
	fi
	for level in "" --no-optimizer; do
		why=$(play "$folder" $level)
		[ -z "$why" ] || break
	done
	if [ -z "$why" ]; then
		ok "$name"
	elif [ "$KERNEL" != 6.12 ] && grep -q 'newer kernel\|from BTF' all; then
		skip "$name" "$(grep -m 1 'ERROR' all)"
	else
		head -n 12 out err | sed 's/^/#   /'
		not_ok "$name" "$(echo "$why" | tr '\n' ' ')"
	fi
done
