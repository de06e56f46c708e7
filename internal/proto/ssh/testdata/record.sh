#!/bin/sh
# Records the captures of this folder: a real OpenSSH server and client, alone
# in a network namespace. Needs root, openssh-server, openssh-client, tcpdump,
# editcap and tshark.
set -eu
[ "${1-}" = inside ] || exec unshare --net --uts -- "$0" inside
here=$(cd "$(dirname "$0")" && pwd)
tmp=$(mktemp -d)
trap 'kill $pids 2>/dev/null || true; rm -rf "$tmp"' EXIT
pids=
hostname lab
ip link set lo up
mkdir -p /run/sshd
ssh-keygen -q -t ed25519 -N '' -f "$tmp/host"
ssh-keygen -q -t ed25519 -N '' -f "$tmp/user"
cp "$tmp/user.pub" "$tmp/authorized"
cat >"$tmp/conf" <<END
HostKey $tmp/host
AuthorizedKeysFile $tmp/authorized
StrictModes no
UsePAM no
PermitRootLogin yes
VersionAddendum recorded
END
record() { # file port command…
	out=$1 port=$2
	shift 2
	/usr/sbin/sshd -D -e -f "$tmp/conf" -p "$port" 2>/dev/null & daemon=$!
	tcpdump -q -U -i lo -w "$tmp/cap" tcp port "$port" 2>/dev/null & cap=$!
	pids="$pids $daemon $cap"
	sleep 1
	"$@" >/dev/null 2>&1 || true
	sleep 1
	kill "$cap" "$daemon"
	wait "$cap" 2>/dev/null || true
	editcap -F pcap "$tmp/cap" "$here/$out"
}
ssh="ssh -F none -o StrictHostKeyChecking=no -o UserKnownHostsFile=/dev/null -i $tmp/user root@127.0.0.1"
record openssh.pcap 22 $ssh -p 22 true
# Another port, other algorithms, a password that is refused.
record odd-port.pcap 8443 $ssh -p 8443 -o Ciphers=aes256-ctr -o MACs=hmac-sha2-512 -o KexAlgorithms=ecdh-sha2-nistp256 -o Compression=yes -o PubkeyAuthentication=no -o BatchMode=yes true
# The server's list is lost: its packet is left out.
record gap.pcap 22 $ssh -p 22 true
cp "$here/gap.pcap" "$tmp/whole"
n=$(tshark -r "$tmp/whole" -Y 'ssh.message_code == 20 && tcp.srcport == 22' -T fields -e frame.number 2>/dev/null | head -1)
editcap -F pcap "$tmp/whole" "$here/gap.pcap" "$n"
