#!/bin/sh
# Records the captures of this folder: real DTLS programs talking over the
# loopback interface of a network namespace of its own. Needs root, openssl,
# gnutls-cli, gnutls-serv, python3 and tcpdump.
#
#   sudo ./record.sh
set -eu
cd "$(dirname "$0")"
if [ "${INSIDE:-}" != 1 ]; then
	exec env INSIDE=1 unshare -n "./$(basename "$0")"
fi
ip link set lo mtu 1500 up
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
port=7443 # not a usual port: recognition is by content
openssl req -x509 -newkey rsa:2048 -nodes -days 3650 -keyout "$tmp/key.pem" -out "$tmp/cert.pem" \
	-subj "/O=Example Home/CN=cam.home.example" -addext "subjectAltName=DNS:cam.home.example" 2>/dev/null
mkfifo "$tmp/idle"
sleep 120 >"$tmp/idle" &
idle=$!

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
pair() { # FILE "SERVER ARGS" "CLIENT ARGS"
	start "$1"
	openssl s_server -accept $port -cert "$tmp/cert.pem" -key "$tmp/key.pem" -quiet $2 <"$tmp/idle" >/dev/null 2>&1 &
	server=$!
	sleep 0.5
	echo hello | timeout 3 openssl s_client -connect 127.0.0.1:$port -servername cam.home.example -quiet -no_ign_eof $3 >/dev/null 2>&1 || true
	kill "$server" 2>/dev/null || true
	wait "$server" 2>/dev/null || true
	stop
}

# With the exchange of a cookie; messages cut to fit 400 bytes.
pair cookie.pcap "-dtls1_2 -listen -mtu 400" "-dtls1_2 -mtu 256 -alpn coap"
# With a client certificate and no cookie.
pair clientcert.pcap "-dtls1_2 -verify 1" "-dtls1_2 -cert $tmp/cert.pem -key $tmp/key.pem"
pair dtls10.pcap "-dtls1 -cipher ALL:@SECLEVEL=0" "-dtls1 -cipher ALL:@SECLEVEL=0"
# A pre-shared key: no certificates.
pair psk.pcap "-dtls1_2 -nocert -psk 1a2b3c -cipher PSK" "-dtls1_2 -psk 1a2b3c -cipher PSK"

start gnutls.pcap
gnutls-serv -q -u --mtu 1400 -p $port --x509certfile "$tmp/cert.pem" --x509keyfile "$tmp/key.pem" >/dev/null 2>&1 &
server=$!
sleep 0.5
echo hello | timeout 3 gnutls-cli -u --insecure -p $port --sni-hostname cam.home.example 127.0.0.1 >/dev/null 2>&1 || true
kill "$server"
wait "$server" 2>/dev/null || true
stop

# What looks like it: datagrams that begin with a record type or a version, and
# the neighbours of DTLS on a media port (STUN, RTP).
start lookalike.pcap
python3 - <<'X'
import socket
srv = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
srv.bind(("127.0.0.1", 4433))
for m in (b"\x16\xfe\xfd" + b"\x00" * 8 + b"\x00\x08" + b"\x01\x00\x00\x90abcd", b"\x16\x03\x01\x00\x20" + b"x" * 32,
          b"\x00\x01\x00\x00\x21\x12\xa4\x42" + b"t" * 12, b"\x80\x60\x00\x01" + b"r" * 100, b"\x17\xfe\xfe some text of a game"):
    cli = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    cli.sendto(m, ("127.0.0.1", 4433))
    srv.recvfrom(4096)
    cli.close()
X
stop
kill "$idle"

# Losses and one-sided views.
tcpdump -Z root -r cookie.pcap -w server-only.pcap "src port $port" 2>/dev/null
tcpdump -Z root -r cookie.pcap -w gap.pcap "not (src port $port and greater 400)" 2>/dev/null
ls -l ./*.pcap
