#!/bin/sh
# Records the captures of this folder and of ../../pop3/testdata: Dovecot with
# curl and Python's clients, alone in a network namespace. Needs root, dovecot-imapd, dovecot-pop3d,
# curl, python3, openssl, tcpdump and editcap.
set -eu
[ "${1-}" = inside ] || exec unshare --net --uts -- "$0" inside
here=$(cd "$(dirname "$0")" && pwd)
pop3=$(cd "$here/../../pop3/testdata" && pwd)
tmp=$(mktemp -d)
chmod 755 "$tmp"
trap 'kill $pids 2>/dev/null || true; rm -rf "$tmp"' EXIT
pids=
hostname lab
ip link set lo up
openssl req -x509 -newkey rsa:2048 -nodes -days 30 -subj /CN=mail.lab.example -keyout "$tmp/key" -out "$tmp/cert" 2>/dev/null
mkdir -p "$tmp/mail/cur" "$tmp/mail/new" "$tmp/mail/tmp" "$tmp/run"
printf 'From: a@lab.example\nSubject: hello\n\nbody\n' >"$tmp/mail/new/1.lab"
chown -R nobody "$tmp/mail"
echo "labuser:{PLAIN}labpass" >"$tmp/users"
cat >"$tmp/conf" <<END
base_dir = $tmp/run
log_path = $tmp/log
protocols = imap pop3
listen = 127.0.0.1
ssl = yes
ssl_cert = <$tmp/cert
ssl_key = <$tmp/key
disable_plaintext_auth = no
auth_mechanisms = plain
mail_location = maildir:$tmp/mail
first_valid_uid = 1
passdb {
  driver = passwd-file
  args = $tmp/users
}
userdb {
  driver = static
  args = uid=nobody gid=nogroup home=$tmp/mail
}
END
dovecot -F -c "$tmp/conf" & pids="$pids $!"
sleep 4
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
	editcap -F pcap "$tmp/cap" "$out"
}
record "$here/fetch.pcap" 143 python3 -c '
import imaplib
m = imaplib.IMAP4("127.0.0.1")
m.login("labuser", "labpass")
m.select("INBOX")
m.fetch("1", "(RFC822)")
m.logout()'
record "$here/refused.pcap" 143 curl -s --login-options AUTH=PLAIN -u labuser:wrong imap://127.0.0.1/
record "$here/starttls.pcap" 143 curl -s -k --ssl-reqd -u labuser:labpass imap://127.0.0.1/
record "$pop3/fetch.pcap" 110 python3 -c '
import poplib
m = poplib.POP3("127.0.0.1")
m.user("labuser")
m.pass_("labpass")
m.list()
m.retr(1)
m.quit()'
record "$pop3/refused.pcap" 110 curl -s --login-options AUTH=PLAIN -u labuser:wrong pop3://127.0.0.1/
record "$pop3/stls.pcap" 110 curl -s -k --ssl-reqd -u labuser:labpass pop3://127.0.0.1/
