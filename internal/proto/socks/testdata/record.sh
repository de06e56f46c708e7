#!/bin/sh
# Records the captures beside it, in a network namespace of its own: nothing
# leaves the machine. Needs root, microsocks, danted, curl, python3, tcpdump.
#   sh record.sh
set -eu
cd "$(dirname "$0")"
if [ "${1:-}" != inside ]; then
	exec unshare -n -p --fork --kill-child sh "$(basename "$0")" inside
fi
ip link set lo up mtu 1500
tmp=$(mktemp -d)
chmod 755 "$tmp"
trap 'rm -rf "$tmp"' EXIT
echo hello >"$tmp/a.txt"
(cd "$tmp" && exec python3 -m http.server -b 127.0.0.1 8000) >/dev/null 2>&1 &
microsocks -i 127.0.0.1 -p 1080 >/dev/null 2>&1 &
microsocks -i 127.0.0.1 -p 7070 -u joe -P secret >/dev/null 2>&1 &
cat >"$tmp/danted.conf" <<CONF
logoutput: $tmp/log
internal: 127.0.0.1 port = 9999
external: lo
clientmethod: none
socksmethod: none
user.privileged: root
user.unprivileged: nobody
client pass { from: 0.0.0.0/0 to: 0.0.0.0/0 }
socks block { from: 0.0.0.0/0 to: 0.0.0.0/0 port = 81 }
socks pass { from: 0.0.0.0/0 to: 0.0.0.0/0 }
CONF
danted -f "$tmp/danted.conf" &
sleep 2
record() {
	tcpdump -i lo -U -w "$1" "$2" 2>/dev/null & dump=$!
	sleep 1
	eval "$3"
	sleep 1
	kill $dump
	wait $dump || true
}
u=http://127.0.0.1:8000/a.txt
record microsocks.pcap 'tcp port 1080' "
	curl -s --socks5 127.0.0.1:1080 $u
	curl -s --socks5-hostname 127.0.0.1:1080 http://localhost:8000/a.txt
	curl -s --socks5 127.0.0.1:1080 http://127.0.0.1:1/ || true"
record odd-port-auth.pcap 'tcp port 7070' "
	curl -s --socks5 joe:secret@127.0.0.1:7070 $u
	curl -s --socks5 joe:wrong@127.0.0.1:7070 $u || true
	curl -s --socks5 127.0.0.1:7070 $u || true"
record dante.pcap 'tcp port 9999' "
	curl -s --socks4 127.0.0.1:9999 $u
	curl -s --socks4a me@127.0.0.1:9999 http://localhost:8000/a.txt || true
	curl -s --socks4 127.0.0.1:9999 http://127.0.0.1:81/ || true
	curl -s --socks5 127.0.0.1:9999 $u"

