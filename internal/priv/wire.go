package priv

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/netip"

	"github.com/yamori-net/yamori/internal/enforce"
	"github.com/yamori-net/yamori/internal/plugin"
)

// A message is one packet of the socket: version, operation, flags, a zero, a
// number that the answer repeats (32 bits, little-endian), and a JSON object
// whose fields all are known. Files travel beside it.
const (
	version    = 1
	headerSize = 8
	// maxMessage bounds a message; the socket's buffers hold several.
	maxMessage = 96 << 10

	flagReply = 1 // an answer
	flagMore  = 2 // and another one follows
)

// Op is what the privileged process does for the other.
type Op uint8

// Operations.
const (
	OpHello    Op = iota + 1 // nothing; shows that both speak the same version
	OpPacket                 // opens a packet socket
	OpQueue                  // binds a queue of the packet filter and sends verdicts on
	OpInject                 // opens the raw sockets of package inject
	OpInstall                // enforce.Install, and so on
	OpPut                    //
	OpDelete                 //
	OpNever                  //
	OpAllowed                //
	OpList                   //
	OpCounters               //
	OpBeat                   //
	OpRest                   //
	OpRemove                 //
	OpPlugin                 // plugin.Start: leads the traffic of named devices here
	OpUnplug                 // and ends that
	OpPlugged                // how it goes
	OpListen                 // a port that HelperConfig names
	OpEvents                 // opens the event file that HelperConfig names, in a new one if asked
	OpProbe                  // enforce.Probe
	lastOp     = OpProbe
)

// Limits of one message.
const (
	maxEntries  = 400  // of a Put, Delete or page of a list: at most 200 bytes each
	maxPrefixes = 1500 // of SetNever or SetAllowed: at most 60 bytes each
	maxQueues   = 64
)

// request holds the fields of all operations; each uses its own and refuses
// others.
type request struct {
	Raw      bool            `json:"raw,omitempty"`
	Mark     int             `json:"mark,omitempty"`
	Queue    *queueRequest   `json:"queue,omitempty"`
	Install  *installRequest `json:"install,omitempty"`
	Entries  []enforce.Entry `json:"entries,omitempty"`
	Prefixes []netip.Prefix  `json:"prefixes,omitempty"`
	Plugin   *plugin.Config  `json:"plugin,omitempty"`
	Listen   *listenRequest  `json:"listen,omitempty"`
	Rotate   bool            `json:"rotate,omitempty"`
}

type listenRequest struct {
	Stream bool           `json:"stream,omitempty"` // TCP, which listens; else UDP
	At     netip.AddrPort `json:"at"`
}

type queueRequest struct {
	Queue  uint16 `json:"queue"`
	Length uint32 `json:"length,omitempty"`
	Range  uint32 `json:"range,omitempty"`
	Buffer int    `json:"buffer,omitempty"`
}

// installRequest is enforce.Config without what the privileged process decides.
type installRequest struct {
	Queue   uint16        `json:"queue"`
	Workers int           `json:"workers"`
	Marks   enforce.Marks `json:"marks"`
	LAN     []string      `json:"lan,omitempty"`
	Local   bool          `json:"local,omitempty"`
	Bridge  bool          `json:"bridge,omitempty"`
	Passive bool          `json:"passive,omitempty"`
	Timeout int64         `json:"timeout,omitempty"` // ns
}

// reply holds the fields of all answers.
type reply struct {
	Error    string            `json:"error,omitempty"`
	Code     string            `json:"code,omitempty"` // which known error it wraps
	Mode     string            `json:"mode,omitempty"`
	Active   []enforce.Active  `json:"active,omitempty"`
	Counters *enforce.Counters `json:"counters,omitempty"`
	Plugin   *plugin.State     `json:"plugin,omitempty"`

	Abilities *enforce.Abilities `json:"abilities,omitempty"`
}

type header struct {
	op    Op
	flags uint8
	id    uint32
}

var errMessage = errors.New("malformed message")

// encode makes one message.
func encode(h header, body any) ([]byte, error) {
	j, err := json.Marshal(body)
	if err != nil {
		return nil, err
	}
	if len(j)+headerSize > maxMessage {
		return nil, fmt.Errorf("%w: %d bytes, more than %d", errMessage, len(j)+headerSize, maxMessage)
	}
	b := make([]byte, headerSize, headerSize+len(j))
	b[0], b[1], b[2] = version, uint8(h.op), h.flags
	binary.LittleEndian.PutUint32(b[4:], h.id)
	return append(b, j...), nil
}

// decode reads one message into body.
func decode(b []byte, body any) (h header, err error) {
	switch {
	case len(b) < headerSize+2 || len(b) > maxMessage:
		return h, fmt.Errorf("%w: %d bytes", errMessage, len(b))
	case b[0] != version:
		return h, fmt.Errorf("%w: version %d, not %d: do not replace the program while it runs", errMessage, b[0], version)
	case b[3] != 0 || b[2]&^(flagReply|flagMore) != 0:
		return h, fmt.Errorf("%w: flags", errMessage)
	}
	h = header{Op(b[1]), b[2], binary.LittleEndian.Uint32(b[4:])}
	if h.op == 0 || h.op > lastOp {
		return h, fmt.Errorf("%w: operation %d", errMessage, h.op)
	}
	d := json.NewDecoder(bytes.NewReader(b[headerSize:]))
	d.DisallowUnknownFields()
	if err := d.Decode(body); err != nil {
		return h, fmt.Errorf("%w: %w", errMessage, err)
	}
	if _, err := d.Token(); err != io.EOF {
		return h, fmt.Errorf("%w: more than one object", errMessage)
	}
	return h, nil
}

// check refuses what an operation does not use, and too much of anything.
func (r *request) check(op Op) error {
	var want request
	switch op {
	case OpPacket:
		want.Raw = r.Raw
	case OpInject:
		want.Mark = r.Mark
	case OpQueue:
		if want.Queue = r.Queue; r.Queue == nil {
			return fmt.Errorf("%w: no queue", errMessage)
		}
	case OpInstall:
		if want.Install = r.Install; r.Install == nil {
			return fmt.Errorf("%w: no rules", errMessage)
		}
		if len(r.Install.LAN) > maxInterfaces || r.Install.Workers > maxQueues {
			return fmt.Errorf("%w: too many interfaces or queues", errMessage)
		}
	case OpPut, OpDelete:
		want.Entries = r.Entries
	case OpNever, OpAllowed:
		want.Prefixes = r.Prefixes
	case OpPlugin:
		if want.Plugin = r.Plugin; r.Plugin == nil {
			return fmt.Errorf("%w: no devices", errMessage)
		}
	case OpListen:
		if want.Listen = r.Listen; r.Listen == nil || !r.Listen.At.IsValid() {
			return fmt.Errorf("%w: no address", errMessage)
		}
	case OpEvents:
		want.Rotate = r.Rotate
	}
	switch {
	case r.Raw != want.Raw, r.Mark != want.Mark, r.Queue != want.Queue, r.Install != want.Install, r.Plugin != want.Plugin, r.Listen != want.Listen, r.Rotate != want.Rotate,
		len(r.Entries) != len(want.Entries), len(r.Prefixes) != len(want.Prefixes):
		return fmt.Errorf("%w: a field of another operation", errMessage)
	case len(r.Entries) > maxEntries, len(r.Prefixes) > maxPrefixes:
		return fmt.Errorf("%w: too many entries", errMessage)
	}
	return nil
}

// maxInterfaces bounds the interfaces of the home.
const maxInterfaces = 64
