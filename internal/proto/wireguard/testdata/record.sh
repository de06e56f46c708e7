#!/bin/sh
# Records wireguard.pcap: two wireguard-go in network namespaces joined by a
# veth pair, without a way out. Needs root, /dev/net/tun, iproute2, tcpdump,
# python3, wg, and the wireguard-go program, which $WIREGUARD_GO names (go install
# golang.zx2c4.com/wireguard@latest makes one called "wireguard").
set -eu
cd "$(dirname "$0")"
if [ "${IN_NS:-}" = "" ]; then
	exec env IN_NS=1 unshare --net --mount sh "./$(basename "$0")"
fi
: "${WIREGUARD_GO:=wireguard-go}"
tmp=$(mktemp -d)
mount -t tmpfs none /run
mkdir -p /run/netns
trap 'kill ${a:-} ${b:-} ${dump:-} 2>/dev/null || true; rm -rf "$tmp"' EXIT
ip netns add far
ip link add va type veth peer name vb netns far
ip addr add 192.0.2.1/24 dev va
ip link set va up
ip netns exec far ip addr add 192.0.2.2/24 dev vb
ip netns exec far ip link set vb up

export LOG_LEVEL=silent
umask 077
"$WIREGUARD_GO" -f wga &
a=$!
ip netns exec far "$WIREGUARD_GO" -f wgb &
b=$!
sleep 1
for n in a b; do
	wg genkey >"$tmp/$n"
	wg pubkey <"$tmp/$n" >"$tmp/$n.pub"
done
wg set wga listen-port 40000 private-key "$tmp/a" peer "$(cat "$tmp/b.pub")" allowed-ips 10.9.0.2/32 endpoint 192.0.2.2:41194
ip netns exec far wg set wgb listen-port 41194 private-key "$tmp/b" peer "$(cat "$tmp/a.pub")" allowed-ips 10.9.0.1/32
ip addr add 10.9.0.1/24 dev wga
ip link set wga up
ip netns exec far ip addr add 10.9.0.2/24 dev wgb
ip netns exec far ip link set wgb up

tcpdump -i va -U -w wireguard.pcap udp 2>/dev/null &
dump=$!
sleep 1
# Nobody listens there, so the far kernel sends errors back through the tunnel.
python3 - <<'PY'
import socket, time
for n in range(3):
    s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    s.sendto(b"hello", ("10.9.0.2", 9))
    time.sleep(0.2)
PY
sleep 1
kill -INT "$dump"
wait "$dump" || true
