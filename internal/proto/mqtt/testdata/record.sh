#!/bin/sh
# Records mqtt.pcap and oddport.pcap: mosquitto and its clients in a network
# namespace of their own that has no way out. Needs root, iproute2, tcpdump,
# mosquitto, mosquitto-clients.
set -eu
cd "$(dirname "$0")"
if [ "${IN_NS:-}" = "" ]; then
	exec env IN_NS=1 unshare --net --mount sh "./$(basename "$0")"
fi
ip link set lo up
tmp=$(mktemp -d)
trap 'kill ${server:-} ${dump:-} 2>/dev/null || true; rm -rf "$tmp"' EXIT
cat >"$tmp/conf" <<CONF
listener 1883 127.0.0.1
listener 18830 127.0.0.1
allow_anonymous true
user nobody
CONF
mosquitto -c "$tmp/conf" 2>"$tmp/log" &
server=$!
sleep 1

record() { # file, filter
	tcpdump -i lo -U -w "$1" "$2" 2>/dev/null &
	dump=$!
	sleep 1
}
done_() {
	sleep 1
	kill -INT "$dump"
	wait "$dump" || true
}

record mqtt.pcap 'tcp port 1883'
timeout 5 mosquitto_sub -V mqttv311 -i hall-panel -t 'home/+/temperature' -t 'home/door' -U old/topic -q 1 -C 2 >/dev/null &
sub=$!
sleep 1
mosquitto_pub -V mqttv31 -i old-sensor -t home/cellar/temperature -m 11.5
mosquitto_pub -V mqttv311 -i door -u door -P secret -q 2 -t home/door -m open --will-topic home/door/state --will-payload lost
wait "$sub" || true
timeout 9 mosquitto_sub -V mqttv5 -t 'tele/#' -k 5 -W 7 >/dev/null &
sub=$!
sleep 1
mosquitto_pub -V mqttv5 -i plug-1 -q 1 -t tele/plug-1/state -m '{"power":"on"}' -D publish user-property room hall
wait "$sub" || true
head -c 18000 /dev/zero | mosquitto_pub -V mqttv311 -i camera -t cam/still -s
done_

record oddport.pcap 'tcp port 18830'
mosquitto_pub -p 18830 -V mqttv5 -i lamp -t lamp/state -m off
done_
