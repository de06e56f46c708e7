#!/bin/sh
# Records the captures of this folder: coturn answers STUN and relays TURN over UDP
# and TCP.
# Needs root, iproute2, tcpdump, coturn.
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
a turnserver -n --listening-ip=192.0.2.1 --relay-ip=192.0.2.1 --min-port=50000 --max-port=50010 --user=u:p --realm=home.example \
	--lt-cred-mech --no-tls --no-dtls --no-cli --allow-loopback-peers --db=/run/turndb --log-file=/run/turnlog --pidfile=/run/turnpid >/run/log 2>&1 &
pids="$pids $!"
sleep 2
record udp.pcap 'udp port 3478'
b turnutils_stunclient -p 3478 192.0.2.1 >/dev/null 2>&1 || true
b timeout 20 turnutils_uclient -y -c -n 2 -m 1 -l 30 -u u -w p -r 3480 192.0.2.1 >/dev/null 2>&1 || true
stop
record tcp.pcap 'tcp port 3478'
b timeout 20 turnutils_uclient -t -y -c -n 2 -m 1 -l 30 -u u -w p -r 3480 192.0.2.1 >/dev/null 2>&1 || true
stop
