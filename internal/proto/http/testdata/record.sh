#!/bin/sh
# Records the captures beside it, in a network namespace of its own: nothing
# leaves the machine. Needs root, nginx, curl, python3, tinyproxy, tcpdump.
#   sh record.sh
set -eu
cd "$(dirname "$0")"
if [ "${1:-}" != inside ]; then
	exec unshare -n -m -p --fork --kill-child sh "$(basename "$0")" inside
fi
ip link set lo up mtu 1500
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
mkdir -p "$tmp/www" "$tmp/log"
chmod 755 "$tmp" "$tmp/www"
i=0
while [ $i -lt 200 ]; do echo "<p>line $i of a page that compresses well</p>"; i=$((i + 1)); done >"$tmp/www/page.html"
echo '{"status":"ok"}' >"$tmp/www/a.json"
cat >"$tmp/nginx.conf" <<CONF
worker_processes 1; pid $tmp/pid; error_log $tmp/log/error.log; daemon off; user root;
events { worker_connections 64; }
http {
  access_log off; types { text/html html; application/json json; }
  client_body_temp_path $tmp/body; proxy_temp_path $tmp/proxy; fastcgi_temp_path $tmp/f; uwsgi_temp_path $tmp/u; scgi_temp_path $tmp/s;
  gzip on; gzip_min_length 100; gzip_types application/json;
  server { listen 80; root $tmp/www; location /old { return 302 /page.html; } location /post { return 200 "thanks\n"; } }
}
CONF
nginx -c "$tmp/nginx.conf" -p "$tmp" & nginx=$!
(cd "$tmp/www" && exec python3 -m http.server -b 127.0.0.1 7777) >/dev/null 2>&1 & py=$!
cat >"$tmp/tiny.conf" <<CONF
Port 3128
Listen 127.0.0.1
Timeout 10
MaxClients 10
ConnectPort 80
CONF
tinyproxy -d -c "$tmp/tiny.conf" >/dev/null 2>&1 & tiny=$!
sleep 2

# record FILE FILTER COMMAND: what the command makes, nothing else.
record() {
	tcpdump -i lo -U -w "$1" "$2" 2>/dev/null & dump=$!
	sleep 1
	eval "$3"
	sleep 1
	kill $dump
	wait $dump || true
}
b=http://127.0.0.1
record nginx.pcap 'tcp port 80' "
	curl -s --compressed -A 'record/1' -e $b/from $b/page.html $b/a.json $b/missing $b/old >/dev/null
	curl -s -I $b/page.html >/dev/null
	curl -s -z '+1 day' $b/page.html >/dev/null
	curl -s -d 'user=joe&x=1' -b 'c=d' $b/post >/dev/null
	curl -s --http2 $b/a.json >/dev/null
	printf 'GET /a.json HTTP/1.1\r\nHost: one\r\n\r\nGET /a.json HTTP/1.1\r\nHost: two\r\nConnection: close\r\n\r\n' | timeout 3 python3 -c '
import socket, sys
s = socket.create_connection((\"127.0.0.1\", 80)); s.sendall(sys.stdin.buffer.read())
while s.recv(4096): pass'"
record odd-port.pcap 'tcp port 7777' "curl -s http://127.0.0.1:7777/a.json http://127.0.0.1:7777/ >/dev/null"
record proxy.pcap 'tcp port 3128' "
	curl -s -p -x http://127.0.0.1:3128 $b/a.json >/dev/null
	curl -s -p -x http://127.0.0.1:3128 http://127.0.0.1:81/ >/dev/null || true
	curl -s -x http://127.0.0.1:3128 $b/a.json >/dev/null"
head=$(python3 -c 'print(" ".join("-H X-%d:y" % i for i in range(140)))')
record over-limit.pcap 'tcp port 80' "curl -s $head $b/a.json >/dev/null"
kill $nginx $py $tiny
wait || true
# A gap: the second of the page's segments never came.
python3 - nginx.pcap gap.pcap <<'PY'
import struct, sys
b = open(sys.argv[1], "rb").read()
out, o, seen, dropped = b[:24], 24, 0, False
while o < len(b):
    n = struct.unpack("<I", b[o + 8:o + 12])[0]
    rec = b[o:o + 16 + n]
    o += 16 + n
    tcp = rec[16 + 14 + 20:]
    data = tcp[(tcp[12] >> 4) * 4:]
    if tcp[:2] == b"\0P" and data:
        seen += 1
        if seen == 3 and not dropped:
            dropped = True
            continue
    out += rec
    if dropped and seen == 5:
        break
open(sys.argv[2], "wb").write(out)
PY
