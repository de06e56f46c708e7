#!/bin/sh
# Records the captures of this folder: OpenLDAP's slapd and its clients, alone
# in a network namespace. Needs root, slapd, ldap-utils, openssl, tcpdump and
# editcap.
set -eu
[ "${1-}" = inside ] || exec unshare --net --mount --uts -- "$0" inside
here=$(cd "$(dirname "$0")" && pwd)
tmp=$(mktemp -d)
pids=
trap 'kill $pids 2>/dev/null || true; rm -rf "$tmp"' EXIT
hostname lab
ip addr add 10.77.0.1/32 dev lo
ip link set lo up
mkdir "$tmp/db"
openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 -subj /CN=10.77.0.1 -addext subjectAltName=IP:10.77.0.1 \
	-keyout "$tmp/key" -out "$tmp/cert" 2>/dev/null
cat >"$tmp/conf" <<END
include /etc/ldap/schema/core.schema
include /etc/ldap/schema/cosine.schema
include /etc/ldap/schema/inetorgperson.schema
modulepath /usr/lib/ldap
moduleload back_mdb
TLSCertificateFile $tmp/cert
TLSCertificateKeyFile $tmp/key
database mdb
suffix "dc=home,dc=example"
rootdn "cn=keeper,dc=home,dc=example"
rootpw only-for-this
directory $tmp/db
END
cat >"$tmp/tree" <<END
dn: dc=home,dc=example
objectClass: domain
dc: home

dn: cn=Robin,dc=home,dc=example
objectClass: inetOrgPerson
cn: Robin
sn: Robin
mail: robin@home.example
END
cat >"$tmp/change" <<END
dn: cn=Robin,dc=home,dc=example
changetype: modify
add: telephoneNumber
telephoneNumber: 42
-
replace: mail
mail: r@home.example
END
/usr/sbin/slapd -d 0 -f "$tmp/conf" -h "ldap://10.77.0.1:389 ldap://10.77.0.1:3890" & pids="$pids $!"
sleep 1
record() { # file, function
	tcpdump -q -U -i lo -w "$tmp/cap" 'port 389 or port 3890' 2>/dev/null & cap=$!
	pids="$pids $cap"
	sleep 1
	"$2"
	sleep 1
	kill "$cap"
	wait "$cap" 2>/dev/null || true
	editcap -F pcap "$tmp/cap" "$here/$1"
}
export LDAPTLS_CACERT="$tmp/cert"
url=ldap://10.77.0.1
me="-x -H $url -D cn=keeper,dc=home,dc=example -w only-for-this"
session() {
	ldapadd $me -f "$tmp/tree" >/dev/null
	ldapsearch -x -H $url -b dc=home,dc=example -l 5 '(mail=*)' cn mail >/dev/null
	ldapsearch -x -H $url -b dc=nowhere '*' + >/dev/null || true
	ldapmodify $me -f "$tmp/change" >/dev/null
	ldapcompare $me cn=Robin,dc=home,dc=example sn:Robin >/dev/null || true
	ldapwhoami $me >/dev/null
	ldapmodrdn $me -r cn=Robin,dc=home,dc=example cn=Bird
	ldapdelete $me cn=Bird,dc=home,dc=example
	ldapsearch -x -H $url -D cn=keeper,dc=home,dc=example -w wrong -b '' 2>/dev/null || true
}
record session.pcap session
starttls() { ldapsearch -x -H $url -ZZ -b dc=home,dc=example >/dev/null; }
record starttls.pcap starttls
oddport() { ldapsearch -x -H ldap://10.77.0.1:3890 -b dc=home,dc=example -E pr=1/noprompt dc >/dev/null; }
record oddport.pcap oddport
