#!/bin/sh
# Records the captures of this folder: gssdp announces and searches, upnpc asks a
# device that does not exist.
# Needs root, iproute2, tcpdump, python3-gi, gir1.2-gssdp, miniupnpc.
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
cat >/run/announce.py <<'PY'
import gi, sys
gi.require_version("GSSDP", "1.6")
from gi.repository import GLib, GSSDP
client = GSSDP.Client.new_full("veth0", None, 0, GSSDP.UDAVersion.VERSION_1_0)
client.set_server_id("Linux/1 UPnP/1.0 gateway/2")
group = GSSDP.ResourceGroup.new(client)
group.add_resource_simple("urn:schemas-upnp-org:device:InternetGatewayDevice:1", "uuid:00000000-0000-4000-8000-000000000001::urn:schemas-upnp-org:device:InternetGatewayDevice:1", "http://192.0.2.1:8080/device.xml")
group.set_available(True)
loop = GLib.MainLoop()
GLib.timeout_add_seconds(6, loop.quit)
loop.run()
group.set_available(False)
GLib.timeout_add_seconds(1, loop.quit)
loop.run()
PY
record ssdp.pcap 'udp port 1900'
a /usr/bin/python3 /run/announce.py &
sleep 3
b upnpc -m veth0 -l >/dev/null || true
sleep 4
stop
