#!/bin/sh
# Records the captures of this folder: nmbd registers, announces and answers,
# nmblookup asks.
# Needs root, iproute2, tcpdump, samba, smbclient.
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

mkdir -p /run/samba
cat >/run/smb.conf <<CONF
[global]
	netbios name = HALLNAS
	workgroup = HOME
	server string = NAS in the hall
	interfaces = veth0
	bind interfaces only = yes
	lock directory = /run/samba
	state directory = /run/samba
	cache directory = /run/samba
	pid directory = /run/samba
	private dir = /run/samba
	ncalrpc dir = /run/samba/ncalrpc
	log file = /run/samba/log
CONF
record ns.pcap 'udp port 137'
nsdump=$dump
record dgm/testdata/dgm.pcap 'udp port 138'
a nmbd -F -s /run/smb.conf >/run/log 2>&1 &
pids="$pids $!"
sleep 14
b nmblookup -s /run/smb.conf -B 192.0.2.255 HALLNAS >/dev/null || true
b nmblookup -s /run/smb.conf -B 192.0.2.255 NOBODY >/dev/null || true
b nmblookup -s /run/smb.conf -A 192.0.2.1 >/dev/null || true
stop
kill -TERM "$nsdump"
wait "$nsdump" || true
