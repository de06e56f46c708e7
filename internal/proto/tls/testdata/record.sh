#!/bin/sh
# Records the captures of this folder: real TLS programs talking over the
# loopback interface of a network namespace of its own. Needs root, openssl,
# gnutls-cli, curl, nginx, python3 and tcpdump.
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
	-subj "/C=US/ST=Nowhere/O=Example Home, Inc./OU=Lab+CN=cam.home.example/emailAddress=lab@home.example" \
	-addext "subjectAltName=DNS:cam.home.example,DNS:*.cam.example,IP:192.0.2.7,email:lab@home.example,URI:https://cam.example/" 2>/dev/null
openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 3650 -keyout "$tmp/ckey.pem" -out "$tmp/ccert.pem" \
	-subj "/CN=visitor" 2>/dev/null
printf 'GET / HTTP/1.0\r\n\r\n' >"$tmp/get"

start() { # FILE: capture into it
	tcpdump -q -Z root -i lo -s 0 -w "$1" tcp 2>/dev/null &
	dump=$!
	sleep 1
}
stop() {
	sleep 1
	kill "$dump"
	wait "$dump" || true
}
serve() { # ARGS…: openssl server
	openssl s_server -accept $port -cert "$tmp/cert.pem" -key "$tmp/key.pem" -quiet -www "$@" >/dev/null 2>&1 &
	server=$!
	sleep 0.5
}
halt() {
	kill "$server"
	wait "$server" 2>/dev/null || true
}
ask() { # ARGS…: openssl client
	openssl s_client -connect 127.0.0.1:$port -servername cam.home.example -quiet -no_ign_eof "$@" <"$tmp/get" >/dev/null 2>&1 || true
}

# TLS 1.3 with ALPN, the same resumed with a pre-shared key, then with early data.
start tls13.pcap
mkfifo "$tmp/idle" # -early_data wants a server that reads its own input
sleep 30 >"$tmp/idle" &
idle=$!
openssl s_server -accept $port -cert "$tmp/cert.pem" -key "$tmp/key.pem" -quiet -alpn h2,http/1.1 \
	-early_data -max_early_data 1000 <"$tmp/idle" >/dev/null 2>&1 &
server=$!
sleep 0.5
(cat "$tmp/get"; sleep 0.3) | openssl s_client -connect 127.0.0.1:$port -servername cam.home.example -alpn h2,http/1.1 \
	-quiet -no_ign_eof -sess_out "$tmp/s13" >/dev/null 2>&1 || true
ask -sess_in "$tmp/s13" -alpn h2,http/1.1
ask -sess_in "$tmp/s13" -alpn h2,http/1.1 -early_data "$tmp/get"
halt
kill "$idle"
stop

# HelloRetryRequest: the server wants a group the client sent no key for.
start retry.pcap
serve -groups P-384
ask -groups X25519:P-384
halt
stop

# TLS 1.2: a full handshake with ALPN and a client certificate, then resumed by ticket.
start tls12.pcap
serve -tls1_2 -alpn http/1.1 -verify 1
ask -tls1_2 -alpn http/1.1 -cert "$tmp/ccert.pem" -key "$tmp/ckey.pem" -sess_out "$tmp/s12"
ask -tls1_2 -sess_in "$tmp/s12"
halt
stop

# TLS 1.0 and 1.1, without server name.
start old.pcap
serve -cipher ALL:@SECLEVEL=0
for v in -tls1 -tls1_1; do
	openssl s_client -connect 127.0.0.1:$port -noservername $v -cipher ALL:@SECLEVEL=0 -quiet -no_ign_eof <"$tmp/get" >/dev/null 2>&1 || true
done
halt
stop

# Versions that do not meet: the server answers with an alert.
start alert.pcap
serve -tls1_2
ask -tls1_3
halt
stop

# Another client (GnuTLS) and the usual pair of a web server: curl and nginx.
start gnutls.pcap
serve
gnutls-cli --insecure -p $port --sni-hostname cam.home.example --alpn h2 127.0.0.1 <"$tmp/get" >/dev/null 2>&1 || true
halt
stop
mkdir "$tmp/nginx"
cat >"$tmp/nginx.conf" <<X
daemon off; pid $tmp/nginx/pid; error_log /dev/null; events {}
http { access_log off; client_body_temp_path $tmp/nginx; proxy_temp_path $tmp/nginx; fastcgi_temp_path $tmp/nginx;
uwsgi_temp_path $tmp/nginx; scgi_temp_path $tmp/nginx;
server { listen 127.0.0.1:$port ssl http2; ssl_certificate $tmp/cert.pem; ssl_certificate_key $tmp/key.pem; return 204; } }
X
start nginx.pcap
nginx -c "$tmp/nginx.conf" 2>/dev/null &
server=$!
sleep 1
curl -sk --resolve cam.home.example:$port:127.0.0.1 https://cam.home.example:$port/
curl -sk --tls-max 1.2 --resolve cam.home.example:$port:127.0.0.1 https://cam.home.example:$port/
halt
stop

# Records of a few bytes: a ClientHello of Python, cut by a forwarder that puts
# each 7 bytes of its payload into a record of their own.
start records.pcap
serve -tls1_2
python3 - $port <<'X'
import socket, ssl, sys
ctx = ssl._create_unverified_context()
ctx.set_alpn_protocols(["http/1.1"])
i, o = ssl.MemoryBIO(), ssl.MemoryBIO()
tls = ctx.wrap_bio(i, o, server_hostname="split.home.example")
s = socket.create_connection(("127.0.0.1", int(sys.argv[1])))
s.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
first = True
while True:
    try:
        tls.do_handshake()
        done = True
    except ssl.SSLWantReadError:
        done = False
    b = o.read()
    if b and first:
        first, body = False, b[5:]
        b = b"".join(b[:3] + len(body[k:k + 7]).to_bytes(2, "big") + body[k:k + 7] for k in range(0, len(body), 7))
    if b:
        s.sendall(b)
    if done:
        break
    i.write(s.recv(4096))
s.close()
X
halt
stop

# What looks like it: bytes that begin as a record or an SSLv2 hello does, sent
# to a port of TLS.
start lookalike.pcap
python3 - <<'X'
import socket, threading, time
l = socket.create_server(("127.0.0.1", 443))
def sink():
    for _ in range(3):
        c, _ = l.accept()
        c.recv(4096)
        c.sendall(b"\x16\x03 is Ctrl-V Ctrl-C\r\n")
        c.close()
threading.Thread(target=sink).start()
for m in (b"\x16\x03\x01\x00\x10\x01\x00\x00\x0c\x07\x07rest of it", b"\x80\x2e\x01\x03\x01\x00\x07\x00\x00\x00\x10" + b"x" * 60, b"\x15\x03\x03\x00\x02\x05\x00"):
    c = socket.create_connection(("127.0.0.1", 443))
    c.sendall(m)
    c.recv(4096)
    c.close()
X
stop

# Losses and one-sided views, cut from tls12.pcap.
tcpdump -Z root -r tls12.pcap -w client-only.pcap "dst port $port" 2>/dev/null
tcpdump -Z root -r tls12.pcap -w server-only.pcap "src port $port" 2>/dev/null
seq=$(tcpdump -S -nr tls12.pcap "src port $port and greater 600" 2>/dev/null | sed -n '1s/.*seq \([0-9]*\):.*/\1/p')
tcpdump -Z root -r tls12.pcap -w gap.pcap "not (src port $port and tcp[4:4] = $seq)" 2>/dev/null
ls -l ./*.pcap
