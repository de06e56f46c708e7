#!/bin/sh
# Records the captures of this folder: chronyd serves time to chronyd and ntpdig.
# Needs root, iproute2, tcpdump, chrony, ntpsec-ntpdig.
set -eu
cd "$(dirname "$0")"
if [ "${IN_NS:-}" = "" ]; then
	exec env IN_NS=1 unshare --net --mount sh "./$(basename "$0")"
fi
mount -t tmpfs tmpfs /run
mkdir -p /run/netns
ip netns add a && ip netns add b
ip link add veth0 netns a address 02:00:00:00:00:0a type veth peer name veth0 netns b address 02:00:00:00:00:0b
for n in a b; do
	ip -n $n link set lo up
	ip -n $n link set veth0 up
done
ip -n a addr add 192.0.2.1/24 brd + dev veth0
ip -n b addr add 192.0.2.2/24 brd + dev veth0
ip -n a route add default dev veth0
ip -n b route add default dev veth0
sleep 2 # duplicate address detection of the link-local addresses
pids=""
trap 'kill $pids 2>/dev/null || true' EXIT
a() { ip netns exec a "$@"; }
b() { ip netns exec b "$@"; }
record() { # file, filter
	ip netns exec b tcpdump -i veth0 -U -w "$1" "$2" 2>/dev/null &
	dump=$!
	sleep 1
}
stop() {
	sleep 1
	kill -TERM "$dump"
	wait "$dump" || true
}
mkdir -p /run/chrony /run/chrony2
printf 'local stratum 8\nallow\ncmdport 0\nbindcmdaddress /\npidfile /run/chrony/pid\ndriftfile /run/chrony/drift\nbindaddress 192.0.2.1\n' >/run/server.conf
a chronyd -x -d -u root -f /run/server.conf >/run/log 2>&1 &
pids="$pids $!"
sleep 2
record ntp.pcap 'udp port 123'
b ntpdig -t 2 192.0.2.1 >/dev/null 2>&1 || true
printf 'server 192.0.2.1 iburst\ncmdport 0\nbindcmdaddress /\npidfile /run/chrony2/pid\n' >/run/client.conf
b timeout 8 chronyd -x -Q -t 6 -u root -f /run/client.conf >/run/log2 2>&1 || true
stop
