#!/bin/sh
# Records kaspa.pcap: the first frames between Kaspa's miner and its node, which
# is a chain of its own, alone in a network namespace. Needs root, tcpdump, and
# kaspad and kaspaminer (github.com/kaspanet/kaspad) in the path.
set -eu
[ "${1-}" = inside ] || exec unshare --net -- "$0" inside
here=$(cd "$(dirname "$0")/.." && pwd)
work=$(mktemp -d)
node=10.99.0.1
ip link set lo up
ip addr add $node/32 dev lo
tcpdump -q -U --immediate-mode -c 60 -i lo -w "$here/kaspa.pcap" tcp port 16510 2>/dev/null & cap=$!
kaspad --simnet --appdir "$work" --rpclisten $node:16510 --nodnsseed --utxoindex --allow-submit-block-when-not-synced >"$work/log" 2>&1 & daemon=$!
sleep 8
timeout 12 kaspaminer --simnet --rpcserver $node:16510 --mine-when-not-synced \
	--miningaddr kaspasim:qzpj2cfa9m40w9m2cmr8pvfuqpp32mzzwsuw6ukhfduqpp32mzzws59e8fapc >/dev/null 2>&1 || true
kill -9 $daemon
wait $cap $daemon 2>/dev/null || true
rm -rf "$work"
