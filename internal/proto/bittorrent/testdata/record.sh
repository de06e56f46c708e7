#!/bin/sh
# Records bittorrent.pcap, utp.pcap and peers.pcap: peers find each other
# through opentracker, in network namespaces joined by a veth pair, without a
# way out: first two aria2 with DHT and local discovery, which share a file of
# 12 kB over encrypted connections, then two transmission, which meet without
# encryption, over uTP and over TCP. Needs root, iproute2, tcpdump, python3,
# aria2, opentracker, transmission-cli.
set -eu
cd "$(dirname "$0")"
if [ "${IN_NS:-}" = "" ]; then
	exec env IN_NS=1 unshare --net --mount sh "./$(basename "$0")"
fi
tmp=$(mktemp -d)
mount -t tmpfs none /run
mkdir -p /run/netns
trap 'kill ${tracker:-} ${seed:-} ${dump:-} 2>/dev/null || true; rm -rf "$tmp"' EXIT
ip link set lo up
ip netns add far
ip link add va type veth peer name vb netns far
ip addr add 192.0.2.1/24 dev va
ip link set va up
ip route add 224.0.0.0/4 dev va
ip netns exec far ip addr add 192.0.2.2/24 dev vb
ip netns exec far ip link set vb up
ip netns exec far ip route add 224.0.0.0/4 dev vb

mkdir "$tmp/seed" "$tmp/leech" "$tmp/track"
chmod 777 "$tmp" "$tmp/track"
python3 - "$tmp" <<'PY'
import hashlib, sys
tmp = sys.argv[1]
data = bytes(i * 7 % 251 for i in range(12000))
open(tmp + "/seed/file", "wb").write(data)
def ben(v):
    if isinstance(v, int):
        return b"i%de" % v
    if isinstance(v, bytes):
        return b"%d:%s" % (len(v), v)
    return b"d" + b"".join(ben(k) + ben(v[k]) for k in sorted(v)) + b"e"
info = {b"name": b"file", b"length": len(data), b"piece length": 16384, b"pieces": hashlib.sha1(data).digest()}
open(tmp + "/t.torrent", "wb").write(ben({b"announce": b"udp://192.0.2.1:7070/announce", b"info": info}))
open(tmp + "/white", "w").write(hashlib.sha1(ben(info)).hexdigest() + "\n")
PY
(cd "$tmp/track" && exec opentracker -i 192.0.2.1 -P 7070 -p 7070 -w "$tmp/white" >/dev/null 2>&1) &
tracker=$!
sleep 1
record() {
	tcpdump -i va -U -w "$tmp/pcap" 'udp or tcp' 2>/dev/null &
	dump=$!
	sleep 1
}
done_() { # file
	sleep 1
	kill -INT "$dump"
	wait "$dump" || true
	cp "$tmp/pcap" "$1"
}
record

common="--no-conf --quiet --enable-dht=true --enable-dht6=false --bt-enable-lpd=true --enable-peer-exchange=false --file-allocation=none"
aria2c $common --listen-port=16881 --dht-listen-port=16882 --bt-lpd-interface=va --dht-file-path="$tmp/d1" --dht-entry-point=192.0.2.2:26882 \
	--check-integrity=true --seed-ratio=0 --dir="$tmp/seed" "$tmp/t.torrent" &
seed=$!
sleep 3
timeout 20 ip netns exec far aria2c $common --listen-port=26881 --dht-listen-port=26882 --bt-lpd-interface=vb --dht-file-path="$tmp/d2" \
	--dht-entry-point=192.0.2.1:16882 --seed-time=0.05 --dir="$tmp/leech" "$tmp/t.torrent" || true
cmp "$tmp/seed/file" "$tmp/leech/file"
kill "$seed"
wait "$seed" || true
done_ bittorrent.pcap

rm "$tmp/leech/"*
for utp in true false; do
	for n in seed leech; do
		mkdir -p "$tmp/$n.conf"
		echo "{\"utp-enabled\":$utp,\"dht-enabled\":false,\"lpd-enabled\":false,\"pex-enabled\":false,\"port-forwarding-enabled\":false,\"encryption\":0}" >"$tmp/$n.conf/settings.json"
	done
	record
	timeout 14 transmission-cli -et -M -p 16881 -w "$tmp/seed" -g "$tmp/seed.conf" "$tmp/t.torrent" >/dev/null 2>&1 &
	seed=$!
	sleep 2
	timeout 11 ip netns exec far transmission-cli -et -M -p 26881 -w "$tmp/leech" -g "$tmp/leech.conf" "$tmp/t.torrent" >/dev/null 2>&1 || true
	wait "$seed" || true
	if [ "$utp" = true ]; then done_ utp.pcap; else done_ peers.pcap; fi
done
