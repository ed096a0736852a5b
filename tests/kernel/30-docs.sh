# SPDX-License-Identifier: Apache-2.0
# Examples of docs/trace.md that want kprobes or fentry: tests/trace/docs.py --vm writes them
# to docs/, with their options in the first line.  They must attach, and end well.

. /lib/tap.sh

for file in /t/docs/*.bt; do
	name=docs.$(basename "$file" .bt)
	options=$(sed -n '1s|^// *||p' "$file")
	# shellcheck disable=SC2086
	timeout 20 skep trace --for 500ms $options "$file" >out 2>err
	status=$?
	if [ $status -eq 0 ]; then
		ok "$name"
	elif grep -q 'this kernel has no\|this kernel cannot' err; then
		skip "$name" "$(head -n 1 err)"
	else
		head -n 12 out err | sed 's/^/#   /'
		not_ok "$name" "status $status"
	fi
done
