#!/bin/sh
# Records the captures beside it, in a network namespace of its own: nothing
# leaves the machine. Needs root, sipp, tcpdump.
#   sh record.sh
set -eu
cd "$(dirname "$0")"
if [ "${1:-}" != inside ]; then
	exec unshare -n -p --fork --kill-child sh "$(basename "$0")" inside
fi
ip link set lo up mtu 1500
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
here=$PWD
cd "$tmp"
for kind in tcp udp; do
	opt=u1
	[ $kind = tcp ] && opt=t1
	tcpdump -i lo -U -w "$here/$kind.pcap" "$kind port 6060" 2>/dev/null & dump=$!
	sleep 1
	sipp -sn uas -t $opt -i 127.0.0.1 -p 6060 -m 1 -nostdin >/dev/null 2>&1 & uas=$!
	sleep 1
	sipp -sn uac -t $opt -i 127.0.0.1 -p 6061 -m 1 -d 100 -nostdin 127.0.0.1:6060 >/dev/null 2>&1 || true
	sleep 1
	kill $uas $dump 2>/dev/null || true
	wait $dump || true
done
