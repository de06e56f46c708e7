#!/bin/sh
# Records one run of a plan: record.sh OUT.pcap ROWS SEED DURATION [SET]. Makes two
# network namespaces joined by one cable, puts the plan's addresses on them,
# and takes everything down again. Nothing leaves the namespaces. Needs root,
# tcpdump and stunnel, and for the sets with tunnels OpenSSH. NICE is the priority
# (10): where others keep the machine busy, -10 keeps the times true. ONLY=miners (or
# services) records those rows of the plan alone.
set -eu
out=$1 rows=$2 seed=$3 dur=$4 set=${5:-all}
dir=$(mktemp -d)
home=lab-home-$$ net=lab-net-$$
here=$(cd "$(dirname "$0")" && pwd)
(cd "$here" && go build -o "$dir/minelab" .)
pids=""
cleanup() {
	for p in $pids; do kill "$p" 2>/dev/null || true; done
	ip netns del "$home" 2>/dev/null || true
	ip netns del "$net" 2>/dev/null || true
	rm -rf "$dir"
}
trap cleanup EXIT INT TERM
"$dir/minelab" plan -rows "$rows" -seed "$seed" -set "$set" -only "${ONLY:-}" >"$dir/plan.tsv"
cp "$dir/plan.tsv" "$out.tsv"
ip netns add "$home"
ip netns add "$net"
ip link add lh netns "$home" mtu 1500 type veth peer name ln netns "$net"
ip -n "$home" link set lo up
ip -n "$net" link set lo up
ip -n "$home" link set lh up
ip -n "$net" link set ln up
awk -F'\t' 'NR > 1 { print "addr add " $6 "/16 dev lh" }' "$dir/plan.tsv" | ip -n "$home" -batch -
awk -F'\t' 'NR > 1 { split($7, a, ":"); print "addr add " a[1] "/15 dev ln" }' "$dir/plan.tsv" | ip -n "$net" -batch -
ip -n "$home" route add 198.18.0.0/15 dev lh
ip -n "$net" route add 192.168.0.0/16 dev ln
# Neighbours that stay: the kernel's table is one for all namespaces, and has room for
# a thousand that it had to ask for.
there=$(ip -n "$net" -br link show ln | awk '{ print $3 }') back=$(ip -n "$home" -br link show lh | awk '{ print $3 }')
awk -F'\t' -v m="$there" 'NR > 1 { split($7, a, ":"); print "neigh add " a[1] " lladdr " m " dev lh nud permanent" }' "$dir/plan.tsv" | ip -n "$home" -batch -
awk -F'\t' -v m="$back" 'NR > 1 { print "neigh add " $6 " lladdr " m " dev ln nud permanent" }' "$dir/plan.tsv" | ip -n "$net" -batch -
for x in "$home lh" "$net ln"; do # whole segments, not what an offloading card would show
	set -- $x
	ip netns exec "$1" ethtool -K "$2" tso off gso off gro off >/dev/null 2>&1 || true
done
ip netns exec "$home" tcpdump -q -i lh -s 0 -B 8192 -w "$out" "tcp or udp" 2>/dev/null &
pids="$pids $!"
ip netns exec "$net" nice -n ${NICE:-10} "$dir/minelab" serve -plan "$dir/plan.tsv" -for "$dur" &
pids="$pids $!"
"$dir/minelab" stunnel -plan "$dir/plan.tsv" >"$dir/stunnel.conf"
ip netns exec "$home" nice -n ${NICE:-10} stunnel "$dir/stunnel.conf" >/dev/null 2>&1 &
pids="$pids $!"
"$dir/minelab" tunnels -plan "$dir/plan.tsv" -stack ssh >"$dir/ssh.txt"
if [ -s "$dir/ssh.txt" ]; then # one daemon with a key of its own; a client for each row
	ssh-keygen -q -t ed25519 -N '' -f "$dir/host"
	ssh-keygen -q -t ed25519 -N '' -f "$dir/key"
	cp "$dir/key.pub" "$dir/authorized"
	mkdir -p /run/sshd
	cat >"$dir/sshd.conf" <<-END
		ListenAddress 0.0.0.0:22
		HostKey $dir/host
		AuthorizedKeysFile $dir/authorized
		StrictModes no
		UsePAM no
		PermitRootLogin yes
		MaxStartups 2000
		PidFile none
		LogLevel QUIET
	END
	ip netns exec "$net" nice -n ${NICE:-10} /usr/sbin/sshd -D -f "$dir/sshd.conf" &
	pids="$pids $!"
	sleep 1
	while read -r from own server there alive cipher; do
		ip netns exec "$home" nice -n ${NICE:-10} ssh -F none -N -i "$dir/key" -b "$own" -L "$from:$there" -c "$cipher" -o ServerAliveInterval="$alive" \
			-o IdentitiesOnly=yes -o StrictHostKeyChecking=no -o UserKnownHostsFile=/dev/null -o ExitOnForwardFailure=yes -o ConnectionAttempts=20 "root@${server%:*}" </dev/null 2>>"$out.ssh" &
		pids="$pids $!"
		sleep .1
	done <"$dir/ssh.txt"
fi
"$dir/minelab" tunnels -plan "$dir/plan.tsv" -stack quic >"$dir/quic.txt"
if [ -s "$dir/quic.txt" ]; then
	(cd "$here/testdata/quicpipe" && go build -o "$dir/quicpipe" .)
	for side in server client; do
		ns=$home
		[ $side = client ] || ns=$net
		ip netns exec "$ns" nice -n ${NICE:-10} "$dir/quicpipe" $side <"$dir/quic.txt" >/dev/null 2>&1 &
		pids="$pids $!"
		sleep 1
	done
fi
sleep 2
ip netns exec "$home" nice -n ${NICE:-10} "$dir/minelab" dial -plan "$dir/plan.tsv" -for "$dur"
