#!/bin/sh
# Records seeker.pcap: a program without a name that asks a Monero daemon for
# work every second, over a connection each, and an owner who tells the daemon to
# mine. Alone in a network namespace. Needs root, monerod, curl and tcpdump.
set -eu
[ "${1-}" = inside ] || exec unshare --net -- "$0" inside
here=$(cd "$(dirname "$0")/.." && pwd)
work=$(mktemp -d)
node=10.77.0.1
to=44AFFq5kSiGBoZ4NMDwYtN18obc8AemS33DBLWs3H7otXft3XjrpDtQGv7SqSsaBYBb98uNbr2VBBEt7f2wfn3RVGQBEP3A
ip link set lo up
for a in 1 2 3; do ip addr add 10.77.0.$a/32 dev lo; done
monerod --regtest --offline --fixed-difficulty 1 --data-dir "$work" --rpc-bind-ip $node --confirm-external-bind --p2p-bind-ip $node --no-zmq \
	--non-interactive --log-level 0 >"$work/log" 2>&1 & daemon=$!
tcpdump -q -U --immediate-mode -i lo -w "$here/seeker.pcap" tcp port 18081 2>/dev/null & cap=$!
curl -s --retry 60 --retry-delay 1 --retry-connrefused --interface 10.77.0.3 -o /dev/null "http://$node:18081/get_height"
for _ in 1 2 3 4 5 6 7; do
	curl -s -A "" --interface 10.77.0.2 -o /dev/null "http://$node:18081/json_rpc" \
		-d '{"jsonrpc":"2.0","id":"0","method":"get_block_template","params":{"wallet_address":"'$to'","reserve_size":60}}'
	sleep 1
done
for m in get_info get_last_block_header; do
	curl -s --interface 10.77.0.3 -o /dev/null "http://$node:18081/json_rpc" -d '{"jsonrpc":"2.0","id":"0","method":"'$m'"}'
done
curl -s --interface 10.77.0.3 --local-port 40099 -o /dev/null "http://$node:18081/start_mining" \
	-d '{"do_background_mining":false,"ignore_battery":true,"miner_address":"'$to'","threads_count":1}'
curl -s --interface 10.77.0.3 -o /dev/null "http://$node:18081/stop_mining" -d '{}'
sleep 1
kill $cap
kill -9 $daemon # which takes its time otherwise
wait $cap $daemon 2>/dev/null || true
rm -rf "$work"
