package clues

import (
	"bytes"

	"github.com/yamori-net/yamori/internal/device"
	"github.com/yamori-net/yamori/internal/packet"
	"github.com/yamori-net/yamori/internal/proto/dns"
	"github.com/yamori-net/yamori/internal/proto/mdns"
)

// mdns reads a message of multicast DNS: which services a device offers, under
// which names, and what their TXT records say. A probe (RFC 6762 section 8.1)
// has the records in its authority section.
func (x *Extractor) mdns(w who, m mdns.Message) {
	if !x.inside(w.ip) {
		return
	}
	if !m.Response() {
		for i := range m.Len(dns.Questions) {
			if q := m.Record(dns.Questions, i); q.Type == dns.TypePTR {
				x.look(w, m.Name(q))
			}
		}
	}
	for s := dns.Answers; s <= dns.Additionals; s++ {
		if s == dns.Answers && !m.Response() {
			continue // known answers of a question: other devices' (RFC 6762 section 7.1)
		}
		for i := range m.Len(s) {
			x.record(w, m, m.Record(s, i))
		}
	}
}

// look notes a service that is searched for.
func (x *Extractor) look(w who, name []byte) {
	if service, ok := bytes.CutSuffix(name, []byte(".local")); ok && len(service) > 0 && service[0] == '_' && len(service) < 64 &&
		!bytes.HasPrefix(service, []byte("_services._dns-sd")) {
		x.tell(w, device.MDNS, "look", x.lower(service))
	}
}

func (x *Extractor) record(w who, m mdns.Message, r *dns.Record) {
	name := m.Name(r)
	switch r.Type {
	case dns.TypeA, dns.TypeAAAA:
		// Only the record of the address that it was sent from is about the
		// sender: proxies answer for others.
		if a, ok := m.Addr(r); ok && (a == w.ip || r.Type == dns.TypeAAAA && linkLocal(a) && w.ip.Is4()) {
			x.host(w, name)
		}
	case dns.TypePTR:
		if bytes.HasSuffix(name, []byte(".arpa")) {
			x.host(w, m.Target(r))
			return
		}
		x.service(w, name, m.Target(r))
	case dns.TypeSRV:
		x.instance(w, name)
		x.host(w, m.Target(r))
	case dns.TypeTXT:
		if !shared(name) {
			x.instance(w, name)
			x.txt(w, m, r, name)
		}
	}
}

// shared reports whether an instance is a printer that a computer lets others
// use: CUPS, also that of macOS, calls it "printer @ computer".
func shared(instance []byte) bool {
	label, _, _ := bytes.Cut(instance, []byte("._"))
	return bytes.Contains(label, []byte(" @ "))
}

func linkLocal(a packet.Addr) bool { return a[0] == 0xfe && a[1]&0xc0 == 0x80 }

func (x *Extractor) host(w who, name []byte) {
	if h, ok := bytes.CutSuffix(name, []byte(".local")); ok && len(h) > 0 && bytes.IndexByte(h, '.') < 0 {
		x.tell(w, device.MDNS, "host", h)
	}
}

// service reads a pointer of _ipp._tcp.local to an instance of it, or one of
// _services._dns-sd._udp.local to a service.
func (x *Extractor) service(w who, name, target []byte) {
	if bytes.HasPrefix(name, []byte("_services._dns-sd.")) {
		if !bytes.HasPrefix(target, []byte("_ipp")) && !bytes.HasPrefix(target, []byte("_printer.")) { // a computer may share one: instances tell
			x.offer(w, target)
		}
		return
	}
	if shared(target) {
		return
	}
	if i := bytes.Index(name, []byte("._sub.")); i >= 0 {
		name = name[i+len("._sub."):]
	}
	x.offer(w, name)
	x.instance(w, target)
}

func (x *Extractor) offer(w who, name []byte) {
	if s, ok := bytes.CutSuffix(name, []byte(".local")); ok && len(s) > 0 && s[0] == '_' && len(s) < 64 {
		x.tell(w, device.MDNS, "service", x.lower(s))
	}
}

// instance splits "Hall._ipp._tcp.local".
func (x *Extractor) instance(w who, name []byte) {
	i := bytes.Index(name, []byte("._"))
	if i <= 0 || shared(name) {
		return
	}
	x.offer(w, name[i+1:])
	label := name[:i]
	if at := bytes.IndexByte(label, '@'); at >= 0 && bytes.Contains(name[i:], []byte("_raop.")) {
		label = label[at+1:] // AirTunnes: the address before the name
	}
	x.tell(w, device.MDNS, "instance", label)
}

// txtKeys are the keys of TXT records that say what a device is (RFC 6763
// section 6; Apple's Bonjour Printing Specification 1.2; Google Cast; HomeKit
// Accessory Protocol R2, table 6-7; AirPlay).
var txtKeys = [...]struct{ key, clue string }{
	{"md", "model"}, {"model", "model"}, {"am", "model"}, {"ty", "model"}, {"product", "model"}, {"usb_mdl", "model"}, {"mdl", "model"},
	{"rpmd", "model"}, {"modelname", "model"}, {"usb_mfg", "maker"}, {"manufacturer", "maker"}, {"vendor", "maker"}, {"mfg", "maker"},
	{"fn", "name"}, {"ci", "category"},
	{"deviceid", "id"}, {"id", "id"}, {"uuid", "id"}, {"mac", "id"},
}

func (x *Extractor) txt(w who, m mdns.Message, r *dns.Record, name []byte) {
	cast := bytes.Contains(name, []byte("_googlecast."))
	hap := bytes.Contains(name, []byte("_hap."))
	for _, k := range txtKeys {
		switch k.key {
		case "ci":
			if !hap {
				continue
			}
		case "id":
			if !cast && !hap {
				continue
			}
		case "fn":
			if !cast {
				continue
			}
		}
		v, ok := m.Value(r, k.key)
		if !ok || len(v) == 0 {
			continue
		}
		if k.key == "product" {
			v = bytes.Trim(v, "()")
		}
		x.tell(w, device.MDNS, k.clue, v)
	}
}
