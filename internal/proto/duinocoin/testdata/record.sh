#!/bin/sh
# Records the captures of this folder: talk.py's two ends, alone in a network
# namespace. Needs root, python3 and tcpdump. gap.pcap is mine.pcap without two
# of its frames; that needs editcap.
set -eu
[ "${1-}" = inside ] || exec unshare --net -- "$0" inside
here=$(cd "$(dirname "$0")" && pwd)
ip addr add 10.77.0.1/32 dev lo
ip link set lo up
record() { # file, what, port
	tcpdump -q -U --immediate-mode -i lo -w "$here/$1" tcp port "$3" 2>/dev/null & cap=$!
	sleep 1
	python3 "$here/talk.py" "$2" "$3"
	sleep 1
	kill "$cap"
	wait "$cap" 2>/dev/null || true
}
record mine.pcap mine 2813
record bare.pcap bare 8080
record print-lookalike.pcap print 9100
editcap -F pcap "$here/mine.pcap" "$here/gap.pcap" 6 14
