#!/bin/sh
# Records the captures of this folder: real Telnet servers and clients, alone
# in a network namespace. Needs root, inetutils-telnet, inetutils-telnetd,
# python3, tcpdump, editcap and tshark. The account is made for the
# recording and removed.
set -eu
[ "${1-}" = inside ] || exec unshare --net --uts -- "$0" inside
here=$(cd "$(dirname "$0")" && pwd)
tmp=$(mktemp -d)
trap 'kill $pids 2>/dev/null || true; userdel -r labuser 2>/dev/null || true; rm -rf "$tmp"' EXIT
pids=
hostname lab
ip link set lo up
useradd -m -s /bin/sh labuser
echo labuser:labpass | chpasswd
record() { # file port command…
	out=$1 port=$2
	shift 2
	tcpdump -q -U -i lo -w "$tmp/cap" tcp port "$port" 2>/dev/null & cap=$!
	pids="$pids $cap"
	sleep 1
	"$@" || true
	sleep 1
	kill "$cap"
	wait "$cap" 2>/dev/null || true
	editcap -F pcap "$tmp/cap" "$here/$out"
}
# serve accepts connections and gives each to a program, as inetd does.
cat >"$tmp/serve" <<'END'
import socket, subprocess, sys
s = socket.create_server(("127.0.0.1", int(sys.argv[1])))
while True:
    c, _ = s.accept()
    subprocess.Popen(sys.argv[2:], stdin=c, stdout=c, stderr=c)
    c.close()
END
# slow types lines with time for the server between them.
cat >"$tmp/slow" <<'END'
import sys, time
for l in sys.argv[1:]:
    time.sleep(4); sys.stdout.write(l + "\n"); sys.stdout.flush()
time.sleep(2)
END
python3 "$tmp/serve" 23 telnetd & pids="$pids $!"
sleep 1
login() { python3 "$tmp/slow" labuser wrong labuser labpass 'echo hello' exit | TERM=vt100 telnet 127.0.0.1 >/dev/null 2>&1; }
record inetutils.pcap 23 login
# A device that speaks no options, and a bot that tries passwords on it.
cat >"$tmp/device" <<'END'
import sys
def ask(p):
    sys.stdout.write(p); sys.stdout.flush()
    return sys.stdin.readline().strip()
for i in range(4):
    u, p = ask("\r\n(none) login: "), ask("Password: ")
    if (u, p) == ("root", "default"):
        break
    sys.stdout.write("\r\nLogin incorrect\r\n")
else:
    sys.exit()
while True:
    l = ask("\r\n# ")
    if not l or l == "exit": break
    sys.stdout.write(l.split()[0] + ": not found\r\n")
END
cat >"$tmp/bot" <<'END'
import socket, sys, time
c = socket.create_connection(("127.0.0.1", int(sys.argv[1])))
def until(w):
    got = b""
    while w not in got:
        d = c.recv(999)
        if not d: return
        got += d
for u, p in (b"admin", b"admin"), (b"root", b"12345"), (b"root", b"default"):
    until(b"login: "); c.sendall(u + b"\r\n"); until(b"word: "); c.sendall(p + b"\r\n")
for l in b"enable", b"sh", b"/bin/busybox LAB":
    until(b"# "); c.sendall(l + b"\r\n")
until(b"# ")
c.close()
END
python3 "$tmp/serve" 2323 python3 "$tmp/device" & pids="$pids $!"
python3 "$tmp/serve" 6001 python3 "$tmp/device" & pids="$pids $!"
sleep 1
record raw-login.pcap 2323 python3 "$tmp/bot" 2323
record odd-port.pcap 6001 python3 "$tmp/bot" 6001
# The refusal is lost.
n=$(tshark -r "$here/inetutils.pcap" -Y 'telnet.data contains "incorrect"' -T fields -e frame.number 2>/dev/null | head -1)
editcap -F pcap "$here/inetutils.pcap" "$here/gap.pcap" "$n"
