package stratum

import (
	"github.com/yamori-net/yamori/internal/packet"
	"github.com/yamori-net/yamori/internal/proto"
)

// Bounds of what probe looks at before it gives up.
const (
	maxProbe = 4096 // bytes of one object without a member that calls or answers, or of the rest of a message
	maxLead  = 1024 // bytes of white space and the like before the first object
)

// Members that make an object a call or an answer, each alone or two together.
var (
	oneKey  = set(KeyJSONRPC, KeyMethod, KeyParams, KeyIdentifier, KeyHashingBlob, KeyMBLBlob, KeyNewJob, KeyMinerWork)
	nimiq1  = set(KeyMessage, KeyDeviceID)
	nimiq2  = set(KeyMessage, KeyTarget, KeyWalletAddress)
	qubic1  = set(KeyID, KeyWalletAddress, KeyWorker)
	qubic2  = set(KeyID, KeyNonce, KeySeedHash)
	qubic3  = set(KeyID, KeyDeviceID, KeyHashes)
	twoKeys = set(KeyID, KeyResult, KeyError, KeyJobID, KeyBlob, KeyTarget)
)

// probe recognises a stream or message of JSON objects that are calls or
// answers, whatever they are about: what they mean is judged when they are
// parsed. A stream picked up midstream may begin in the middle of a message.
func probe(_ packet.Dir, b []byte) proto.Match {
	i := lead(b)
	switch {
	case i == len(b) || bomPrefix(b[i:]):
		if i <= maxLead {
			return proto.More
		}
		return proto.No
	case b[i] == '{':
		return probeObject(b[i:])
	}
	return probeTail(b)
}

// probeObject judges bytes that begin with a brace by the names of the
// object's members. An object that is no call says nothing of the next: a
// greeting must not hide what follows it.
func probeObject(b []byte) proto.Match {
	b = b[:min(len(b), maxProbe)]
	full := len(b) == maxProbe
	for {
		n, m := firstObject(b)
		if n == 0 {
			if m == proto.More && full {
				return proto.No
			}
			return m
		}
		b = b[n:]
		k := lead(b)
		switch {
		case k < len(b) && b[k] != '{' && !bomPrefix(b[k:]):
			return proto.No
		case k == len(b) || b[k] != '{':
			if full {
				return proto.No
			}
			return proto.More
		}
		b = b[k:]
	}
}

// firstObject judges the first object of b. n is its length where it is whole
// and no call or answer.
func firstObject(b []byte) (int, proto.Match) {
	var f framer
	n, bad := f.next(b)
	if bad {
		return 0, proto.No
	}
	end := f.pos
	if n > 0 {
		end = n
	}
	var seen keySet
	depth, key := 0, false // key: the next string at this depth is a member's name
	for i := 0; i < end; i++ {
		switch b[i] {
		case '{', '[':
			depth++
			key = depth == 1
		case '}', ']':
			depth--
		case ',':
			key = depth == 1
		case '"':
			s, esc := i+1, false
			for i++; i < end && b[i] != '"'; i++ {
				if b[i] == '\\' {
					esc = true
					i++
				}
			}
			if i >= end || !key {
				continue
			}
			key = false
			if k := spelled(b[s:i], esc); k != noKey {
				seen |= 1 << k
			}
			if two := seen & twoKeys; seen&oneKey != 0 || two&(two-1) != 0 || seen&nimiq1 == nimiq1 || seen&nimiq2 == nimiq2 || seen&qubic1 == qubic1 || seen&qubic2 == qubic2 || seen&qubic3 == qubic3 {
				return 0, proto.Yes
			}
		}
	}
	return n, proto.More
}

// spelled looks up the inside of a string as a key.
func spelled(t []byte, esc bool) Key {
	var mem [maxKey]byte
	if esc {
		var r reader
		r.b = append(append(append(make([]byte, 0, 8*maxKey), '"'), t[:min(len(t), 6*maxKey)]...), '"')
		if _, _, _, ok := r.str(); !ok {
			return noKey
		}
		out, whole := unescape(mem[:0], r.b[1:len(r.b)-1])
		if !whole {
			return noKey
		}
		t = out
	}
	return keyOf(t)
}

// probeTail judges bytes that may begin in the middle of a message: the rest
// of it has to look like JSON, to close more than it opens and to end with a
// brace, and an object has to follow.
func probeTail(b []byte) proto.Match {
	b = b[:min(len(b), maxProbe)]
	json, hex := false, true
	open := 0 // braces and brackets that the rest itself opens
	for i, c := range b {
		end := c == '\n' || c == 0
		if end || c == '{' && i > 0 && b[i-1] == '}' {
			j := i
			for j > 0 && space(b[j-1]) {
				j--
			}
			if j == 0 || b[j-1] != '}' || !json || open >= 0 {
				return proto.No
			}
			k := i + lead(b[i:])
			switch {
			case k == len(b):
				return proto.More
			case b[k] == '{':
				return probeObject(b[k:])
			}
			return proto.No
		}
		if c < 0x20 && c != '\r' && c != '\t' {
			return proto.No
		}
		switch c {
		case '{', '[':
			open++
		case '}', ']':
			open--
		}
		if i > 0 && b[i-1] == '"' && (c == ':' || c == ',' || c == ']' || c == '}') {
			json = true
		}
		if unhex(c) < 0 || c >= 'A' && c <= 'F' {
			hex = hex && json
		}
	}
	if len(b) < maxProbe && (json || hex || len(b) < 2 && b[0] == '"') {
		return proto.More
	}
	return proto.No
}

// bomPrefix reports whether b is a byte order mark cut short.
func bomPrefix(b []byte) bool {
	return len(b) == 1 && b[0] == 0xef || len(b) == 2 && b[0] == 0xef && b[1] == 0xbb
}
