// Package mqtt reads MQTT 3.1, 3.1.1 and 5.0 control packets, on TCP and inside
// WebSocket messages: who connects, what it subscribes to and publishes.
// Section numbers without a name are those of MQTT 5.0 (OASIS, 2019).
package mqtt

import (
	"github.com/yamori-net/yamori/internal/event"
	"github.com/yamori-net/yamori/internal/packet"
	"github.com/yamori-net/yamori/internal/proto"
)

// Limits.
const (
	// MaxBody bounds how much of a packet is looked at, after its fixed header;
	// what follows is skipped without being kept. A connect packet of a home's
	// devices has a hundred bytes.
	MaxBody = 16 << 10
	// MaxTopics is how many topics of one packet are kept.
	MaxTopics = 64
	// maxHeader is the longest fixed header (section 2.1): type and four bytes
	// of length.
	maxHeader = 5
)

// Protocol describes MQTT.
var Protocol = proto.Protocol{
	Name:    "mqtt",
	Doc:     "MQTT 3.1, 3.1.1, 5.0: clients, topics, messages",
	On:      proto.TCP | proto.Message,
	Ports:   []uint16{1883},
	Limit:   maxHeader + MaxBody,
	Event:   "mqtt",
	Probe:   probe,
	New:     func() proto.Parser { return new(parser) },
	Buffers: buffers,
}

// Type is a control packet's type (section 2.1.2).
type Type uint8

// Types.
const (
	Connect Type = iota + 1
	ConnAck
	Publish
	PubAck
	PubRec
	PubRel
	PubComp
	Subscribe
	SubAck
	Unsubscribe
	UnsubAck
	PingReq
	PingResp
	Disconnect
	Auth
)

var names = [16]string{"", "connect", "connack", "publish", "puback", "pubrec", "pubrel", "pubcomp", "subscribe",
	"suback", "unsubscribe", "unsuback", "pingreq", "pingresp", "disconnect", "auth"}

// Packet is a transaction: a connect packet with its answer, or any other
// control packet alone. Slices lie in the stream's bytes, those of a connect
// packet in memory of the parser's.
type Packet struct {
	// Dir is the way of the packet, or of an answer that of what it answers: one
	// transaction to Suricata.
	Dir       packet.Dir
	Type      Type
	QoS       uint8
	Dup       bool
	Retain    bool
	Version   uint8 // 3 for 3.1, 4 for 3.1.1, 5; 0 when the connect packet was not seen
	Length    int   // bytes after the fixed header
	Truncated bool  // longer than MaxBody

	// Of a connect packet.
	ProtocolString []byte // "MQTT", or "MQIsdp" in 3.1
	Flags          uint8  // connect flags, section 3.1.2.3
	KeepAlive      uint16 // seconds
	ClientID       []byte
	WillTopic      []byte
	WillMessage    []byte
	Username       []byte
	Password       []byte // for rules; no event has it
	Answered       bool   // the four below are known
	SessionPresent bool
	ReasonCode     uint8  // also of an acknowledgement, disconnect or auth packet
	AssignedID     []byte // client identifier given by the server

	// Of the others.
	HasID      bool
	ID         uint16 // packet identifier
	Topic      []byte // of publish
	TopicAlias uint16 // 0 when absent
	Payload    []byte // what MaxBody leaves of a publish packet's message
	PayloadLen int
	Topics     []Topic // of subscribe and unsubscribe
	Codes      []byte  // of suback and unsuback: one for each topic

	text [64]byte // of numbers and flags, for buffers
}

// Topic is a topic filter with its subscription options.
type Topic struct {
	Filter  []byte
	Options uint8 // QoS in the lowest two bits
}

// Connect flags, section 3.1.2.3.
const (
	flagClean    = 0x02
	flagWill     = 0x04
	flagRetain   = 0x20
	flagPassword = 0x40
	flagUsername = 0x80
)

// EventType returns "mqtt", or nothing for the acknowledgements of messages
// and pings, which say nothing that the packets before them do not.
func (p *Packet) EventType() event.Type {
	switch p.Type {
	case PubAck, PubRec, PubRel, PubComp, PingResp:
		return ""
	}
	return "mqtt"
}

// EncodeEVE appends "mqtt":{…} in Suricata's shape, without passwords, with the
// lengths of messages in place of the messages.
func (p *Packet) EncodeEVE(e *event.Encoder) {
	e.Obj("mqtt")
	e.Obj(names[p.Type&15])
	e.Uint("qos", uint64(p.QoS))
	e.Bool("retain", p.Retain)
	e.Bool("dup", p.Dup)
	if p.Truncated && p.Type != Publish {
		e.Bool("truncated", true)
		e.Uint("length", uint64(p.Length))
	}
	if p.HasID {
		e.Uint("message_id", uint64(p.ID))
	}
	switch p.Type {
	case Connect:
		p.encodeConnect(e)
	case ConnAck:
		p.encodeAnswer(e)
	case Publish:
		e.Bytes("topic", p.Topic)
		if p.TopicAlias != 0 {
			e.Uint("topic_alias", uint64(p.TopicAlias))
		}
		e.Uint("message_length", uint64(p.PayloadLen))
	case Subscribe:
		e.Arr("topics")
		for _, t := range p.Topics {
			e.Obj("")
			e.Bytes("topic", t.Filter)
			e.Uint("qos", uint64(t.Options&3))
			e.EndObj()
		}
		e.EndArr()
	case Unsubscribe:
		e.Arr("topics")
		for _, t := range p.Topics {
			e.Bytes("", t.Filter)
		}
		e.EndArr()
	case SubAck:
		p.encodeCodes(e, "qos_granted")
	case UnsubAck:
		if len(p.Codes) > 0 {
			p.encodeCodes(e, "reason_codes")
		}
	case Disconnect, Auth:
		if p.Version == 5 || p.ReasonCode != 0 {
			e.Uint("reason_code", uint64(p.ReasonCode))
		}
	}
	e.EndObj()
	if p.Type == Connect && p.Answered {
		e.Obj("connack")
		p.encodeAnswer(e)
		e.EndObj()
	}
	e.EndObj()
}

func (p *Packet) encodeConnect(e *event.Encoder) {
	e.Bytes("protocol_string", p.ProtocolString)
	e.Uint("protocol_version", uint64(p.Version))
	e.Obj("flags")
	e.Bool("username", p.Flags&flagUsername != 0)
	e.Bool("password", p.Flags&flagPassword != 0)
	e.Bool("will_retain", p.Flags&flagRetain != 0)
	e.Bool("will", p.Flags&flagWill != 0)
	e.Bool("clean_session", p.Flags&flagClean != 0)
	e.EndObj()
	e.Uint("keep_alive", uint64(p.KeepAlive))
	e.Bytes("client_id", p.ClientID)
	if p.Flags&flagWill != 0 {
		e.Obj("will")
		e.Bytes("topic", p.WillTopic)
		e.Uint("message_length", uint64(len(p.WillMessage)))
		e.EndObj()
	}
	e.OptBytes("username", p.Username)
}

func (p *Packet) encodeAnswer(e *event.Encoder) {
	e.Bool("session_present", p.SessionPresent)
	e.Uint("return_code", uint64(p.ReasonCode))
	e.OptBytes("assigned_client_id", p.AssignedID)
}

func (p *Packet) encodeCodes(e *event.Encoder, key string) {
	e.Arr(key)
	for _, c := range p.Codes {
		e.Uint("", uint64(c))
	}
	e.EndArr()
}

// answers reports whether the packet answers another one.
func (p *Packet) answers() bool {
	switch p.Type {
	case ConnAck, SubAck, UnsubAck, PubAck, PubRec, PubComp:
		return true
	}
	return false
}
