// Package prototest drives one parser the way the engine does, for the tests
// of the protocols.
package prototest

import (
	"math/rand/v2"
	"strings"

	"github.com/yamori-net/yamori/internal/event"
	"github.com/yamori-net/yamori/internal/packet"
	"github.com/yamori-net/yamori/internal/proto"
)

// Part is a stretch of one direction's bytes: a segment, datagram or message.
type Part struct {
	Dir  packet.Dir
	Data []byte
	Gap  int // bytes lost before Data
}

// C is a part sent by the client.
func C(data string) Part { return Part{Dir: packet.ToServer, Data: []byte(data)} }

// S is a part sent by the server.
func S(data string) Part { return Part{Dir: packet.ToClient, Data: []byte(data)} }

// Result is what a parser made of the parts.
type Result struct {
	Events    []string // one EVE member per finished transaction that has an event type: `"dns":{…}`
	Emits     int      // all calls of Emit
	Done      int      // those with done set
	Messages  []string // carried messages, with "> " (to server) or "< " before them
	Anomalies []string
	Err       error  // that stopped parsing ("limit" included)
	Next      string // protocol switched to, "" also for none: see Switched
	Switched  bool
	Finished  bool
	Rest      [2]string // unconsumed bytes by direction
	AppProto  string
	Target    string // that a proxy was asked for
}

type limitError struct{}

func (limitError) Error() string { return "limit" }

// Options change how Drive works.
type Options struct {
	OnTx func(tx proto.Tx, done bool) // called for each Emit
	// OnFile is called for each piece of a file; files are wanted when it is
	// set, or when Conn says so.
	OnFile   func(f *proto.File)
	OnExpect func(x *proto.Expected)
	Conn     proto.Conn // ports, Midstream, Time and Transport are taken from here
}

// Drive feeds the parts to a new parser of p, as TCP streams unless
// o.Conn.Transport says otherwise, keeps unconsumed bytes as the engine does,
// and ends the parser. It checks the contract: 0 <= n <= len(data).
func Drive(p proto.Protocol, o Options, parts ...Part) Result {
	return DriveParser(p, p.New(), o, parts...)
}

// DriveParser is Drive on a given parser (for tests of Reset).
func DriveParser(p proto.Protocol, ps proto.Parser, o Options, parts ...Part) Result {
	var r Result
	c := o.Conn
	if c.Transport == 0 {
		c.Transport = proto.TCP
	}
	c.AppProto = p.Name
	c.WantFiles = c.WantFiles || o.OnFile != nil
	c.OnFile = func(f *proto.File) {
		if o.OnFile != nil {
			o.OnFile(f)
		}
	}
	c.OnExpect = func(x *proto.Expected) {
		if o.OnExpect != nil {
			o.OnExpect(x)
		}
	}
	c.OnTx = func(tx proto.Tx, done bool) {
		r.Emits++
		if o.OnTx != nil {
			o.OnTx(tx, done)
		}
		if done {
			r.Done++
			if tx.EventType() != "" {
				var e event.Encoder
				tx.EncodeEVE(&e)
				r.Events = append(r.Events, string(e.B))
			}
		}
	}
	c.OnMessage = func(d packet.Dir, m []byte) {
		r.Messages = append(r.Messages, [2]string{"> ", "< "}[d]+string(m))
	}
	c.OnAnomaly = func(n string) { r.Anomalies = append(r.Anomalies, n) }
	limit := p.Limit
	if limit == 0 {
		limit = proto.DefaultLimit
	}
	var held [2][]byte
	for _, pt := range parts {
		d := pt.Dir
		if r.Err != nil || r.Switched || c.Finished() {
			held[d] = append(held[d], pt.Data...)
			continue
		}
		if pt.Gap > 0 {
			held[d] = held[d][:0]
			if r.Err = ps.Gap(&c, d, pt.Gap); r.Err != nil {
				continue
			}
			if r.Next, r.Switched = c.Switched(); r.Switched {
				held[d] = append(held[d], pt.Data...)
				continue
			}
		}
		if len(pt.Data) == 0 && c.Transport == proto.TCP {
			continue
		}
		data := append(append([]byte(nil), held[d]...), pt.Data...)
		n, err := ps.Parse(&c, d, data)
		if n < 0 || n > len(data) {
			panic("prototest: parser consumed outside its data")
		}
		r.Err = err
		if c.Transport == proto.TCP {
			held[d] = append(held[d][:0], data[n:]...)
			if len(held[d]) > limit && err == nil {
				r.Err = limitError{}
				r.Anomalies = append(r.Anomalies, "limit")
			}
		}
		if r.Next, r.Switched = c.Switched(); r.Switched {
			continue
		}
		if o := d.Reverse(); c.Woken() && c.Transport == proto.TCP && r.Err == nil && len(held[o]) > 0 && !c.Finished() {
			n, err := ps.Parse(&c, o, held[o])
			if n < 0 || n > len(held[o]) {
				panic("prototest: parser consumed outside its data")
			}
			r.Err = err
			held[o] = append(held[o][:0:0], held[o][n:]...)
			r.Next, r.Switched = c.Switched()
		}
	}
	ps.End(&c)
	r.Finished = c.Finished()
	r.Rest = [2]string{string(held[0]), string(held[1])}
	r.AppProto, r.Target = c.AppProto, string(c.Target())
	return r
}

// Split cuts each part into random pieces (seeded, so a failure repeats):
// a stream parser must give the same result for every segmentation.
func Split(seed uint64, parts ...Part) []Part {
	rnd := rand.New(rand.NewPCG(seed, 42))
	var out []Part
	for _, p := range parts {
		gap := p.Gap
		if gap > 0 && len(p.Data) == 0 {
			out = append(out, p)
		}
		for b := p.Data; len(b) > 0; {
			n := 1 + rnd.IntN(min(len(b), 1+rnd.IntN(len(b))))
			out = append(out, Part{Dir: p.Dir, Data: b[:n], Gap: gap})
			b, gap = b[n:], 0
		}
	}
	return out
}

// Joined returns all events in one string, a line each, for comparison.
func (r *Result) Joined() string { return strings.Join(r.Events, "\n") }
