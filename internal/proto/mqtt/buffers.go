package mqtt

import (
	"strconv"

	"github.com/yamori-net/yamori/internal/packet"
	"github.com/yamori-net/yamori/internal/proto"
)

var buffers = []proto.Buffer{
	one("mqtt.connect.clientid", "client identifier", Connect, func(p *Packet) []byte { return p.ClientID }),
	one("mqtt.connect.username", "user name", Connect, func(p *Packet) []byte { return p.Username }),
	one("mqtt.connect.protocol_string", "MQTT or MQIsdp", Connect, func(p *Packet) []byte { return p.ProtocolString }),
	one("mqtt.connect.willtopic", "topic of the will", Connect, func(p *Packet) []byte { return p.WillTopic }),
	one("mqtt.connect.willmessage", "message of the will", Connect, func(p *Packet) []byte { return p.WillMessage }),
	one("mqtt.publish.topic", "topic of a message of the client", Publish, func(p *Packet) []byte { return p.Topic }),
	toClient("mqtt.publish.topic", "topic of a message of the server", func(p *Packet, i int) ([]byte, bool) {
		return p.Topic, i == 0 && p.Type == Publish && p.Topic != nil
	}),
	one("mqtt.publish.message", "beginning of a message", Publish, func(p *Packet) []byte { return p.Payload }),
	topics("mqtt.subscribe.topic", "each topic filter subscribed to", Subscribe),
	one("mqtt.connect.password", "password", Connect, func(p *Packet) []byte { return p.Password }),
	topics("mqtt.unsubscribe.topic", "each topic filter unsubscribed from", Unsubscribe),
	number("mqtt.type", "type of the control packet, 1 connect to 15 auth, a decimal number", func(p *Packet, i int) (uint64, bool) {
		if i == 1 && p.Type == Connect && p.Answered {
			return uint64(ConnAck), true // its answer belongs to the same transaction
		}
		return uint64(p.Type), i == 0
	}),
	toClient("mqtt.type", "type of the server's own control packets and of the answers to them", func(p *Packet, i int) ([]byte, bool) {
		return strconv.AppendUint(p.text[:0], uint64(p.Type), 10), i == 0
	}),
	number("mqtt.qos", "quality of service, a decimal number", func(p *Packet, i int) (uint64, bool) { return uint64(p.QoS), i == 0 }),
	number("mqtt.protocol_version", "version: 3 for 3.1, 4 for 3.1.1, 5, a decimal number", func(p *Packet, i int) (uint64, bool) {
		return uint64(p.Version), i == 0 && p.Version != 0 && !p.answers()
	}),
	number("mqtt.reason_code", "reason code of an answer, disconnect or auth packet, one for each topic, decimal numbers", reason),
	number("mqtt.connack.session_present", "whether the server had a session, 0 or 1", func(p *Packet, i int) (uint64, bool) {
		n := uint64(0)
		if p.SessionPresent {
			n = 1
		}
		return n, i == 0 && (p.Type == ConnAck || p.Answered)
	}),
	words("mqtt.flags", "flags of the fixed header that are set: dup, retain", func(p *Packet) (list [5]string, ok bool) {
		if p.Dup {
			list[0] = "dup"
		}
		if p.Retain {
			list[1] = "retain"
		}
		return list, !p.answers()
	}),
	words("mqtt.connect.flags", "flags of a connect packet that are set: username, password, will, will_retain, clean_session", func(p *Packet) (list [5]string, ok bool) {
		for i, f := range [...]struct {
			bit  uint8
			name string
		}{{flagUsername, "username"}, {flagPassword, "password"}, {flagWill, "will"}, {flagRetain, "will_retain"}, {flagClean, "clean_session"}} {
			if p.Flags&f.bit != 0 {
				list[i] = f.name
			}
		}
		return list, p.Type == Connect
	}),
}

// reason returns the i-th reason code of p.
func reason(p *Packet, i int) (uint64, bool) {
	switch p.Type {
	case ConnAck:
		return uint64(p.ReasonCode), i == 0
	case Disconnect, Auth:
		return uint64(p.ReasonCode), i == 0 && p.Version == 5 && p.Length > 0
	case Connect:
		return uint64(p.ReasonCode), i == 0 && p.Answered
	case PubAck, PubRec, PubRel, PubComp:
		return uint64(p.ReasonCode), i == 0 && p.Version == 5
	case SubAck, UnsubAck:
		if i < len(p.Codes) {
			return uint64(p.Codes[i]), true
		}
	}
	return 0, false
}

func number(name, doc string, get func(p *Packet, i int) (uint64, bool)) proto.Buffer {
	return proto.Buffer{Name: name, Doc: doc, Dir: packet.ToServer, Get: func(tx proto.Tx, i int) ([]byte, bool) {
		p, ok := tx.(*Packet)
		if !ok || p.Dir != packet.ToServer {
			return nil, false
		}
		n, ok := get(p, i)
		if !ok {
			return nil, false
		}
		return strconv.AppendUint(p.text[:0], n, 10), true
	}}
}

// words makes a buffer of the words of a list that are set, with blanks
// between them; it may be empty.
func words(name, doc string, get func(p *Packet) ([5]string, bool)) proto.Buffer {
	return proto.Buffer{Name: name, Doc: doc, Dir: packet.ToServer, Get: func(tx proto.Tx, i int) ([]byte, bool) {
		p, ok := tx.(*Packet)
		if !ok || i != 0 || p.Dir != packet.ToServer {
			return nil, false
		}
		list, ok := get(p)
		b := p.text[:0]
		for _, w := range list {
			if w == "" {
				continue
			}
			if len(b) > 0 {
				b = append(b, ' ')
			}
			b = append(b, w...)
		}
		return b, ok
	}}
}

// toClient makes a buffer of what the server began.
func toClient(name, doc string, get func(p *Packet, i int) ([]byte, bool)) proto.Buffer {
	return proto.Buffer{Name: name, Doc: doc, Dir: packet.ToClient, Get: func(tx proto.Tx, i int) ([]byte, bool) {
		p, ok := tx.(*Packet)
		if !ok || p.Dir != packet.ToClient {
			return nil, false
		}
		return get(p, i)
	}}
}

func one(name, doc string, typ Type, get func(*Packet) []byte) proto.Buffer {
	return proto.Buffer{Name: name, Doc: doc, Dir: packet.ToServer, Get: func(tx proto.Tx, i int) ([]byte, bool) {
		p, ok := tx.(*Packet)
		if !ok || i != 0 || p.Type != typ || p.Dir != packet.ToServer {
			return nil, false
		}
		b := get(p)
		return b, b != nil
	}}
}

func topics(name, doc string, typ Type) proto.Buffer {
	return proto.Buffer{Name: name, Doc: doc, Dir: packet.ToServer, Get: func(tx proto.Tx, i int) ([]byte, bool) {
		p, ok := tx.(*Packet)
		if !ok || p.Type != typ || i >= len(p.Topics) {
			return nil, false
		}
		return p.Topics[i].Filter, true
	}}
}
