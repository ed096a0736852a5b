#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# A short walk past what skep sees.  As root:
#
#     skep watch -- sh examples/tour.sh
#
# It needs python3 and curl, touches only a folder of its own, and takes two seconds.
set -eu
PATH=/usr/sbin:/usr/bin:/sbin:/bin # the system's own programs, no wrappers around them

# A heading.  Before it, skep gets time to finish the lines of the step before: this
# counts instead of calling sleep, which would be a line itself.
step() {
	i=0
	while [ "$i" -lt 100000 ]; do i=$((i + 1)); done
	printf '\n# %s\n' "$*" >&2
}

step '1. A file is read.'
head -n 1 /etc/passwd >/dev/null

step '2. A folder and two files are made.'
room=$(mktemp -d /tmp/tour.XXXXXX)
trap 'rm -rf "$room"' EXIT
cd "$room"
cat >server.py <<'END'
import os, socket
server = socket.create_server(("127.0.0.1", 0))
print(server.getsockname()[1], flush=True)
if os.fork() == 0:  # the child serves one page
    os.close(1)
    guest, _ = server.accept()
    guest.recv(4096)
    guest.sendall(b"HTTP/1.0 200 OK\r\n\r\nhello\n")
END
cat >ghost.py <<'END'
import os
ghost = os.memfd_create("ghost")
with open("/bin/true", "rb") as program:
    os.write(ghost, program.read())
os.execve(ghost, ["ghost", "--harmless"], {})
END

step '3. A page is served and fetched; note who owns which end, and the password.'
port=$(python3 -IS server.py)
curl -qs -u guest:pa55word -o page.html "http://127.0.0.1:$port/"

step '4. A symbolic link hides nothing.'
ln -s /etc/passwd harmless.txt
head -n 1 harmless.txt >/dev/null

step '5. A program runs that is in no file.'
python3 -IS ghost.py

step '6. All is tidied up.'
