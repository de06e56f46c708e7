package bittorrent

import "github.com/yamori-net/yamori/internal/event"

// KRPC is a message of the distributed hash table, BEP 5.
type KRPC struct {
	Type        byte   // q, r or e
	Transaction []byte // as the one who asks chose it
	Version     []byte // of the sender's program
	Query       []byte // name of the query
	ID          []byte // the sender's node
	Target      []byte // node looked for
	ImpliedPort bool
	Token       bool // one is there
	Nodes       int  // nodes named in a response, IPv4 and IPv6
	Values      int  // peers named in a response
	Code        int  // of an error
	Error       []byte
}

// dht reads a datagram as a DHT message. It is false when b is not one
// dictionary with everything that BEP 5 demands in it.
func (m *Message) dht(b []byte) bool {
	if len(b) < 12 || b[0] != 'd' || b[len(b)-1] != 'e' {
		return false
	}
	d := bencode{b: b}
	k := &m.D
	m.Kind = DHT
	failed := false
	for d.open('d'); d.more(); {
		switch string(d.str()) {
		case "a", "r":
			m.arguments(&d)
		case "e":
			d.open('l')
			k.Code = d.int()
			k.Error = d.str()
			for d.more() {
				d.skip()
			}
			failed = true
		case "q":
			k.Query = d.str()
		case "t":
			k.Transaction = d.str()
		case "v":
			k.Version = d.str()
		case "y":
			if y := d.str(); len(y) == 1 {
				k.Type = y[0]
			}
		default:
			d.skip()
		}
	}
	if d.bad || len(d.b) > 0 || k.Transaction == nil {
		return false
	}
	switch k.Type {
	case 'q':
		return len(k.Query) > 0 && k.ID != nil
	case 'r':
		return k.ID != nil
	case 'e':
		return failed
	}
	return false
}

// arguments reads the dictionary of a query or response.
func (m *Message) arguments(d *bencode) {
	k := &m.D
	for d.open('d'); d.more(); {
		switch string(d.str()) {
		case "id":
			k.ID = hash20(d)
		case "info_hash":
			m.Hashes = hash20(d)
		case "target":
			k.Target = hash20(d)
		case "port":
			if p := d.int(); 0 < p && p < 1<<16 {
				m.Port = uint16(p)
			}
		case "implied_port":
			k.ImpliedPort = d.int() != 0
		case "token":
			d.str()
			k.Token = true
		case "nodes":
			k.Nodes += len(d.str()) / 26
		case "nodes6":
			k.Nodes += len(d.str()) / 38
		case "values":
			for d.open('l'); d.more(); k.Values++ {
				d.skip()
			}
		default:
			d.skip()
		}
	}
}

func hash20(d *bencode) []byte {
	s := d.str()
	if len(s) != hashLen {
		d.fail()
		return nil
	}
	return s
}

func (k *KRPC) encode(e *event.Encoder) {
	e.Hex("transaction_id", k.Transaction)
	if len(k.Version) > 0 {
		e.Hex("client_version", k.Version)
	}
	switch k.Type {
	case 'q':
		e.Bytes("request_type", k.Query)
	case 'r':
		e.Bool("response", true)
		e.Uint("nodes", uint64(k.Nodes))
		e.Uint("values", uint64(k.Values))
	case 'e':
		e.Obj("error")
		e.Int("num", int64(k.Code))
		e.Bytes("msg", k.Error)
		e.EndObj()
	}
	if k.ID != nil {
		e.Hex("id", k.ID)
	}
	if k.Target != nil {
		e.Hex("target", k.Target)
	}
	if k.Token {
		e.Bool("token", true)
	}
	if k.ImpliedPort {
		e.Bool("implied_port", true)
	}
}
