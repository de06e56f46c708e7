#!/bin/sh
# Records the captures of this folder: net-snmp asks snmpd with versions 1, 2c and 3
# and sends traps.
# Needs root, iproute2, tcpdump, snmp, snmpd.
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
mkdir -p /run/snmp
cat >/run/snmp/snmpd.conf <<CONF
agentaddress udp:192.0.2.1:161
rocommunity public
rouser reader noauth
rouser keeper priv
createUser reader
createUser keeper SHA authsecret1 AES privsecret1
sysDescr example device
sysLocation hall
sysName camera
CONF
export SNMP_PERSISTENT_DIR=/run/snmp MIBS= SNMPCONFPATH=/run/snmp
a snmpd -f -Lf /run/snmp/log -C -c /run/snmp/snmpd.conf -p /run/snmp/pid &
pids="$pids $!"
sleep 2
record snmp.pcap 'udp port 161 or udp port 162'
get() { b snmpget -r 0 -t 1 "$@" >/dev/null 2>&1 || true; }
get -v1 -c public 192.0.2.1 1.3.6.1.2.1.1.1.0
get -v1 -c public 192.0.2.1 1.3.6.1.2.1.1.99.0
get -v2c -c public 192.0.2.1 1.3.6.1.2.1.1.5.0 1.3.6.1.2.1.1.6.0
get -v2c -c private 192.0.2.1 1.3.6.1.2.1.1.5.0
get -v3 -u reader -l noAuthNoPriv 192.0.2.1 1.3.6.1.2.1.1.5.0
get -v3 -u keeper -l authPriv -a SHA -A authsecret1 -x AES -X privsecret1 192.0.2.1 1.3.6.1.2.1.1.5.0
b snmpbulkget -r 0 -t 1 -v2c -c public -Cr3 192.0.2.1 1.3.6.1.2.1.1 >/dev/null 2>&1 || true
b snmpset -r 0 -t 1 -v2c -c public 192.0.2.1 1.3.6.1.2.1.1.6.0 s attic >/dev/null 2>&1 || true
b snmptrap -v1 -c public 192.0.2.1 1.3.6.1.4.1.8072 192.0.2.2 3 0 1 >/dev/null 2>&1 || true
b snmptrap -v2c -c public 192.0.2.1 1 1.3.6.1.6.3.1.1.5.3 >/dev/null 2>&1 || true
stop
