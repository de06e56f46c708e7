#!/bin/sh
# Records the captures of this folder: xrdp and FreeRDP, alone in a network
# namespace. Needs root, xrdp, freerdp2-x11, xvfb, tcpdump and editcap. Only the
# connection sequence is kept.
set -eu
[ "${1-}" = inside ] || exec unshare --net --uts -- "$0" inside
here=$(cd "$(dirname "$0")" && pwd)
tmp=$(mktemp -d)
trap 'kill $pids 2>/dev/null || true; rm -rf "$tmp"' EXIT
pids=
hostname lab
ip link set lo up
Xvfb :77 -screen 0 800x600x24 >/dev/null 2>&1 & pids="$pids $!"
openssl req -x509 -newkey rsa:2048 -nodes -days 30 -subj /CN=rdp.lab.example -keyout "$tmp/key" -out "$tmp/cert" 2>/dev/null
record() { # file security-layer client-option
	sed -e "s/^security_layer=.*/security_layer=$2/" -e "s|^certificate=.*|certificate=$tmp/cert|" -e "s|^key_file=.*|key_file=$tmp/key|" \
		-e "s|^port=3389|port=tcp://127.0.0.1:3389|" /etc/xrdp/xrdp.ini >"$tmp/ini"
	rm -f /run/xrdp/xrdp.pid /var/run/xrdp.pid
	xrdp --nodaemon --config "$tmp/ini" >/dev/null 2>&1 & daemon=$!
	tcpdump -q -U -i lo -w "$tmp/cap" tcp port 3389 2>/dev/null & cap=$!
	pids="$pids $daemon $cap"
	sleep 2
	DISPLAY=:77 HOME=$tmp timeout 5 xfreerdp /v:127.0.0.1 /u:labuser /p:labpass /cert-ignore "/sec:$3" >/dev/null 2>&1 || true
	kill "$cap" "$daemon"
	wait "$cap" "$daemon" 2>/dev/null || true
	editcap -F pcap -r "$tmp/cap" "$here/$1" 1-24
}
record tls.pcap negotiate tls
record plain.pcap rdp rdp
