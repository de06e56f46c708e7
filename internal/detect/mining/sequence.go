package mining

import (
	"bytes"
	"strings"

	"github.com/yamori-net/yamori/internal/detect"
	"github.com/yamori-net/yamori/internal/event"
	"github.com/yamori-net/yamori/internal/flow"
	"github.com/yamori-net/yamori/internal/packet"
	"github.com/yamori-net/yamori/internal/proto"
	"github.com/yamori-net/yamori/internal/proto/dns"
	"github.com/yamori-net/yamori/internal/proto/quic"
	"github.com/yamori-net/yamori/internal/proto/tls"
	"github.com/yamori-net/yamori/internal/seq"
)

// Sequence makes the detector of mining in flows whose content cannot be
// read. The engine's workers share what it remembers of devices and names.
func Sequence() detect.Detector {
	m, err := ReadModel(strings.NewReader(modelText))
	if err != nil {
		panic(err) // the file is part of the program; a test reads it
	}
	return SequenceWith(m)
}

// SequenceWith is Sequence with another model.
func SequenceWith(m *Model) detect.Detector { return sequenceWith(m, newLedger()) }

func sequenceWith(m *Model, l *ledger) detect.Detector {
	mem, known := newMemory(), readPools(poolText)
	return detect.Detector{
		Name: "mining-sequence",
		Doc:  "cryptocurrency mining inside TLS, QUIC and SSH, by the sizes, order and times of messages",
		New:  func() detect.Inline { return &sequence{model: m, mem: mem, ledger: l, pools: known} },
	}
}

// What is known of a flow from its start, in Tracker.Tag.
const (
	tagPool        = 1 << iota // a pool's name in the handshake
	tagPoolSite                // the name is one of a pool's pages
	tagPoolDNS                 // a pool's name stood for the server's address
	tagPoolDNSSite             //
	tagNoName                  // hello without server name, or with an address for one
	tagBare                    // and without ALPN
	tagOpenSSL                 // hello of a plain OpenSSL client
	tagWeb                     // names its server and offers HTTP/2 or HTTP/1.1
	tagProxyCert               // certificate that xmrig-proxy makes for itself
	tagPort                    // port that pools like
	tagTLS
	tagAgain // the next of a series whose connections are dropped
)

// sequence is one worker's detector.
type sequence struct {
	model  *Model
	mem    *memory
	ledger *ledger
	pools  *pools
	last   handshake
}

// handshake is what the latest handshake of the worker showed. A flow is
// released in the same packet in which its handshake was last told of, so one
// is enough.
type handshake struct {
	flow    uint64
	tag     uint32
	pool    int
	whole   bool // the client's hello was seen
	version uint16
	suite   uint16
}

// Inspect judges nothing: it notes names and handshakes.
func (q *sequence) Inspect(f *flow.Flow, c *proto.Conn, tx proto.Tx) (event.Finding, bool) {
	switch t := tx.(type) {
	case *dns.Message:
		q.answer(t, c.Time)
	case *tls.Tx:
		q.hello(f, &t.Hello, t.HasHello)
		q.last.version, q.last.suite = t.Version(), t.Server.Cipher
		if proxyCert(&t.Certs[packet.ToClient]) {
			q.last.tag |= tagProxyCert
		}
	case *quic.Tx:
		q.hello(f, &t.Hello, t.HasHello)
	}
	return event.Finding{}, false
}

func (q *sequence) hello(f *flow.Flow, h *tls.ClientHello, has bool) {
	q.last = handshake{flow: f.ID, tag: tagTLS, pool: -1}
	if !has {
		return
	}
	l := &q.last
	l.whole = true
	if len(h.SNI) > 0 {
		i, site := q.pools.find(h.SNI)
		switch {
		case i >= 0 && site:
			l.tag |= tagPoolSite
		case i >= 0:
			l.tag |= tagPool
		}
		l.pool = i
	}
	web := bytes.Contains(h.ALPN, []byte("\x02h2")) || bytes.Contains(h.ALPN, []byte("\x08http/1.1"))
	switch named := len(h.SNI) > 0 && !digitsOnly(h.SNI); {
	case named && web:
		l.tag |= tagWeb
	case !named && len(h.ALPN) == 0:
		l.tag |= tagNoName | tagBare
	case !named:
		l.tag |= tagNoName
	}
	// 31 suites beginning with the three of TLS 1.3 in OpenSSL's order, ending
	// with the renegotiation signal: OpenSSL 3.0's default.
	if n := len(h.Ciphers); n == 62 && bytes.HasPrefix(h.Ciphers, []byte{0x13, 2, 0x13, 3, 0x13, 1}) && bytes.HasSuffix(h.Ciphers, []byte{0, 0xff}) {
		l.tag |= tagOpenSSL
	}
}

// digitsOnly reports whether a server name is an IPv4 address, which RFC 6066
// section 3 forbids and stunnel sends.
func digitsOnly(b []byte) bool {
	for _, c := range b {
		if c != '.' && (c < '0' || c > '9') {
			return false
		}
	}
	return bytes.Count(b, []byte(".")) == 3
}

// proxyCert recognises what xmrig-proxy makes for itself: version 1, CN
// localhost as subject and issuer, ten years.
func proxyCert(c *tls.Chain) bool {
	if !c.Seen || c.N != 1 || c.Bad || c.Leaf.Version != 1 || c.Leaf.SAN != nil || !bytes.Equal(c.Leaf.Subject, c.Leaf.Issuer) {
		return false
	}
	return bytes.HasSuffix(c.Leaf.Subject, []byte("localhost")) && len(c.Leaf.Subject) < 32
}

// answer notes the addresses that a pool's name stands for, whatever name in
// the chain is the pool's.
func (q *sequence) answer(m *dns.Message, now int64) {
	if !m.Header.Response() || m.Len(dns.Answers) == 0 || m.Len(dns.Questions) == 0 {
		return
	}
	pool, site := q.pools.find(m.Name(m.Record(dns.Questions, 0)))
	for i := 0; pool < 0 && i < min(m.Len(dns.Answers), maxChain); i++ {
		if r := m.Record(dns.Answers, i); r.Type == dns.TypeCNAME {
			pool, site = q.pools.find(m.Target(r))
		}
	}
	if pool < 0 {
		return
	}
	for i := range min(m.Len(dns.Answers), maxChain) {
		if a, ok := m.Addr(m.Record(dns.Answers, i)); ok {
			q.mem.named(a, pool, site, now)
		}
	}
}

// maxChain bounds the records of an answer that are looked at.
const maxChain = 32

// poolPorts are server ports that pools offer TLS on and little else uses.
var poolPorts = [...]uint16{3333, 3334, 4444, 5555, 6666, 7777, 8888, 9999, 10128, 10191, 13333, 14433, 14444, 14443, 20128, 20535, 20555, 33333, 45560, 45700}

// Follow takes what the handshake and names said of the flow along.
func (q *sequence) Follow(f *flow.Flow, c *proto.Conn, t *seq.Tracker) bool {
	server, port := f.Server()
	if q.last.flow == f.ID {
		t.Tag, t.Whole = q.last.tag, q.last.whole
		t.Tag2 = uint32(q.last.pool + 1)
		if t.Kind == seq.TLS13 {
			t.Protect(q.last.version, q.last.suite)
		}
	}
	if i, site := q.mem.poolAt(server, c.Time); i >= 0 && t.Tag&(tagPool|tagPoolSite) == 0 {
		t.Tag |= tagPoolDNS
		if site {
			t.Tag ^= tagPoolDNS | tagPoolDNSSite
		}
		t.Tag2 = uint32(i + 1)
	}
	for _, p := range poolPorts {
		if p == port {
			t.Tag |= tagPort
		}
	}
	if t.Kind == seq.TLS13 || t.Kind == seq.TLS12 {
		if client, _ := f.Client(); q.mem.dropping(seriesKey{client, server, port}) {
			t.Tag |= tagAgain
			t.Soon()
		}
	}
	return true
}

// Blocked notes that a flow was dropped because somebody in it mines. What the
// device does next is evidence.
func (q *sequence) Blocked(f *flow.Flow, found *event.Finding, now int64) {
	if found.Category != event.Mining {
		return
	}
	client, _ := f.Client()
	server, port := f.Server()
	if !found.FromClient {
		client, server = server, client
	}
	q.mem.blocked(client, server, port, now)
}
