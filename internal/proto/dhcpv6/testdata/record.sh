#!/bin/sh
# Records the captures of this folder: dnsmasq gives dhclient an IPv6 address;
# a second client asks for a prefix, which dnsmasq does not have.
# Needs root, iproute2, tcpdump, dnsmasq, isc-dhcp-client.
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
printf '#!/bin/sh\n' >/run/nothing
chmod +x /run/nothing
ip -n a addr add 2001:db8::1/64 dev veth0 nodad
a dnsmasq --no-daemon --port=0 --interface=veth0 --bind-interfaces --dhcp-range=2001:db8::100,2001:db8::1ff,64,1h \
	--dhcp-leasefile=/run/leases --domain=home.example \
	--dhcp-option=option6:domain-search,lab.home.example,home.example --dhcp-option=option6:dns-server,[2001:db8::1] 2>/run/log &
pids="$pids $!"
sleep 1
record dhcpv6.pcap 'udp port 546 or udp port 547'
cat >/run/dhclient.conf <<CONF
send fqdn.fqdn "laptop.home.example.";
send fqdn.encoded on;
also request dhcp6.domain-search;
CONF
b timeout 10 dhclient -6 -1 -d -D LL -cf /run/dhclient.conf -lf /run/lease -pf /run/pid -sf /run/nothing veth0 >/dev/null 2>&1 || true
b timeout 6 dhclient -6 -r -D LL -cf /run/dhclient.conf -lf /run/lease -pf /run/pid2 -sf /run/nothing veth0 >/dev/null 2>&1 || true
b timeout 4 dhclient -6 -P -1 -d -D LL -lf /run/lease3 -pf /run/pid3 -sf /run/nothing veth0 >/dev/null 2>&1 || true
stop
