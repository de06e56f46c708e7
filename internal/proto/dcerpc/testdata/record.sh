#!/bin/sh
# Records the captures of this folder: Samba's RPC services over TCP and its
# clients, alone in a network namespace. Needs root, samba, smbclient,
# python3-samba, tcpdump, editcap and tshark. The account is made for the recording and removed.
set -eu
[ "${1-}" = inside ] || exec unshare --net --uts --mount -- "$0" inside
here=$(cd "$(dirname "$0")" && pwd)
tmp=$(mktemp -d)
chmod 755 "$tmp"
trap 'kill $pids 2>/dev/null || true; userdel -r labuser 2>/dev/null || true; rm -rf "$tmp"' EXIT
pids=
hostname lab
ip link set lo up
useradd -m -s /bin/sh labuser
mkdir -p "$tmp/state" "$tmp/run"
cat >"$tmp/conf" <<END
[global]
netbios name = LABNAS
workgroup = LAB
rpc start on demand helpers = false
bind interfaces only = yes
interfaces = lo
private dir = $tmp/state
lock directory = $tmp/state
state directory = $tmp/state
cache directory = $tmp/state
pid directory = $tmp/run
ncalrpc dir = $tmp/state/ncalrpc
log file = $tmp/log
log level = 1
disable spoolss = yes
load printers = no
END
printf 'labpass\nlabpass\n' | smbpasswd -c "$tmp/conf" -a -s labuser >/dev/null
setsid smbd -F --no-process-group -s "$tmp/conf" & pids="$pids $!"
sleep 1
setsid /usr/libexec/samba/samba-dcerpcd -F --no-process-group -s "$tmp/conf" --libexec-rpcds & pids="$pids $!"
sleep 4
record() { # file, then the client's command
	out=$1
	shift
	tcpdump -q -U -i lo -w "$tmp/cap" tcp 2>/dev/null & cap=$!
	pids="$pids $cap"
	sleep 1
	timeout 15 "$@" || true
	sleep 1
	kill "$cap"
	wait "$cap" 2>/dev/null || true
	editcap -F pcap "$tmp/cap" "$here/$out"
}
cat >"$tmp/long.py" <<END
import sys
from samba.param import LoadParm
from samba.credentials import Credentials
from samba.dcerpc import srvsvc
lp = LoadParm()
lp.load("$tmp/conf")
creds = Credentials()
creds.guess(lp)
creds.set_username("labuser")
creds.set_password("labpass")
server = srvsvc.srvsvc(sys.argv[1], lp, creds)
try:
    server.NetPathType("lab", "a" * int(sys.argv[2]), 0)
except Exception as e:
    print(e)
END
record plain.pcap rpcclient -s "$tmp/conf" -U labuser%labpass ncacn_ip_tcp:127.0.0.1 -c srvinfo
record signed.pcap rpcclient -s "$tmp/conf" -U labuser%labpass 'ncacn_ip_tcp:127.0.0.1[sign]' -c lsaquery
record big-endian.pcap /usr/bin/python3 "$tmp/long.py" 'ncacn_ip_tcp:127.0.0.1[bigendian]' 40
record fragments.pcap /usr/bin/python3 "$tmp/long.py" 'ncacn_ip_tcp:127.0.0.1' 5000
# One of the fragments is lost.
n=$(tshark -r "$here/fragments.pcap" -Y 'dcerpc.pkt_type == 0 && dcerpc.opnum == 30' -T fields -e frame.number 2>/dev/null | head -1)
editcap -F pcap "$here/fragments.pcap" "$here/gap.pcap" "$n"
