#!/bin/sh
# Records the captures of this folder again, on the loopback of a network
# namespace of its own: nothing can leave it, nothing mines. Needs root,
# tcpdump, curl, node, npm (coin-hive-stratum 1.4.10 and its ws), monero and
# aria2 of Debian. Usage: record.sh [FOLDER]
set -eu
here=$(cd "$(dirname "$0")" && pwd)
out=${1:-$here/..}
work=$(mktemp -d)
if [ "${INSIDE:-}" = "" ]; then
	(cd "$work" && npm install --no-audit --no-fund --silent coin-hive-stratum@1.4.10 ws@3)
	INSIDE=$work unshare --net --mount-proc --fork --pid "$0" "$out"
	rm -rf "$work"
	exit
fi
export NODE_PATH=$INSIDE/node_modules
ip link set lo up

# capture NAME FILTER: starts tcpdump; stop ends it and everything started since.
capture() {
	tcpdump -i lo -U -w "$out/$1.pcap" "$2" 2>/dev/null &
	pids=$!
	sleep 1
}
run() {
	"$@" >/dev/null 2>&1 &
	pids="$! $pids"
	sleep 1
}
stop() {
	sleep 1
	for p in $pids; do kill "$p" 2>/dev/null || true; done
	wait 2>/dev/null || true
}
rpc() {
	curl -s -m 5 -H 'Content-Type: application/json' -d "$2" "http://127.0.0.1:$1" >/dev/null || true
}

# A browser miner's WebSocket (synthetic client), the real proxy behind it, and
# its Stratum to a pool (synthetic).
capture browser 'tcp port 8892 or tcp port 3334'
run node "$here/pool.js" 3334
run node "$INSIDE/node_modules/coin-hive-stratum/bin/coin-hive-stratum" 8892 --host=127.0.0.1 --port=3334
node "$here/browser.js" ws://127.0.0.1:8892/ 5 >/dev/null 2>&1
stop

# A chat over WebSocket that quotes mining messages.
capture chat 'tcp port 8893'
run node "$here/chat.js" 8893
node "$here/browser.js" ws://127.0.0.1:8893/ 3 chat >/dev/null 2>&1
stop

# A real Monero daemon asked for work (the question is curl's).
address=44AFFq5kSiGBoZ4NMDwYtN18obc8AemS33DBLWs3H7otXft3XjrpDtQGv7SqSsaBYBb98uNbr2VBBEt7f2wfn3RVGQBEP3A
daemon() {
	run monerod --regtest --offline --fixed-difficulty 1 --data-dir "$INSIDE/monero" --non-interactive --rpc-bind-port 18081 --no-zmq
	for i in 1 2 3 4 5 6 7 8 9 10; do curl -s -m 1 http://127.0.0.1:18081/getheight >/dev/null && break || sleep 1; done
}
capture template 'tcp port 18081'
daemon
rpc 18081/json_rpc '{"jsonrpc":"2.0","id":"0","method":"get_block_template","params":{"wallet_address":"'$address'","reserve_size":60}}'
stop

# The same daemon used by a real wallet: a look-alike.
capture wallet 'tcp port 18081'
daemon
monero-wallet-cli --daemon-address 127.0.0.1:18081 --daemon-ssl disabled --trusted-daemon --generate-new-wallet "$INSIDE/w" --password x \
	--mnemonic-language English --log-file /dev/null --command refresh </dev/null >/dev/null 2>&1 || true
rpc 18081/json_rpc '{"jsonrpc":"2.0","id":"0","method":"get_info"}'
rpc 18081/json_rpc '{"jsonrpc":"2.0","id":"1","method":"get_last_block_header"}'
rpc 18081/getheight '{}'
stop

# A real aria2: JSON-RPC over HTTP, with names of miners in it: a look-alike.
capture aria2 'tcp port 6800'
run aria2c --enable-rpc --rpc-listen-port 6800 --no-conf --dir "$INSIDE" --quiet
rpc 6800/jsonrpc '{"jsonrpc":"2.0","id":"q","method":"aria2.getVersion","params":[]}'
rpc 6800/jsonrpc '{"jsonrpc":"2.0","id":"r","method":"aria2.addUri","params":[["http://127.0.0.1:1/xmrig-6.26.0.tar.gz"],{"user-agent":"XMRig/6.26.0"}]}'
rpc 6800/jsonrpc '[{"jsonrpc":"2.0","id":"t","method":"aria2.tellStopped","params":[0,9]},{"jsonrpc":"2.0","id":"u","method":"aria2.getGlobalStat"}]'
stop
