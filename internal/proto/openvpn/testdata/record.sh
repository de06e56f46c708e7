#!/bin/sh
# Records openvpn.pcap: OpenVPN peers without tunnel devices (--dev null) in a
# network namespace of their own that has no way out: plain, tls-auth,
# tls-crypt and tls-crypt-v2, over UDP and TCP. Needs root, iproute2, tcpdump,
# openssl, openvpn 2.6.
set -eu
cd "$(dirname "$0")"
if [ "${IN_NS:-}" = "" ]; then
	exec env IN_NS=1 unshare --net --mount sh "./$(basename "$0")"
fi
ip link set lo up
tmp=$(mktemp -d)
trap 'kill ${dump:-} 2>/dev/null || true; rm -rf "$tmp"' EXIT
out=$PWD/openvpn.pcap

openssl ecparam -name prime256v1 -genkey -noout -out "$tmp/key" 2>/dev/null
openssl req -new -x509 -key "$tmp/key" -subj /CN=peer -days 2 -out "$tmp/crt"
cd "$tmp"
openvpn --genkey secret static
openvpn --genkey tls-crypt-v2-server v2server
openvpn --tls-crypt-v2 v2server --genkey tls-crypt-v2-client v2client
print=$(openssl x509 -in crt -noout -fingerprint -sha256 | cut -d= -f2)

tcpdump -i lo -U -w "$tmp/pcap" 'port 1194 or port 40443' 2>/dev/null &
dump=$!
sleep 1

tunnel() { # port, protocol, options of both; V2 adds its own
	port=$1 proto=$2
	shift 2
	common="--dev null --ifconfig-noexec --cert crt --key key --peer-fingerprint $print --verb 0"
	server_v2="" client_v2=""
	if [ "${V2:-}" != "" ]; then
		server_v2="--tls-crypt-v2 v2server" client_v2="--tls-crypt-v2 v2client"
	fi
	server=$proto client=$proto
	if [ "$proto" = tcp ]; then server=tcp-server client=tcp-client; fi
	timeout 4 openvpn $common --tls-server --dh none --local 127.0.0.1 --port "$port" --proto "$server" $server_v2 "$@" &
	s=$!
	sleep 0.5
	timeout 2 openvpn $common --tls-client --remote 127.0.0.1 "$port" --nobind --proto "$client" $client_v2 "$@" || true
	wait "$s" || true
}
tunnel 1194 udp
tunnel 1194 tcp
tunnel 40443 udp --tls-auth static
tunnel 40443 udp --tls-auth static --auth SHA512
tunnel 40443 tcp --tls-crypt static
V2=1 tunnel 40443 udp

sleep 1
kill -INT "$dump"
wait "$dump" || true
cp pcap "$out"
