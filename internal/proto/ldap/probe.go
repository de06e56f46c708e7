package ldap

import (
	"github.com/yamori-net/yamori/internal/packet"
	"github.com/yamori-net/yamori/internal/proto"
)

// maxPlausible bounds the length of a message by which a flow is recognised.
const maxPlausible = 1 << 24

// probe asks for the sequence, a message number and an operation of that side.
// What stands in it tells by its kinds of elements; operations that have none
// are plausible only.
func probe(d packet.Dir, b []byte) proto.Match {
	if len(b) == 0 {
		return proto.More
	}
	if b[0] != tagSeq {
		return proto.No
	}
	_, size, n := header(b)
	if n < 0 || n > 0 && (size < 5 || size > maxPlausible) {
		return proto.No
	}
	if n == 0 {
		return proto.More
	}
	whole := len(b) >= n+size
	r := reader{b[n:min(len(b), n+size)], true}
	if len(r.b) < 2 {
		return proto.More
	}
	if r.b[0] != tagInt || r.b[1] == 0 || r.b[1] > 4 {
		return proto.No
	}
	if len(r.b) < 2+int(r.b[1])+2 {
		return proto.More
	}
	r.number(tagInt)
	if !r.ok {
		return proto.No
	}
	op, ok := operation(r.peek())
	if !ok || operations[op].response != (d == packet.ToClient) {
		return proto.No
	}
	_, length, k := header(r.b)
	if k < 0 || k > 0 && k+length > len(r.b) && whole {
		return proto.No
	}
	if k == 0 {
		return proto.More
	}
	if operations[op].plain {
		if op == UnbindRequest && length != 0 || op == AbandonRequest && (length == 0 || length > 4) {
			return proto.No
		}
		return proto.Weak
	}
	_, body := r.next()
	return inside(op, body, len(body) == length)
}

// inside judges the elements of an operation that begins with b.
func inside(op uint8, b []byte, whole bool) proto.Match {
	kinds := "" // tags that must come first
	switch op {
	case BindRequest:
		kinds = string([]byte{tagInt, tagStr})
	case SearchRequest:
		kinds = string([]byte{tagStr, tagEnum, tagEnum, tagInt, tagInt, tagBool})
	case SearchEntry, ModifyRequest, AddRequest, CompareRequest:
		kinds = string([]byte{tagStr, tagSeq})
	case ModDNRequest:
		kinds = string([]byte{tagStr, tagStr, tagBool})
	case SearchReference:
		kinds = string([]byte{tagStr})
	case ExtendedRequest, Intermediate:
		kinds = string([]byte{0x80})
	default:
		kinds = string([]byte{tagEnum, tagStr, tagStr})
	}
	r := reader{b, true}
	for i := range len(kinds) {
		switch tag, size, n := header(r.b); {
		case len(r.b) > 0 && r.b[0] != kinds[i], n < 0:
			return proto.No
		case n == 0 || n+size > len(r.b) && kinds[i] != tagSeq:
			if whole {
				return proto.No
			}
			return proto.More
		case tag == tagBool && size != 1, tag == tagInt && (size == 0 || size > 4), tag == tagEnum && (size == 0 || size > 2):
			return proto.No
		case tag == 0x80 && !dotted(r.b[n:n+size]):
			return proto.No
		}
		r.next()
	}
	if op == BindRequest {
		switch r.peek() {
		case 0x80, 0xa3:
			return proto.Yes
		case 0:
			if !whole {
				return proto.More
			}
		}
		return proto.No
	}
	return proto.Yes
}

// dotted reports whether b is an object identifier as text.
func dotted(b []byte) bool {
	for _, c := range b {
		if c != '.' && (c < '0' || c > '9') {
			return false
		}
	}
	return len(b) > 2
}
