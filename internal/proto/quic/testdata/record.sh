#!/bin/sh
# Records the captures of this folder: real QUIC programs talking over the
# loopback interface of a network namespace of its own. Needs root, go, openssl,
# gtlsclient and gtlsserver (ngtcp2), python3 and tcpdump. The programs under
# record/ are a Go module of their own (quic-go); they are built before the
# namespace is entered.
#
#   sudo ./record.sh
set -eu
cd "$(dirname "$0")"
if [ "${INSIDE:-}" != 1 ]; then
	tmp=$(mktemp -d)
	(cd record && go build -o "$tmp/quicpair" .)
	INSIDE=1 tmp=$tmp unshare -n "./$(basename "$0")"
	rm -rf "$tmp"
	exit
fi
ip link set lo mtu 1500 up
port=7443 # not a usual port: recognition is by content
openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 3650 -keyout "$tmp/key.pem" -out "$tmp/cert.pem" \
	-subj "/CN=cam.home.example" 2>/dev/null
mkdir "$tmp/www"
echo hello >"$tmp/www/index.html"

start() {
	tcpdump -q -Z root -i lo -s 0 -w "$1" udp 2>/dev/null &
	dump=$!
	sleep 1
}
stop() {
	sleep 1
	kill "$dump"
	wait "$dump" || true
}
ngtcp2() { # FILE "SERVER ARGS" "CLIENT ARGS"
	start "$1"
	gtlsserver -q -d "$tmp/www" $2 127.0.0.1 $port "$tmp/key.pem" "$tmp/cert.pem" >/dev/null 2>&1 &
	server=$!
	sleep 0.5
	timeout 5 gtlsclient -q $3 127.0.0.1 $port https://cam.home.example/index.html >/dev/null 2>&1 || true
	kill "$server" 2>/dev/null || true
	wait "$server" 2>/dev/null || true
	stop
}

ngtcp2 v1.pcap "" ""
ngtcp2 retry.pcap "-V" ""
# The client asks for a version nobody speaks, is told which there are, and begins anew.
ngtcp2 negotiation.pcap "" "-v 0x1a2a3a4a --preferred-versions v1"
ngtcp2 v2draft.pcap "" "-v v2draft"

# quic-go, another implementation: version 2; and a ClientHello too long for one
# datagram (many ALPN names).
start v2.pcap
"$tmp/quicpair" -v2 "$tmp/cert.pem" "$tmp/key.pem"
stop
start big.pcap
"$tmp/quicpair" -big "$tmp/cert.pem" "$tmp/key.pem"
stop

# What looks like it: datagrams that begin like a long or a short header do, and
# encrypted-looking ones both ways, on the port of QUIC and on another.
start lookalike.pcap
python3 - <<'X'
import hashlib, socket
def noise(n, seed):
    return hashlib.shake_128(seed).digest(n)
for port in (443, 5555):
    srv = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    srv.bind(("127.0.0.1", port))
    for i, m in enumerate((b"\xc0\x00\x00\x00\x01\x40rest", b"Get me a list of all players, please", b"@" + noise(63, b"a"),
                           b"\xc3" + noise(200, b"b"), b"\x80\x00\x00\x00\x00\x00\x00abcd")):
        cli = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        cli.sendto(m, ("127.0.0.1", port))
        data, peer = srv.recvfrom(4096)
        srv.sendto(b"S" + noise(40, m), peer)
        cli.close()
    srv.close()
X
stop
# Bulk is of no use here: a few packets behind the handshake are kept.
for f in v1 retry negotiation v2draft v2 big; do
	tcpdump -Z root -r $f.pcap -c 16 -w "$tmp/cut" 2>/dev/null
	cp "$tmp/cut" $f.pcap
done
# One-sided: only what the server sent.
tcpdump -Z root -r v1.pcap -w server-only.pcap "src port $port" 2>/dev/null
ls -l ./*.pcap
