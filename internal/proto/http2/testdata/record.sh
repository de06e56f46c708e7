#!/bin/sh
# Records the captures beside it, in a network namespace of its own: nothing
# leaves the machine. Needs root, nghttpd, nghttp, curl, tcpdump.
#   sh record.sh
set -eu
cd "$(dirname "$0")"
if [ "${1:-}" != inside ]; then
	exec unshare -n -p --fork --kill-child sh "$(basename "$0")" inside
fi
ip link set lo up mtu 1500
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
head -c 3000 /dev/zero | tr '\0' x >"$tmp/index.html"
nghttpd --no-tls -a 127.0.0.1 -d "$tmp" -p /=/pushed.css 8180 >/dev/null &
echo 'a{}' >"$tmp/pushed.css"
sleep 1
record() {
	tcpdump -i lo -U -w "$1" "$2" 2>/dev/null & dump=$!
	sleep 1
	eval "$3"
	sleep 1
	kill $dump
	wait $dump || true
}
u=http://127.0.0.1:8180
record prior-knowledge.pcap 'tcp port 8180' "
	nghttp -n $u/ $u/missing $u/index.html
	curl -s --http2-prior-knowledge -d user=joe -A record/1 $u/index.html $u/index.html >/dev/null || true
	curl -s --http2-prior-knowledge -A record/1 $u/index.html >/dev/null || true"
