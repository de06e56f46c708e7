#!/bin/sh
# Records the captures of this folder: aiosmtpd with swaks and curl, alone in a
# network namespace. Needs root, python3-aiosmtpd, swaks, libnet-ssleay-perl,
# curl, openssl, tcpdump and editcap.
set -eu
[ "${1-}" = inside ] || exec unshare --net --uts -- "$0" inside
here=$(cd "$(dirname "$0")" && pwd)
tmp=$(mktemp -d)
trap 'kill $pids 2>/dev/null || true; rm -rf "$tmp"' EXIT
pids=
hostname lab
ip link set lo up
openssl req -x509 -newkey rsa:2048 -nodes -days 30 -subj /CN=mx.lab.example -keyout "$tmp/key" -out "$tmp/cert" 2>/dev/null
aiosmtpd -n -c aiosmtpd.handlers.Sink -l 127.0.0.1:25 & pids="$pids $!"
aiosmtpd -n -c aiosmtpd.handlers.Sink -l 127.0.0.1:587 --tlscert "$tmp/cert" --tlskey "$tmp/key" --no-requiretls & pids="$pids $!"
sleep 2
record() { # file port command…
	out=$1 port=$2
	shift 2
	tcpdump -q -U -i lo -w "$tmp/cap" tcp port "$port" 2>/dev/null & cap=$!
	pids="$pids $cap"
	sleep 1
	"$@" >/dev/null 2>&1 || true
	sleep 1
	kill "$cap"
	wait "$cap" 2>/dev/null || true
	editcap -F pcap "$tmp/cap" "$here/$out"
}
swaks="swaks --server 127.0.0.1 --helo pc.lab.example --from a@lab.example --to b@lab.example,c@lab.example"
record swaks.pcap 25 $swaks --header 'Subject: hello' --body 'one line'
printf 'From: a@lab.example\r\nSubject: by curl\r\n\r\n..\r\nbody\r\n' >"$tmp/mail"
record curl.pcap 25 curl -s smtp://127.0.0.1/pc.lab.example --mail-from a@lab.example --mail-rcpt b@lab.example -T "$tmp/mail"
record starttls.pcap 587 $swaks --port 587 --tls --body secret
