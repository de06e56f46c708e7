#!/bin/sh
# Records the captures of this folder: MIT Kerberos' key distribution centre and
# its clients, alone in a network namespace. Needs root, krb5-kdc, krb5-user,
# krb5-admin-server, tcpdump and editcap.
set -eu
[ "${1-}" = inside ] || exec unshare --net --uts -- "$0" inside
here=$(cd "$(dirname "$0")" && pwd)
tmp=$(mktemp -d)
pids=
trap 'kill $pids 2>/dev/null || true; rm -rf "$tmp"' EXIT
hostname lab
ip addr add 10.77.0.1/32 dev lo
ip link set lo up
cat >"$tmp/krb5.conf" <<END
[libdefaults]
default_realm = HOME.EXAMPLE
dns_lookup_kdc = false
rdns = false
allow_weak_crypto = true
udp_preference_limit = LIMIT
[realms]
HOME.EXAMPLE = {
	kdc = 10.77.0.1
}
[logging]
kdc = FILE:$tmp/log
END
cat >"$tmp/kdc.conf" <<END
[realms]
HOME.EXAMPLE = {
	database_name = $tmp/principal
	key_stash_file = $tmp/stash
	kdc_listen = 10.77.0.1:88
	kdc_tcp_listen = 10.77.0.1:88
	supported_enctypes = aes256-cts:normal arcfour-hmac:normal
}
END
export KRB5_KDC_PROFILE="$tmp/kdc.conf" KRB5_CONFIG="$tmp/conf" KRB5CCNAME="FILE:$tmp/cache" KRB5_TRACE=/dev/null
config() { sed "s/LIMIT/$1/; s/^allow_weak.*/&\n${2-}/" "$tmp/krb5.conf" >"$tmp/conf"; }
config 1465
kdb5_util create -s -P only-for-this >/dev/null
kadmin.local addprinc -pw robinpass +requires_preauth robin >/dev/null
kadmin.local addprinc -randkey host/nas.home.example >/dev/null
krb5kdc -n & pids="$pids $!"
sleep 1
record() { # file
	tcpdump -q -U -i lo -w "$tmp/cap" port 88 2>/dev/null & cap=$!
	pids="$pids $cap"
	sleep 1
	echo robinpass | kinit robin >/dev/null || true
	kvno host/nas.home.example >/dev/null || true
	kvno host/missing.home.example >/dev/null 2>&1 || true
	kdestroy
	sleep 1
	kill "$cap"
	wait "$cap" 2>/dev/null || true
	editcap -F pcap "$tmp/cap" "$here/$1"
}
record udp.pcap
config 1
record tcp.pcap
config 1465 'default_tkt_enctypes = arcfour-hmac\ndefault_tgs_enctypes = arcfour-hmac\npermitted_enctypes = arcfour-hmac aes256-cts'
record refused.pcap # no encryption in common
