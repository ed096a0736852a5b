# SPDX-License-Identifier: Apache-2.0
# Do the rules' programs load on every kernel, and see the whole machine?
#
# skep's own rules; what they mean is tested on one kernel, by tests/rules/scenario.py.

. /lib/tap.sh

mkdir -p /etc /tmp /usr/bin
echo 'root:*:1:::::' >/etc/shadow

# one RULE: exactly one alert of the rule
one() {
	[ "$(grep -c "\"rule\":\"$1\"" alerts.json)" = 1 ]
}

# all of the machine, which nobody can on one that others use; kernels without bpf_loop()
# take long to check the programs, so there is one load only
skep watch --alerts --json --for 15s -o alerts.json 2>said &
for _ in $(seq 1000); do
	[ ! -e alerts.json ] || break
	sleep 0.2
done
sleep 2
ln -s /etc/shadow /tmp/notes
/bin/cat /tmp/notes >/dev/null
: >/usr/bin/new
cp /bin/busybox /tmp/true
/tmp/true
/tmp/true
wait
grep -v '^{' said | sed 's/^/# /'
check rules.decided sh -c '! grep -q refused said'
check rules.symlink one 'Password hashes read'
check rules.link one 'Link to a sensitive file made'
check rules.write one 'Program files written'
check rules.exec sh -c '[ "$(grep -c "Program run from a temporary folder" alerts.json)" = 2 ]'
