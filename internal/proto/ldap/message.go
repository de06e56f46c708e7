package ldap

import (
	"unsafe"

	"github.com/yamori-net/yamori/internal/proto"
)

// Operations, by the number of their tag (RFC 4511 section 4.2 and following).
const (
	BindRequest     = 0
	BindResponse    = 1
	UnbindRequest   = 2
	SearchRequest   = 3
	SearchEntry     = 4
	SearchDone      = 5
	ModifyRequest   = 6
	ModifyResponse  = 7
	AddRequest      = 8
	AddResponse     = 9
	DelRequest      = 10
	DelResponse     = 11
	ModDNRequest    = 12
	ModDNResponse   = 13
	CompareRequest  = 14
	CompareResponse = 15
	AbandonRequest  = 16
	SearchReference = 19
	ExtendedRequest = 23
	ExtendedAnswer  = 24
	Intermediate    = 25
)

// operations says of each tag its name, and who sends it.
var operations = [32]struct {
	name     string // Suricata's
	response bool
	plain    bool // a primitive element: no elements inside
}{
	BindRequest: {name: "bind_request"}, BindResponse: {"bind_response", true, false}, UnbindRequest: {"unbind_request", false, true},
	SearchRequest: {name: "search_request"}, SearchEntry: {"search_result_entry", true, false}, SearchDone: {"search_result_done", true, false},
	ModifyRequest: {name: "modify_request"}, ModifyResponse: {"modify_response", true, false}, AddRequest: {name: "add_request"},
	AddResponse: {"add_response", true, false}, DelRequest: {"del_request", false, true}, DelResponse: {"del_response", true, false},
	ModDNRequest: {name: "mod_dn_request"}, ModDNResponse: {"mod_dn_response", true, false}, CompareRequest: {name: "compare_request"},
	CompareResponse: {"compare_response", true, false}, AbandonRequest: {"abandon_request", false, true},
	SearchReference: {"search_result_reference", true, false}, ExtendedRequest: {name: "extended_request"},
	ExtendedAnswer: {"extended_response", true, false}, Intermediate: {"intermediate_response", true, false},
}

// operation returns the number of an operation's tag.
func operation(tag byte) (op uint8, ok bool) {
	op = tag & 0x1f
	o := &operations[op]
	if o.plain {
		return op, tag == 0x40|op
	}
	return op, o.name != "" && tag == 0x60|op
}

// Message is one request or answer. What an operation does not have is empty.
type Message struct {
	Op         uint8
	DN         []byte // of the entry; of results the matched part of it
	Attributes [][]byte
	Changes    []byte // of modify: what becomes of each attribute, 0 add, 1 delete, 2 replace, 3 increment
	Name       []byte // of extended operations: object identifier; of bind with SASL: mechanism
	NewRDN     []byte // of mod_dn
	NewParent  []byte // of mod_dn

	HasCode bool // a result
	Code    uint16
	Text    []byte // diagnostic message of a result

	Version              uint8  // of bind
	SASL                 bool   // bind with SASL, else with a password
	Scope, Deref         uint8  // of search
	SizeLimit, TimeLimit uint32 // of search
	TypesOnly            bool   // of search
	DeleteOld            bool   // of mod_dn
	Abandons             uint32 // the message given up
}

// store is the memory of a transaction's messages.
type store struct {
	mem     []byte
	attrs   [][]byte
	changes []byte
	room    int // of MaxText, for the message being read
}

// mark is a place in the memory of a transaction.
type mark struct{ mem, attrs, codes int }

func (s store) empty() store {
	return store{mem: s.mem[:0], attrs: s.attrs[:0], changes: s.changes[:0]}
}

// size is what a store holds.
func (s *store) size() int {
	return proto.Held(s.mem) + 2*cap(s.attrs)*int(unsafe.Sizeof([]byte{})) + cap(s.changes)
}

// keep copies b, as far as there is room.
func (s *store) keep(b []byte) []byte {
	b = b[:min(len(b), s.room)]
	s.room -= len(b)
	at := len(s.mem)
	s.mem = proto.Append(s.mem, b)
	return s.mem[at:len(s.mem):len(s.mem)]
}

// read reads the content b of operation op. What is malformed ends it; what
// stands before is kept.
func (s *store) read(m *Message, op uint8, b []byte) {
	*m = Message{Op: op}
	s.room = MaxText
	r := reader{b, true}
	switch op {
	case BindRequest:
		m.Version = uint8(min(r.number(tagInt), 255))
		m.DN = s.keep(r.want(tagStr))
		if r.peek() == 0xa3 { // SaslCredentials; a password is not kept
			_, v := r.next()
			in := reader{v, true}
			m.SASL = true
			m.Name = s.keep(in.want(tagStr))
		}
	case SearchRequest:
		s.search(m, &r)
	case SearchEntry, AddRequest:
		m.DN = s.keep(r.want(tagStr))
		s.attributes(m, r.want(tagSeq))
	case ModifyRequest:
		m.DN = s.keep(r.want(tagStr))
		s.modify(m, r.want(tagSeq))
	case DelRequest:
		m.DN = s.keep(b)
	case ModDNRequest:
		m.DN = s.keep(r.want(tagStr))
		m.NewRDN = s.keep(r.want(tagStr))
		v := r.want(tagBool)
		m.DeleteOld = len(v) == 1 && v[0] != 0
		if r.peek() == 0x80 {
			_, v := r.next()
			m.NewParent = s.keep(v)
		}
	case CompareRequest:
		m.DN = s.keep(r.want(tagStr))
		in := reader{r.want(tagSeq), true}
		from := len(s.attrs)
		if v := in.want(tagStr); in.ok {
			s.attribute(m, from, v)
		}
	case AbandonRequest:
		m.Abandons, _ = number(b)
	case ExtendedRequest:
		m.Name = s.keep(r.want(0x80))
	case Intermediate:
		if r.peek() == 0x80 {
			m.Name = s.keep(r.want(0x80))
		}
	case UnbindRequest, SearchReference:
	default:
		s.result(m, &r)
	}
}

// result reads an LDAPResult, section 4.1.9, and the name of an extended one.
func (s *store) result(m *Message, r *reader) {
	code := r.number(tagEnum)
	if !r.ok {
		return
	}
	m.HasCode, m.Code = true, uint16(min(code, 65535))
	m.DN = s.keep(r.want(tagStr))
	m.Text = s.keep(r.want(tagStr))
	for r.ok && len(r.b) > 0 {
		if tag, v := r.next(); tag == 0x8a {
			m.Name = s.keep(v)
		}
	}
}

// search reads a search request, section 4.5.1. The filter is passed over.
func (s *store) search(m *Message, r *reader) {
	m.DN = s.keep(r.want(tagStr))
	m.Scope = uint8(min(r.number(tagEnum), 255))
	m.Deref = uint8(min(r.number(tagEnum), 255))
	m.SizeLimit = r.number(tagInt)
	m.TimeLimit = r.number(tagInt)
	v := r.want(tagBool)
	m.TypesOnly = len(v) == 1 && v[0] != 0
	r.next()
	in := reader{r.want(tagSeq), r.ok}
	from := len(s.attrs)
	for in.peek() == tagStr {
		_, v := in.next()
		s.attribute(m, from, v)
	}
}

// attribute keeps the name v of an attribute; the message's are kept from from.
func (s *store) attribute(m *Message, from int, v []byte) {
	if len(s.attrs)-from >= MaxAttributes {
		return
	}
	s.attrs = append(s.attrs, s.keep(v))
	m.Attributes = s.attrs[from:len(s.attrs):len(s.attrs)]
}

// attributes reads a list of attributes with values, which are passed over.
func (s *store) attributes(m *Message, b []byte) {
	r, from := reader{b, true}, len(s.attrs)
	for r.peek() == tagSeq {
		_, v := r.next()
		in := reader{v, true}
		if name := in.want(tagStr); in.ok {
			s.attribute(m, from, name)
		}
	}
}

// modify reads the changes of a modify request, section 4.6.
func (s *store) modify(m *Message, b []byte) {
	r, from := reader{b, true}, len(s.attrs)
	for r.peek() == tagSeq && len(s.attrs)-from < MaxAttributes {
		_, v := r.next()
		in := reader{v, true}
		kind := in.number(tagEnum)
		in = reader{in.want(tagSeq), in.ok}
		if name := in.want(tagStr); in.ok {
			s.attribute(m, from, name)
			s.changes = append(s.changes, byte(min(kind, 255)))
		}
	}
	m.Changes = s.changes
}
