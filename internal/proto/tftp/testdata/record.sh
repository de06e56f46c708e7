#!/bin/sh
# Records the captures of this folder: tftp-hpa's client and server, alone in a
# network namespace. Needs root, tftp-hpa, tftpd-hpa, tcpdump and editcap.
set -eu
[ "${1-}" = inside ] || exec unshare --net -- "$0" inside
here=$(cd "$(dirname "$0")" && pwd)
tmp=$(mktemp -d)
pids=
trap 'kill $pids 2>/dev/null || true; rm -rf "$tmp"' EXIT
ip addr add 10.77.0.1/32 dev lo
ip link set lo up
chmod 755 "$tmp"
mkdir -p "$tmp/root/boot"
head -c 700 /dev/zero | tr '\0' b >"$tmp/root/boot/pxelinux.0"
touch "$tmp/root/upload.cfg"
chmod -R a+rwX "$tmp"
echo 'hostname lab' >"$tmp/upload.cfg"
in.tftpd -L -4 -a 10.77.0.1:69 -s "$tmp/root" & pids="$pids $!"
in.tftpd -L -4 -a 10.77.0.1:6969 -s "$tmp/root" & pids="$pids $!"
sleep 1
record() { # file port commands
	tcpdump -q -U -i lo -w "$tmp/cap" udp 2>/dev/null & cap=$!
	pids="$pids $cap"
	sleep 1
	(cd "$tmp" && printf '%b' "$3" | timeout 10 tftp -4 10.77.0.1 "$2" >/dev/null) || true
	sleep 1
	kill "$cap"
	wait "$cap" 2>/dev/null || true
	editcap -F pcap "$tmp/cap" "$here/$1"
}
record usual.pcap 69 'binary\nget boot/pxelinux.0 got\nascii\nput upload.cfg\nget missing\nquit\n'
record odd-port.pcap 6969 'binary\nget boot/pxelinux.0 got\nquit\n'
