#!/bin/sh
# Records the captures of this folder: systemd-resolved answers as "printer", dig
# asks it by multicast over UDP, then over TCP.
# Needs root, iproute2, tcpdump, systemd-resolved, dig, hostname.
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

mkdir -p /run/systemd/resolve /run/conf /run/dbus
chown systemd-resolve: /run/systemd/resolve
cat >/run/conf/resolved.conf <<CONF
[Resolve]
LLMNR=yes
MulticastDNS=no
DNSStubListener=no
CONF
ip netns exec a unshare --uts --mount sh -c '
	hostname printer
	mount --bind /run/conf /etc/systemd
	exec /lib/systemd/systemd-resolved' 2>/run/log &
pids="$pids $!"
sleep 3
record udp.pcap 'udp port 5355 or udp src port 5355'
b dig +tries=1 +timeout=2 +noedns +norecurse +noadflag -p 5355 @224.0.0.252 printer A >/dev/null || true
b dig +tries=1 +timeout=2 +noedns +norecurse +noadflag -p 5355 @224.0.0.252 wpad A >/dev/null || true
stop
record tcp.pcap 'tcp port 5355'
b dig +tries=1 +timeout=2 +noedns +norecurse +noadflag +tcp -p 5355 @192.0.2.1 printer AAAA >/dev/null || true
stop
