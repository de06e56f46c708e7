#!/bin/sh
# Records the captures of this folder: two strongSwan daemons, each in a network
# namespace, agree by IKEv1 (main and aggressive mode) and IKEv2. Needs root,
# strongswan-charon, strongswan-swanctl, tcpdump and editcap.
set -eu
[ "${1-}" = inside ] || exec unshare --net --mount -- "$0" inside
here=$(cd "$(dirname "$0")" && pwd)
tmp=$(mktemp -d)
pids=
trap 'kill $pids 2>/dev/null || true; sleep 1; rm -rf "$tmp"' EXIT
mount --make-rprivate /
ip link set lo up
unshare --net sleep 600 & peer=$!
pids="$pids $peer"
sleep 1
ip link add name veth0 type veth peer name veth1 netns $peer
ip addr add 10.77.0.1/24 dev veth0
ip link set veth0 up
nsenter -t $peer -n sh -c 'ip link set lo up; ip addr add 10.77.0.2/24 dev veth1; ip link set veth1 up'
side() { # name, own address, peer's address
	mkdir -p "$tmp/$1"
	cat >"$tmp/$1/strongswan.conf" <<END
charon {
	load_modular = no
	load = random nonce openssl aes sha1 sha2 hmac kdf gmp curve25519 pem pkcs1 x509 kernel-netlink socket-default vici updown
	i_dont_care_about_security_and_use_aggressive_mode_psk = yes
	install_routes = no
	install_virtual_ip = no
	plugins { vici { socket = unix://$tmp/$1/vici } }
}
END
	{
		for kind in main aggressive v2 wrong; do
			version=1 aggressive=no proposals=aes128-sha1-modp1024
			[ $kind = aggressive ] && aggressive=yes
			[ $kind = v2 ] && version=2 proposals=aes256-sha256-modp2048
			[ $kind = wrong ] && version=2 proposals=$([ "$1" = a ] && echo aes128-sha1-modp1024 || echo aes256-sha512-modp4096)
			[ $1 = b ] && [ $kind = wrong ] && continue
			cat <<END
$kind {
	version = $version
	aggressive = $aggressive
	proposals = $proposals
	local_addrs = $2
	remote_addrs = $3
	local { auth = psk
		id = $1.example }
	remote { auth = psk }
	children { net { esp_proposals = aes128-sha1
		local_ts = $2/32
		remote_ts = $3/32 } }
}
END
		done
	} >"$tmp/$1/connections"
	cat >"$tmp/$1/swanctl.conf" <<END
connections {
$(cat "$tmp/$1/connections")
}
secrets { ike { secret = "only for this recording" } }
END
}
side a 10.77.0.1 10.77.0.2
side b 10.77.0.2 10.77.0.1
cat >"$tmp/start" <<END
mount --make-rprivate /
mount -t tmpfs none /run
STRONGSWAN_CONF=$tmp/\$1/strongswan.conf exec /usr/lib/ipsec/charon >$tmp/\$1/log 2>&1
END
nsenter -t $peer -n unshare --mount sh "$tmp/start" b & pids="$pids $!"
unshare --mount sh "$tmp/start" a & pids="$pids $!"
sleep 3
for s in a b; do
	STRONGSWAN_CONF=$tmp/$s/strongswan.conf swanctl --load-all --file "$tmp/$s/swanctl.conf" --uri "unix://$tmp/$s/vici" >/dev/null
done
for kind in main aggressive v2 wrong; do
	tcpdump -q -U -i veth0 -w "$tmp/cap" udp 2>/dev/null & cap=$!
	pids="$pids $cap"
	sleep 1
	timeout 10 swanctl --initiate --ike $kind --child net --uri "unix://$tmp/a/vici" >/dev/null 2>&1 || true
	sleep 1
	timeout 5 swanctl --terminate --ike $kind --uri "unix://$tmp/a/vici" >/dev/null 2>&1 || true
	sleep 1
	kill "$cap"
	wait "$cap" 2>/dev/null || true
	editcap -F pcap "$tmp/cap" "$here/$kind.pcap"
done
[ -z "${KEEP_LOGS-}" ] || cp "$tmp/a/log" "$tmp/b/log" /tmp/dcework/
