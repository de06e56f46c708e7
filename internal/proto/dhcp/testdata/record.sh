#!/bin/sh
# Records the captures of this folder: dnsmasq gives udhcpc and dhclient an address.
# Needs root, iproute2, tcpdump, dnsmasq, udhcpc, isc-dhcp-client.
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
a dnsmasq --no-daemon --port=0 --interface=veth0 --bind-interfaces --dhcp-range=192.0.2.50,192.0.2.99,1h \
	--dhcp-leasefile=/run/leases --dhcp-authoritative --domain=home.example --no-ping \
	--dhcp-option=option:ntp-server,192.0.2.1 --dhcp-option=option:domain-search,lab.home.example,home.example \
	--dhcp-option=121,198.51.100.0/24,192.0.2.1 --dhcp-option=252,http://wpad.home.example/wpad.dat 2>/run/log &
pids="$pids $!"
sleep 1
record dhcp.pcap 'udp port 67 or udp port 68'
b udhcpc -i veth0 -f -q -n -s /run/nothing -x hostname:cam -F cam -V 'example-cam 2.0' -O 121 -O 252 >/dev/null 2>&1 || true
cat >/run/dhclient.conf <<CONF
send host-name "laptop";
send fqdn.fqdn "laptop.home.example.";
send fqdn.encoded on;
send user-class "home";
request subnet-mask, routers, domain-name-servers, domain-name, domain-search, ntp-servers;
CONF
b timeout 8 dhclient -4 -1 -d -cf /run/dhclient.conf -lf /run/lease -pf /run/pid -sf /run/nothing veth0 >/dev/null 2>&1 || true
b timeout 8 dhclient -4 -r -cf /run/dhclient.conf -lf /run/lease -pf /run/pid2 -sf /run/nothing veth0 >/dev/null 2>&1 || true
stop
