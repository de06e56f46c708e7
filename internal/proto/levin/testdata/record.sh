#!/bin/sh
# Records peers.pcap: two Monero daemons of a chain of their own that become each
# other's peers, alone in a network namespace. Needs root, monerod and tcpdump.
set -eu
[ "${1-}" = inside ] || exec unshare --net -- "$0" inside
here=$(cd "$(dirname "$0")" && pwd)
work=$(mktemp -d)
ip link set lo up
ip addr add 10.77.0.1/32 dev lo
ip addr add 10.77.0.2/32 dev lo
tcpdump -q -U --immediate-mode -i lo -w "$here/peers.pcap" tcp port 18080 2>/dev/null & cap=$!
node() { # number, peer
	exec monerod --regtest --fixed-difficulty 1 --data-dir "$work/$1" --p2p-bind-ip "10.77.0.$1" --p2p-bind-port 18080 --rpc-bind-port "1808$1" \
		--allow-local-ip --add-exclusive-node "10.77.0.$2:18080" --no-igd --no-zmq --non-interactive --log-level 0 >"$work/log$1" 2>&1
}
node 1 2 & one=$!
node 2 1 & two=$!
sleep 30
kill $cap
kill -9 $one $two # which take their time otherwise
wait $cap $one $two 2>/dev/null || true
rm -rf "$work"
