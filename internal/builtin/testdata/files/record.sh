#!/bin/sh
# Records the captures of this folder, files carried by each protocol: Python's
# http.server and curl, aiosmtpd and swaks, vsftpd and curl, alone in a network
# namespace. Needs root, python3, python3-aiosmtpd, swaks, vsftpd, curl, tcpdump
# and editcap.
set -eu
[ "${1-}" = inside ] || exec unshare --net --uts -- "$0" inside
here=$(cd "$(dirname "$0")" && pwd)
tmp=$(mktemp -d)
chmod 755 "$tmp"
trap 'kill $pids 2>/dev/null || true; rm -rf "$tmp"' EXIT
pids=
hostname lab
ip link set lo up mtu 1500
mkdir -p "$tmp/ftp" /var/run/vsftpd/empty
# The same three files everywhere: text, an image's first bytes, a program's.
seq 1 1500 >"$tmp/ftp/numbers.txt"
printf '\211PNG\r\n\032\n0123456789' >"$tmp/ftp/dot.png"
{ printf 'MZ'; head -c 700 /dev/zero; } >"$tmp/ftp/setup.exe"
cat >"$tmp/web.py" <<'END'
import gzip, http.server, sys
root = sys.argv[1]
class H(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    def answer(self, body, *fields):
        self.send_response(200)
        for k, v in fields: self.send_header(k, v)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)
    def do_GET(self):
        name = self.path.split("?")[0].split("/")[-1]
        body = open(root + "/" + name, "rb").read()
        if "gzip" in self.path: self.answer(gzip.compress(body), ("Content-Encoding", "gzip"))
        elif "named" in self.path: self.answer(body, ("Content-Disposition", 'attachment; filename="other name.exe"'))
        else: self.answer(body)
    def do_POST(self):
        self.rfile.read(int(self.headers["Content-Length"]))
        self.answer(b"thanks")
http.server.HTTPServer(("127.0.0.1", 80), H).serve_forever()
END
cat >"$tmp/conf" <<END
listen=YES
listen_port=21
background=NO
anonymous_enable=YES
anon_root=$tmp/ftp
no_anon_password=YES
seccomp_sandbox=NO
secure_chroot_dir=/var/run/vsftpd/empty
END
python3 "$tmp/web.py" "$tmp/ftp" 2>/dev/null & pids="$pids $!"
vsftpd "$tmp/conf" & pids="$pids $!"
aiosmtpd -n -c aiosmtpd.handlers.Sink -l 127.0.0.1:25 & pids="$pids $!"
sleep 2
record() { # file command…
	out=$1
	shift
	tcpdump -q -U -i lo -w "$tmp/cap" tcp 2>/dev/null & cap=$!
	pids="$pids $cap"
	sleep 1
	"$@" >/dev/null 2>&1 || true
	sleep 1
	kill "$cap"
	wait "$cap" 2>/dev/null || true
	editcap -F pcap "$tmp/cap" "$here/$out"
}
web() {
	curl -s http://127.0.0.1/a%20b/numbers.txt 'http://127.0.0.1/gzip/numbers.txt?x=1' http://127.0.0.1/named/setup.exe
	curl -s -F note=hello -F "f=@$tmp/ftp/dot.png" -F "g=@$tmp/ftp/setup.exe" http://127.0.0.1/upload
}
record http.pcap web
record smtp.pcap swaks --server 127.0.0.1 --helo pc.lab.example --from a@lab.example --to b@lab.example --header 'Subject: files' --body 'two files' \
	--attach-type image/png --attach-name dot.png --attach "@$tmp/ftp/dot.png" --attach-name setup.exe --attach "@$tmp/ftp/setup.exe"
ftp() {
	curl -s ftp://127.0.0.1/numbers.txt
	curl -s -P - --disable-eprt ftp://127.0.0.1/setup.exe
}
record ftp.pcap ftp
