package mqtt

import (
	"bytes"

	"github.com/yamori-net/yamori/internal/packet"
	"github.com/yamori-net/yamori/internal/proto"
)

// probeTopic is how many bytes of a topic are judged.
const probeTopic = 128

// probe is certain of a connect packet with MQTT's name in it. Other packets,
// which begin a direction of the server or a flow picked up midstream, have few
// fixed bits: one that is well formed is Weak.
func probe(d packet.Dir, b []byte) proto.Match {
	if len(b) == 0 {
		return proto.More
	}
	t := Type(b[0] >> 4)
	if t == 0 || !flagsOK(b[0]) || t == Connect && d != packet.ToServer {
		return proto.No
	}
	length, n := varint(b[1:])
	switch {
	case n < 0:
		return proto.No
	case n == 0:
		return proto.More
	case t == Connect:
		// Nothing is asked of the varint but that it ends: servers take one
		// that is longer than it must be.
		return probeConnect(length, b[1+n:])
	case !minimal(length, n):
		return proto.No
	}
	body := b[1+n:]
	switch t {
	case PingReq, PingResp:
		return when(length == 0)
	case Disconnect:
		return when(length <= 1)
	case PubAck, PubRec, PubRel, PubComp:
		return when(2 <= length && length <= 4)
	case ConnAck:
		if length < 2 {
			return proto.No
		}
		if len(body) < 2 {
			return proto.More
		}
		// Session present, then 0 to 5 in 3.1.1, 0 or above 0x80 in 5.0.
		return when(body[0] <= 1 && (length == 2 && body[1] <= 5 || length > 2 && (body[1] == 0 || body[1] > 0x80)))
	case Publish:
		return probeTopics(length, 2, body)
	case Subscribe, Unsubscribe:
		if length < 5 {
			return proto.No
		}
		if len(body) < 3 {
			return proto.More
		}
		if m := probeTopics(length, 4, body); m != proto.No || body[2] != 0 {
			return m
		}
		return probeTopics(length, 5, body) // 5.0 without properties
	case SubAck, UnsubAck:
		if length < 2 || length > 2+MaxTopics {
			return proto.No
		}
		if len(body) < 2 {
			return proto.More
		}
		for _, c := range body[2:min(length, len(body))] { // QoS, or a reason of failure
			if c > 2 && c < 0x80 {
				return proto.No
			}
		}
		return proto.Weak
	}
	return proto.No
}

func when(ok bool) proto.Match {
	if ok {
		return proto.Weak
	}
	return proto.No
}

// flagsOK judges the first byte, section 2.1.3.
func flagsOK(first byte) bool {
	switch Type(first >> 4) {
	case Publish:
		return first&6 != 6
	case PubRel, Subscribe, Unsubscribe:
		return first&7 == 2
	}
	return first&15 == 0
}

func probeConnect(length int, b []byte) proto.Match {
	for _, name := range [...]string{"\x00\x04MQTT", "\x00\x06MQIsdp"} {
		if len(b) < len(name) {
			if name[:len(b)] == string(b) && length >= len(name) {
				return proto.More
			}
			continue
		}
		if string(b[:len(name)]) == name && length >= len(name) {
			return proto.Yes
		}
	}
	return proto.No
}

// probeTopics judges the topic whose length ends at offset at of b, the body
// of length bytes: a name of printable text that fits.
func probeTopics(length, at int, b []byte) proto.Match {
	if length <= at {
		return proto.No
	}
	if len(b) < at {
		return proto.More
	}
	n := int(b[at-2])<<8 | int(b[at-1])
	if n == 0 || at+n > length {
		return proto.No
	}
	topic := b[at:min(len(b), at+min(n, probeTopic))]
	if bytes.IndexFunc(topic, func(r rune) bool { return r < ' ' || r == 0x7f }) >= 0 {
		return proto.No
	}
	if len(topic) < min(n, probeTopic) {
		return proto.More
	}
	return proto.Weak
}
