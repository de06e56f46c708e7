#!/bin/sh
# Records the captures of this folder: TigerVNC's server and viewer, alone in a
# network namespace. Needs root, tigervnc-standalone-server, tigervnc-viewer,
# tigervnc-tools, tcpdump and editcap. Of the picture the first packets stay.
set -eu
[ "${1-}" = inside ] || exec unshare --net -- "$0" inside
here=$(cd "$(dirname "$0")" && pwd)
tmp=$(mktemp -d)
pids=
trap 'kill $pids 2>/dev/null || true; rm -rf "$tmp"' EXIT
ip addr add 10.77.0.1/32 dev lo
ip link set lo up
echo labpass | vncpasswd -f >"$tmp/passwd"
echo wrongpw | vncpasswd -f >"$tmp/wrong"
Xtigervnc :71 -geometry 640x480 -depth 24 -desktop 'lab desktop' -rfbport 5971 -SecurityTypes None >/dev/null 2>&1 & pids="$pids $!"
Xtigervnc :72 -geometry 640x480 -depth 24 -desktop 'lab desktop' -rfbport 5972 -SecurityTypes VncAuth -PasswordFile "$tmp/passwd" >/dev/null 2>&1 & pids="$pids $!"
Xtigervnc :73 -geometry 800x600 -SecurityTypes None -rfbport 5973 >/dev/null 2>&1 & pids="$pids $!" # where the viewer shows
sleep 3
record() { # file, port, viewer's options
	out=$1 port=$2
	shift 2
	tcpdump -q -U -i lo -w "$tmp/cap" tcp port "$port" 2>/dev/null & cap=$!
	pids="$pids $cap"
	sleep 1
	DISPLAY=:73 timeout 3 xtigervncviewer -AlertOnFatalError=0 "$@" "10.77.0.1::$port" >/dev/null 2>&1 || true
	sleep 1
	kill "$cap"
	wait "$cap" 2>/dev/null || true
	editcap -F pcap -r "$tmp/cap" "$here/$out" 1-30
}
record none.pcap 5971 -SecurityTypes None
record password.pcap 5972 -SecurityTypes VncAuth -PasswordFile "$tmp/passwd"
record wrong.pcap 5972 -SecurityTypes VncAuth -PasswordFile "$tmp/wrong"
