#!/bin/sh
# Records the captures beside it, in a network namespace of its own: nothing
# leaves the machine. Needs root, ffmpeg, tcpdump, and Debian's python3-gi with
# gir1.2-gst-rtsp-server-1.0 and GStreamer's base and good plugins.
#   sh record.sh
set -eu
cd "$(dirname "$0")"
if [ "${1:-}" != inside ]; then
	exec unshare -n -p --fork --kill-child sh "$(basename "$0")" inside
fi
ip link set lo up mtu 1500
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
cat >"$tmp/server.py" <<'PY'
import gi
gi.require_version("Gst", "1.0")
gi.require_version("GstRtspServer", "1.0")
from gi.repository import GLib, Gst, GstRtspServer
Gst.init(None)

def server(port, protected):
    s = GstRtspServer.RTSPServer()
    s.set_address("127.0.0.1")
    s.set_service(str(port))
    f = GstRtspServer.RTSPMediaFactory()
    f.set_launch("( audiotestsrc is-live=true ! audio/x-raw,rate=8000,channels=1 ! mulawenc ! rtppcmupay name=pay0 )")
    if protected:
        a = GstRtspServer.RTSPAuth()
        a.set_supported_methods(2)  # GST_RTSP_AUTH_DIGEST
        t = GstRtspServer.RTSPToken()
        t.set_string("media.factory.role", "user")
        a.add_digest("joe", "secret", t)
        p = GstRtspServer.RTSPPermissions()
        p.add_permission_for_role("user", "media.factory.access", True)
        p.add_permission_for_role("user", "media.factory.construct", True)
        f.set_permissions(p)
        s.set_auth(a)
    s.get_mount_points().add_factory("/cam", f)
    s.attach(None)
    return s

keep = [server(8554, False), server(7070, True)]
GLib.MainLoop().run()
PY
/usr/bin/python3 "$tmp/server.py" 2>"$tmp/err" &
sleep 3
record() {
	tcpdump -i lo -U -w "$1" "$2" 2>/dev/null & dump=$!
	sleep 1
	eval "$3" </dev/null >/dev/null 2>&1 || true
	sleep 1
	kill $dump
	wait $dump || true
}
record interleaved.pcap 'tcp port 8554' "timeout 10 ffmpeg -rtsp_transport tcp -i rtsp://127.0.0.1:8554/cam -t 0.5 -f null -"
record odd-port-auth.pcap 'tcp port 7070' "timeout 10 ffmpeg -rtsp_transport udp -i rtsp://joe:secret@127.0.0.1:7070/cam -t 0.5 -f null -
	timeout 10 ffmpeg -rtsp_transport udp -i rtsp://joe:wrong@127.0.0.1:7070/cam -t 0.5 -f null -"
cat "$tmp/err" >&2
