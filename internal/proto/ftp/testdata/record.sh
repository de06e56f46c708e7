#!/bin/sh
# Records the captures of this folder: vsftpd and curl, alone in a network
# namespace. Needs root, vsftpd, curl, openssl, tcpdump and editcap.
set -eu
[ "${1-}" = inside ] || exec unshare --net --uts -- "$0" inside
here=$(cd "$(dirname "$0")" && pwd)
tmp=$(mktemp -d)
trap 'kill $pids 2>/dev/null || true; userdel -r labuser 2>/dev/null || true; rm -rf "$tmp"' EXIT
pids=
hostname lab
ip link set lo up
useradd -m -s /bin/sh labuser
echo labuser:labpass | chpasswd
mkdir -p /var/run/vsftpd/empty
openssl req -x509 -newkey rsa:2048 -nodes -days 30 -subj /CN=ftp.lab.example -keyout "$tmp/key" -out "$tmp/cert" 2>/dev/null
cat >"$tmp/conf" <<END
listen=YES
listen_port=21
background=NO
local_enable=YES
write_enable=YES
ssl_enable=YES
force_local_logins_ssl=NO
force_local_data_ssl=NO
rsa_cert_file=$tmp/cert
rsa_private_key_file=$tmp/key
seccomp_sandbox=NO
secure_chroot_dir=/var/run/vsftpd/empty
END
vsftpd "$tmp/conf" & pids="$pids $!"
sleep 1
record() { # file command…
	out=$1
	shift
	tcpdump -q -U -i lo -w "$tmp/cap" tcp port 21 2>/dev/null & cap=$!
	pids="$pids $cap"
	sleep 1
	"$@" >/dev/null 2>&1 || true
	sleep 1
	kill "$cap"
	wait "$cap" 2>/dev/null || true
	editcap -F pcap "$tmp/cap" "$here/$out"
}
echo hello >"$tmp/file.txt"
record passive.pcap curl -s -u labuser:labpass -T "$tmp/file.txt" ftp://127.0.0.1/
record active.pcap curl -s -u labuser:labpass -P - --disable-eprt ftp://127.0.0.1/
record refused.pcap curl -s -u labuser:wrong ftp://127.0.0.1/
record auth-tls.pcap curl -s -k --ssl-reqd -u labuser:labpass ftp://127.0.0.1/
