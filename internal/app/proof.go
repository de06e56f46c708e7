package app

import (
	"net"
	"net/netip"

	"github.com/yamori-net/yamori/internal/event"
)

// proven reports whether the flow of a finding shows that the device itself went
// to the other end on purpose. One whose packets nobody answered may have a
// forged address; and a web page makes a browser send what it likes to any
// server over HTTP, so that this says nothing about the server.
func proven(ev *event.Event) bool {
	return ev.Answered && !ev.Midstream && !browsers(ev.AppProto) && !browsers(ev.AppProtoOrig)
}

// browsers reports whether pages choose what is said in a protocol.
func browsers(app string) bool {
	switch app {
	case "http", "http1", "http2", "http3", "websocket":
		return true
	}
	return false
}

// answers reports whether the server had a part in what was found: it gave what
// the miner's calls ask for, which no server does that a device merely accuses.
func answers(f *event.Finding) bool {
	for i := range f.Evidence {
		switch f.Evidence[i].Code {
		case "stratum.answer", "stratum.extranonce", "stratum.subscribed":
			return true
		}
	}
	return false
}

// carriers is where internet providers number their own, RFC 6598.
var carriers = netip.MustParsePrefix("100.64.0.0/10")

// near reports whether an address is none of the internet, such as that of a
// router before this one, or is this machine's, or one of the network that is
// watched: a neighbour's, or the gateway's.
func (r *reactor) near(a netip.Addr) bool {
	if !a.IsGlobalUnicast() || a.IsPrivate() || carriers.Contains(a) {
		return true
	}
	list, _ := net.InterfaceAddrs()
	for _, x := range list {
		if p, err := netip.ParsePrefix(x.String()); err == nil && p.Addr().Unmap() == a {
			return true
		}
	}
	ifc, err := net.InterfaceByName(r.w.iface)
	if err != nil {
		return false
	}
	list, _ = ifc.Addrs()
	for _, x := range list {
		if p, err := netip.ParsePrefix(x.String()); err == nil && p.Bits() > 0 && p.Contains(a) {
			return true
		}
	}
	return false
}

// needed reports whether a reaction is about a service by which hosts find
// names, time and addresses: whatever was found there, a device is not kept
// from its address.
func needed(x *reaction) bool {
	switch x.port {
	case 0, 53, 67, 68, 123, 547, 853:
		return true
	}
	return x.asked
}
