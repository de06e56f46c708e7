#!/bin/sh
# Records the captures of this folder: Samba's server and client, alone in a
# network namespace. Needs root, samba, smbclient, tcpdump, editcap and tshark. The
# account is made for the recording and removed.
set -eu
[ "${1-}" = inside ] || exec unshare --net --uts -- "$0" inside
here=$(cd "$(dirname "$0")" && pwd)
tmp=$(mktemp -d)
chmod 755 "$tmp"
trap 'kill $pids 2>/dev/null || true; userdel -r labuser 2>/dev/null || true; rm -rf "$tmp"' EXIT
pids=
hostname lab
ip link set lo up
useradd -m -s /bin/sh labuser
mkdir -p "$tmp/share" "$tmp/state"
chmod 777 "$tmp/share"
head -c 3000 /dev/zero | tr '\0' z >"$tmp/local"
cat >"$tmp/conf" <<END
[global]
netbios name = LABNAS
workgroup = LAB
server min protocol = NT1
server max protocol = SMB3_11
client min protocol = NT1
ntlm auth = yes
smb encrypt = auto
bind interfaces only = yes
interfaces = lo
private dir = $tmp/state
lock directory = $tmp/state
state directory = $tmp/state
cache directory = $tmp/state
pid directory = $tmp/state
ncalrpc dir = $tmp/state/ncalrpc
log file = $tmp/log
disable spoolss = yes
load printers = no
[pub]
path = $tmp/share
read only = no
END
printf 'labpass\nlabpass\n' | smbpasswd -c "$tmp/conf" -a -s labuser >/dev/null
setsid smbd -F --no-process-group -s "$tmp/conf" & pids="$pids $!"
sleep 3
record() { # file port options…
	out=$1 port=$2
	shift 2
	tcpdump -q -U -i lo -w "$tmp/cap" tcp port "$port" 2>/dev/null & cap=$!
	pids="$pids $cap"
	sleep 1
	(cd "$tmp" && timeout 15 smbclient -s "$tmp/conf" -p "$port" "$@" >/dev/null 2>&1) || true
	sleep 1
	kill "$cap"
	wait "$cap" 2>/dev/null || true
	editcap -F pcap "$tmp/cap" "$here/$out"
}
work='put local a.txt; get a.txt b; rename a.txt a.locked; del a.locked'
record smb1.pcap 445 //127.0.0.1/pub -U labuser%labpass -m NT1 -c "$work"
record smb1-netbios.pcap 139 //127.0.0.1/pub -U labuser%labpass -m NT1 -c 'ls'
record smb2.pcap 445 //127.0.0.1/pub -U labuser%labpass --option='client max protocol=SMB2_10' -c "$work"
record smb3-encrypted.pcap 445 //127.0.0.1/pub -U labuser%labpass --client-protection=encrypt -c 'ls'
record refused.pcap 445 //127.0.0.1/pub -U labuser%wrong -c 'ls'
record pipe.pcap 445 -L 127.0.0.1 -U labuser%labpass --option='client max protocol=SMB2_10'
# The request that writes is lost.
n=$(tshark -r "$here/smb2.pcap" -Y 'smb2.cmd == 9 && smb2.flags.response == 0' -T fields -e frame.number 2>/dev/null | head -1)
editcap -F pcap "$here/smb2.pcap" "$here/gap.pcap" "$n"
