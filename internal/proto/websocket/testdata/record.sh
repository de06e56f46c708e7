#!/bin/sh
# Records the captures beside it, in a network namespace of its own: nothing
# leaves the machine. Needs root, node with the package "ws" (NODE_PATH) and
# tcpdump.
#   NODE_PATH=…/node_modules sh record.sh
set -eu
cd "$(dirname "$0")"
if [ "${1:-}" != inside ]; then
	exec unshare -n -p --fork --kill-child sh "$(basename "$0")" inside
fi
ip link set lo up mtu 1500
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
cat >"$tmp/run.js" <<'JS'
const WebSocket = require('ws');
const deflate = process.argv[2] === 'deflate';
const server = new WebSocket.Server({ host: '127.0.0.1', port: 8099, perMessageDeflate: deflate && { threshold: 0 } }, () => {
  const c = new WebSocket('ws://127.0.0.1:8099/chat', { perMessageDeflate: deflate });
  c.on('open', () => {
    c.send('{"hello":"world"}');
    c.send('in ', { fin: false }); c.send('two frames', { fin: true });
    c.ping('alive?');
    c.send(Buffer.alloc(deflate ? 5000 : 700, 'binary '));
    c.send('{"hello":"world"}');
    setTimeout(() => c.close(1000, 'done'), 300);
  });
  c.on('close', () => server.close());
});
server.on('connection', s => s.on('message', (m, bin) => s.send(bin ? m : 'you said ' + m, { binary: bin })));
JS
for kind in plain deflate; do
	tcpdump -i lo -U -w "$kind.pcap" 'tcp port 8099' 2>/dev/null & dump=$!
	sleep 1
	node "$tmp/run.js" $kind
	sleep 1
	kill $dump
	wait $dump || true
done
