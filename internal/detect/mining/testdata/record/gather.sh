#!/bin/sh
# Records ../gather.pcap: gather.py on the loopback of a network namespace of its
# own. Needs root, python3 and tcpdump.
set -eu
[ "${1-}" = inside ] || exec unshare --net -- "$0" inside
here=$(cd "$(dirname "$0")" && pwd)
for a in 10.77.1.5 10.77.0.9 10.77.0.20 10.77.0.21 10.77.0.22; do
	ip addr add "$a/32" dev lo
done
ip link set lo up
tcpdump -q -U --immediate-mode -i lo -w "$here/../gather.pcap" tcp 2>/dev/null & cap=$!
sleep 1
python3 "$here/gather.py"
sleep 1
kill "$cap"
wait "$cap" 2>/dev/null || true
