// Package builtin is the list of everything that ships: one line for each
// protocol and each detector.
package builtin

import (
	"slices"

	"github.com/yamori-net/yamori/internal/detect"
	"github.com/yamori-net/yamori/internal/detect/mining"
	"github.com/yamori-net/yamori/internal/event"
	"github.com/yamori-net/yamori/internal/proto"
	"github.com/yamori-net/yamori/internal/proto/dns"
	"github.com/yamori-net/yamori/internal/proto/dtls"
	"github.com/yamori-net/yamori/internal/proto/ftp"
	"github.com/yamori-net/yamori/internal/proto/http"
	"github.com/yamori-net/yamori/internal/proto/llmnr"
	"github.com/yamori-net/yamori/internal/proto/mdns"
	"github.com/yamori-net/yamori/internal/proto/nbns"
	"github.com/yamori-net/yamori/internal/proto/quic"
	"github.com/yamori-net/yamori/internal/proto/rtsp"
	"github.com/yamori-net/yamori/internal/proto/sip"
	"github.com/yamori-net/yamori/internal/proto/smb"
	"github.com/yamori-net/yamori/internal/proto/smtp"
	"github.com/yamori-net/yamori/internal/proto/socks"
	"github.com/yamori-net/yamori/internal/proto/ssdp"
	"github.com/yamori-net/yamori/internal/proto/ssh"
	"github.com/yamori-net/yamori/internal/proto/stratum"
	"github.com/yamori-net/yamori/internal/proto/telnet"
	"github.com/yamori-net/yamori/internal/proto/tls"
	"github.com/yamori-net/yamori/internal/proto/websocket"
)

// Protocols lists the application protocols. Where two could claim the same
// first bytes, the earlier one is asked first.
func Protocols() []proto.Protocol {
	return []proto.Protocol{
		tls.Protocol,
		http.Protocol,
		websocket.Protocol,
		socks.Protocol,
		ssh.Protocol,
		smb.Protocol,
		telnet.Protocol,
		ftp.Protocol,
		smtp.Protocol,
		rtsp.Protocol,
		sip.Protocol,
		dns.Protocol,
		mdns.Protocol,
		llmnr.Protocol,
		nbns.Protocol,
		ssdp.Protocol,
		quic.Protocol,
		dtls.Protocol,
		stratum.Protocol,
	}
}

// Detectors lists the inline detectors.
func Detectors() []detect.Detector {
	return []detect.Detector{
		mining.Detector}
}

// EventTypes lists the EVE event types that can be asked for, besides alert
// and flow.
func EventTypes() []event.Type {
	out := []event.Type{event.Anomaly}
	for _, p := range Protocols() {
		if p.Event != "" && !slices.Contains(out, p.Event) {
			out = append(out, p.Event)
		}
	}
	return out
}
