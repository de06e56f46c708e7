// Package builtin is the list of everything that ships: one line for each
// protocol and each detector.
package builtin

import (
	"slices"

	"github.com/yamori-net/yamori/internal/detect"
	"github.com/yamori-net/yamori/internal/detect/mining"
	"github.com/yamori-net/yamori/internal/device"
	"github.com/yamori-net/yamori/internal/event"
	"github.com/yamori-net/yamori/internal/proto"
	"github.com/yamori-net/yamori/internal/proto/bitcoin"
	"github.com/yamori-net/yamori/internal/proto/bittorrent"
	"github.com/yamori-net/yamori/internal/proto/dcerpc"
	"github.com/yamori-net/yamori/internal/proto/dhcp"
	"github.com/yamori-net/yamori/internal/proto/dhcpv6"
	"github.com/yamori-net/yamori/internal/proto/dns"
	"github.com/yamori-net/yamori/internal/proto/dtls"
	"github.com/yamori-net/yamori/internal/proto/duinocoin"
	"github.com/yamori-net/yamori/internal/proto/ftp"
	"github.com/yamori-net/yamori/internal/proto/http"
	"github.com/yamori-net/yamori/internal/proto/http2"
	"github.com/yamori-net/yamori/internal/proto/ike"
	"github.com/yamori-net/yamori/internal/proto/imap"
	"github.com/yamori-net/yamori/internal/proto/krb5"
	"github.com/yamori-net/yamori/internal/proto/ldap"
	"github.com/yamori-net/yamori/internal/proto/levin"
	"github.com/yamori-net/yamori/internal/proto/llmnr"
	"github.com/yamori-net/yamori/internal/proto/mdns"
	"github.com/yamori-net/yamori/internal/proto/mqtt"
	"github.com/yamori-net/yamori/internal/proto/nbns"
	"github.com/yamori-net/yamori/internal/proto/ntp"
	"github.com/yamori-net/yamori/internal/proto/openvpn"
	"github.com/yamori-net/yamori/internal/proto/p2pool"
	"github.com/yamori-net/yamori/internal/proto/pop3"
	"github.com/yamori-net/yamori/internal/proto/quic"
	"github.com/yamori-net/yamori/internal/proto/rdp"
	"github.com/yamori-net/yamori/internal/proto/rfb"
	"github.com/yamori-net/yamori/internal/proto/rtsp"
	"github.com/yamori-net/yamori/internal/proto/sip"
	"github.com/yamori-net/yamori/internal/proto/smb"
	"github.com/yamori-net/yamori/internal/proto/smtp"
	"github.com/yamori-net/yamori/internal/proto/snmp"
	"github.com/yamori-net/yamori/internal/proto/socks"
	"github.com/yamori-net/yamori/internal/proto/ssdp"
	"github.com/yamori-net/yamori/internal/proto/ssh"
	"github.com/yamori-net/yamori/internal/proto/stratum"
	"github.com/yamori-net/yamori/internal/proto/stratumv2"
	"github.com/yamori-net/yamori/internal/proto/stun"
	"github.com/yamori-net/yamori/internal/proto/telnet"
	"github.com/yamori-net/yamori/internal/proto/tftp"
	"github.com/yamori-net/yamori/internal/proto/tls"
	"github.com/yamori-net/yamori/internal/proto/websocket"
	"github.com/yamori-net/yamori/internal/proto/wireguard"
)

// Protocols lists the application protocols. Where two could claim the same
// first bytes, the earlier one is asked first.
func Protocols() []proto.Protocol {
	return []proto.Protocol{
		tls.Protocol,
		http.Protocol,
		http2.Protocol,
		websocket.Protocol,
		socks.Protocol,
		ssh.Protocol,
		smb.Protocol,
		dcerpc.Protocol,
		telnet.Protocol,
		rdp.Protocol,
		rfb.Protocol,
		ftp.Protocol,
		ftp.DataProtocol,
		smtp.Protocol,
		imap.Protocol,
		pop3.Protocol,
		krb5.Protocol,
		ldap.Protocol,
		rtsp.Protocol,
		sip.Protocol,
		dns.Protocol,
		mdns.Protocol,
		llmnr.Protocol,
		nbns.Protocol,
		nbns.DatagramProtocol,
		dhcp.Protocol,
		dhcpv6.Protocol,
		ssdp.Protocol,
		ntp.Protocol,
		snmp.Protocol,
		stun.Protocol,
		quic.Protocol,
		dtls.Protocol,
		ike.Protocol,
		tftp.Protocol,
		mqtt.Protocol,
		bittorrent.Protocol,
		wireguard.Protocol,
		openvpn.Protocol,
		stratum.Protocol,
		duinocoin.Protocol,
		stratumv2.Protocol,
		p2pool.Protocol,
		bitcoin.Protocol,
		levin.Protocol,
	}
}

// Detectors lists the inline detectors.
func Detectors() []detect.Detector {
	return slices.Concat(
		mining.Detectors(),
	)
}

// EventTypes lists the EVE event types that can be asked for, besides alert
// and flow.
func EventTypes() []event.Type {
	out := []event.Type{event.Stats, event.Drop, event.Anomaly, device.EventType, event.FileInfo, event.MiningProgress}
	for _, p := range Protocols() {
		if p.Event != "" && !slices.Contains(out, p.Event) {
			out = append(out, p.Event)
		}
	}
	return out
}
