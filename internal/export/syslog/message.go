package syslog

import (
	"bytes"
	"os"
	"strconv"
	"time"
	"unicode/utf8"

	"github.com/yamori-net/yamori/internal/event"
)

// sdID names the structured data. The number is the one set aside for
// documentation (RFC 5612): the project has none of its own.
const sdID = "yamori@32473"

// format makes messages. It belongs to one worker's front.
type format struct {
	pri  int // of the facility
	host string
	pid  string
	eve  bool
	max  int
	line event.EVE
	json []byte
	buf  []byte
}

func newFormat(c *Config) format {
	f := format{pri: facilities[c.Facility] * 8, host: c.Host, pid: strconv.Itoa(os.Getpid()), eve: c.Format == "eve", max: maxMessage}
	if c.Network == "udp" {
		f.max = maxDatagram
	}
	return f
}

// severity of RFC 5424 section 6.2.1.
func severity(ev *event.Event) int {
	if ev.Finding == nil {
		return 6 // informational
	}
	switch {
	case ev.Finding.Quiet || ev.Finding.Level == event.Suspect:
		return 5 // notice
	case ev.Finding.Severity == 1:
		return 2 // critical
	case ev.Finding.Severity == 2:
		return 4 // warning
	}
	return 5
}

// message makes one message of ev; valid until the next call.
func (f *format) message(ev *event.Event) []byte {
	b := f.buf[:0]
	b = append(b, '<')
	b = strconv.AppendInt(b, int64(f.pri+severity(ev)), 10)
	b = append(b, ">1 "...)
	b = time.Unix(0, ev.Time).UTC().AppendFormat(b, "2006-01-02T15:04:05.000000Z07:00")
	b = append(b, ' ')
	b = append(b, f.host...)
	b = append(b, " yamori "...)
	b = append(b, f.pid...)
	b = append(b, ' ')
	b = append(b, ev.Type...)
	b = append(b, ' ')
	if fi := ev.Finding; fi != nil {
		b = f.data(b, ev, fi)
	} else {
		b = append(b, '-')
	}
	b = append(b, ' ')
	if f.eve {
		at := len(b)
		f.json = f.line.Append(f.json[:0], ev)
		b = append(b, bytes.TrimSpace(f.json)...)
		b = bom(b, at)
	} else if fi := ev.Finding; fi != nil {
		at := len(b)
		b = text(b, fi.Signature)
		b = append(b, ": "...)
		b = append(b, action(fi)...)
		b = bom(b, at)
	}
	f.buf = b
	return cut(b, f.max)
}

// bom puts the mark before a text from at on that is not plain ASCII, RFC 5424
// section 6.4.
func bom(b []byte, at int) []byte {
	for _, c := range b[at:] {
		if c >= utf8.RuneSelf {
			b = append(b, 0, 0, 0)
			copy(b[at+3:], b[at:len(b)-3])
			copy(b[at:], "\xef\xbb\xbf")
			break
		}
	}
	return b
}

func action(f *event.Finding) string {
	if f.Action == "" {
		return "allowed"
	}
	return f.Action
}

func (f *format) data(b []byte, ev *event.Event, fi *event.Finding) []byte {
	b = append(b, '[')
	b = append(b, sdID...)
	b = param(b, "category", string(fi.Category))
	b = param(b, "family", fi.Family)
	b = param(b, "level", fi.Level.String())
	b = param(b, "action", action(fi))
	b = param(b, "why", fi.Why)
	gid, sid := uint32(event.SignatureGID), fi.SignatureID
	if fi.Rule != nil {
		gid, sid = fi.Rule.GID, fi.Rule.SID
	}
	b = number(b, "gid", uint64(gid))
	b = number(b, "sid", uint64(sid))
	b = param(b, "device", fi.Device.ID)
	b = param(b, "kind", fi.Device.Kind)
	b = param(b, "name", fi.Device.Name)
	if ev.HasAddr {
		b = param(b, "src_ip", ev.Src.String())
		b = param(b, "dest_ip", ev.Dst.String())
		if ev.SrcPort != 0 || ev.DstPort != 0 {
			b = number(b, "src_port", uint64(ev.SrcPort))
			b = number(b, "dest_port", uint64(ev.DstPort))
		}
		b = number(b, "proto", uint64(ev.Proto))
	}
	b = param(b, "app_proto", ev.AppProto)
	if ev.FlowID != 0 {
		b = number(b, "flow_id", ev.FlowID)
	}
	return append(b, ']')
}

func number(b []byte, name string, v uint64) []byte {
	b = append(b, ' ')
	b = append(b, name...)
	b = append(b, '=', '"')
	b = strconv.AppendUint(b, v, 10)
	return append(b, '"')
}

// maxValue bounds a value, in bytes.
const maxValue = 256

// param appends a parameter; what is empty is left out.
func param(b []byte, name, v string) []byte {
	if v == "" {
		return b
	}
	b = append(b, ' ')
	b = append(b, name...)
	b = append(b, '=', '"')
	n := 0
	for _, r := range v {
		if n += utf8.RuneLen(r); n > maxValue {
			break
		}
		switch {
		case r == '"' || r == '\\' || r == ']': // section 6.3.3
			b = append(b, '\\', byte(r))
		case r < ' ' || r == 0x7f:
			b = append(b, ' ')
		default:
			b = utf8.AppendRune(b, r) // what is not UTF-8 becomes U+FFFD
		}
	}
	return append(b, '"')
}

// text appends v without line ends and control characters, so that a server
// that writes lines cannot be made to write one of an attacker's.
func text(b []byte, v string) []byte {
	for _, r := range v {
		if r < ' ' || r == 0x7f {
			r = ' '
		}
		b = utf8.AppendRune(b, r)
	}
	return b
}

// cut bounds a message at the end of a character.
func cut(b []byte, max int) []byte {
	if len(b) <= max {
		return b
	}
	n := max
	for n > 0 && !utf8.RuneStart(b[n]) {
		n--
	}
	return b[:n]
}
