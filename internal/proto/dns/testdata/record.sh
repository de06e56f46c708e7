#!/bin/sh
# Records the captures of this folder: dig asks unbound in a network namespace
# of its own that has no way out. Needs root, iproute2, tcpdump, unbound, dig.
set -eu
cd "$(dirname "$0")"
if [ "${IN_NS:-}" = "" ]; then
	exec env IN_NS=1 unshare --net --mount sh "./$(basename "$0")"
fi
ip link set lo up
tmp=$(mktemp -d)
trap 'kill "$server" 2>/dev/null || true; rm -rf "$tmp"' EXIT

cat >"$tmp/unbound.conf" <<CONF
server:
	directory: "$tmp"
	chroot: ""
	username: ""
	pidfile: ""
	use-syslog: no
	do-daemonize: no
	interface: 127.0.0.1
	interface: ::1
	interface: 127.0.0.1@5300
	access-control: 127.0.0.0/8 allow
	access-control: ::1 allow
	module-config: "iterator"
	root-hints: ""
	local-zone: "home.example." static
	local-data: "home.example. 300 IN SOA ns.home.example. root.home.example. 7 3600 900 86400 300"
	local-data: "home.example. 300 IN NS ns.home.example."
	local-data: "home.example. 300 IN MX 10 mail.home.example."
	local-data: "home.example. 300 IN CAA 0 issue \"ca.example\""
	local-data: 'home.example. 300 IN TXT "v=spf1 " "-all"'
	local-data: "cam.home.example. 300 IN A 192.0.2.7"
	local-data: "cam.home.example. 300 IN AAAA 2001:db8::7"
	local-data: "cam.home.example. 300 IN SSHFP 4 2 0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
	local-data: "www.home.example. 300 IN CNAME cam.home.example."
	local-data: "_http._tcp.home.example. 300 IN SRV 1 2 8080 cam.home.example."
	local-data: "web.home.example. 300 IN HTTPS 1 . alpn=h2,h3 ipv4hint=192.0.2.7"
	local-data: "sec.home.example. 300 IN DS 12345 8 2 0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
	local-data-ptr: "192.0.2.7 cam.home.example."
CONF
unbound -c "$tmp/unbound.conf" 2>"$tmp/log" &
server=$!
sleep 1

record() { # file, filter
	tcpdump -i lo -U -w "$1" "$2" 2>/dev/null &
	dump=$!
	sleep 1
}
done_() {
	sleep 1
	kill -INT "$dump"
	wait "$dump" || true
}
ask() { dig +tries=1 +timeout=2 "$@" >/dev/null || true; }

record udp.pcap 'udp port 53'
for t in SOA NS MX CAA TXT; do ask @127.0.0.1 home.example "$t"; done
for t in A AAAA SSHFP; do ask @::1 cam.home.example "$t"; done
ask @127.0.0.1 www.home.example A
ask @127.0.0.1 _http._tcp.home.example SRV
ask @127.0.0.1 web.home.example HTTPS
ask @127.0.0.1 sec.home.example DS
ask @127.0.0.1 -x 192.0.2.7
ask @127.0.0.1 nothing.home.example A
ask @127.0.0.1 +noedns +norecurse cam.home.example A
ask @127.0.0.1 +subnet=198.51.100.0/24 cam.home.example A
ask @127.0.0.1 +opcode=NOTIFY home.example SOA
ask @127.0.0.1 version.bind CH TXT
done_

record tcp.pcap 'tcp port 53'
ask @127.0.0.1 +tcp home.example TXT
ask @127.0.0.1 +tcp +keepopen cam.home.example A cam.home.example AAAA nothing.home.example A
done_

record oddport.pcap 'port 5300'
ask @127.0.0.1 -p 5300 cam.home.example A
ask @127.0.0.1 -p 5300 +tcp cam.home.example AAAA
done_

# A look-alike on the port of DNS, and DNS that goes on behind a hole.
record lookalike.pcap 'port 5353 or port 53'
python3 - <<'PY'
import socket
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
for n in range(4):
    s.sendto(b"\x80\x60" + bytes([0, n]) + b"\x00\x00\x10\x00\xca\xfe\xba\xbe" + bytes(range(60)), ("127.0.0.1", 53))
PY
done_
python3 - <<'PY'
import struct
b = open("tcp.pcap", "rb").read()
out, at, seen = b[:24], 24, 0
while at < len(b):
    n = struct.unpack_from("<I", b, at + 8)[0]
    pkt = b[at:at + 16 + n]
    tcp = 16 + 14 + 20
    payload = n - 14 - 20 - (pkt[tcp + 12] >> 4) * 4
    if payload > 0:
        seen += 1
    if not (payload > 0 and seen == 3):  # the first query of the second connection is lost
        out += pkt
    at += 16 + n
open("gap.pcap", "wb").write(out)
PY
