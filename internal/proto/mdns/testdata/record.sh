#!/bin/sh
# Records the captures of this folder: two avahi daemons between two network
# namespaces, one offers services, the other browses; dig asks as a legacy
# resolver does.
# Needs root, iproute2, tcpdump, avahi, dbus, dig.
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

for n in a b; do
	mkdir -p /run/$n/services
	cat >/run/$n/avahi.conf <<CONF
[server]
host-name=$([ $n = a ] && echo printer || echo laptop)
use-ipv4=yes
use-ipv6=yes
allow-interfaces=veth0
[publish]
publish-workstation=no
CONF
	dbus-daemon --session --fork --print-pid=3 --address=unix:path=/run/$n/bus 3>/run/$n/pid
	pids="$pids $(cat /run/$n/pid)"
done
# avahi keeps its pid and services below fixed paths: one mount namespace each.
daemon() {
	ip netns exec "$1" unshare --mount sh -c "
		mount --bind /run/$1/services /etc/avahi/services
		mkdir -p /run/avahi-daemon && mount -t tmpfs tmpfs /run/avahi-daemon
		DBUS_SYSTEM_BUS_ADDRESS=unix:path=/run/$1/bus exec avahi-daemon --no-drop-root --no-chroot --no-rlimits -f /run/$1/avahi.conf" 2>/run/$1/log &
	pids="$pids $!"
}
cat >/run/a/services/ipp.service <<XML
<?xml version="1.0" standalone='no'?>
<!DOCTYPE service-group SYSTEM "avahi-service.dtd">
<service-group>
  <name>Hall. 2nd floor</name>
  <service>
    <type>_ipp._tcp</type>
    <port>631</port>
    <txt-record>txtvers=1</txt-record>
    <txt-record>ty=Example Laser 3</txt-record>
    <txt-record>pdl=application/pdf</txt-record>
  </service>
</service-group>
XML
record mdns.pcap 'udp port 5353'
daemon b
sleep 2
daemon a
sleep 4
DBUS_SYSTEM_BUS_ADDRESS=unix:path=/run/b/bus b avahi-browse -t -r _ipp._tcp >/dev/null || true
stop
record legacy.pcap 'udp port 5353 and udp[8:2] != 0 or (udp src port 5353 and udp dst port not 5353)'
b dig +tries=1 +timeout=2 +noedns -p 5353 @224.0.0.251 printer.local A >/dev/null || true
stop
