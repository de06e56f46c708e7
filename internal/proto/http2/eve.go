package http2

import (
	"encoding/binary"

	"github.com/yamori-net/yamori/internal/event"
	"github.com/yamori-net/yamori/internal/packet"
)

// errorNames are RFC 9113 section 7's codes as Suricata tells them.
var errorNames = [...]string{"NOERROR", "PROTOCOLERROR", "INTERNALERROR", "FLOWCONTROLERROR", "SETTINGSTIMEOUT", "STREAMCLOSED", "FRAMESIZEERROR",
	"REFUSEDSTREAM", "CANCEL", "COMPRESSIONERROR", "CONNECTERROR", "ENHANCEYOURCALM", "INADEQUATESECURITY", "HTTP11REQUIRED"}

// settingNames are those of section 6.5.2, by number.
var settingNames = [...]string{1: "SETTINGSHEADERTABLESIZE", "SETTINGSENABLEPUSH", "SETTINGSMAXCONCURRENTSTREAMS", "SETTINGSINITIALWINDOWSIZE",
	"SETTINGSMAXFRAMESIZE", "SETTINGSMAXHEADERLISTSIZE"}

// EncodeEVE implements proto.Tx.
func (t *Tx) EncodeEVE(e *event.Encoder) {
	e.Obj("http")
	e.Str("version", "2")
	e.OptBytes("hostname", t.Host)
	e.OptBytes("url", t.Path)
	e.OptBytes("http_user_agent", t.UserAgent)
	e.OptBytes("http_content_type", t.ContentType)
	e.OptBytes("http_refer", t.Header(packet.ToServer, "referer"))
	e.OptBytes("http_method", t.Method)
	if t.Status != 0 {
		e.Int("status", int64(t.Status))
		if t.Status/100 == 3 {
			e.OptBytes("redirect", t.Header(packet.ToClient, "location"))
		}
	}
	e.Int("length", t.ResponseLen)
	e.Obj("http2")
	e.Uint("stream_id", uint64(t.Stream))
	t.encodeFrames(e, "request", packet.ToServer)
	t.encodeFrames(e, "response", packet.ToClient)
	e.EndObj()
	e.EndObj()
}

// encodeFrames appends what frames of a side said: settings, the error that ended
// the stream or connection, and the weight of the stream's priority.
func (t *Tx) encodeFrames(e *event.Encoder, key string, d packet.Dir) {
	settings := t.of(d, frSettings)
	weight, weighed := t.weight, t.weighed && d == packet.ToServer
	if b := t.of(d, frPriority); len(b) >= 5 {
		weight, weighed = b[4], true
	}
	if len(settings) < 6 && !t.hasError[d] && !weighed {
		return
	}
	e.Obj(key)
	if len(settings) >= 6 {
		e.Arr("settings")
		for ; len(settings) >= 6; settings = settings[6:] {
			id := binary.BigEndian.Uint16(settings)
			name := "SETTINGSUNKNOWN"
			if int(id) < len(settingNames) && id > 0 {
				name = settingNames[id]
			}
			e.Obj("")
			e.Str("settings_id", name)
			e.Uint("settings_value", uint64(binary.BigEndian.Uint32(settings[2:])))
			e.EndObj()
		}
		e.EndArr()
	}
	if t.hasError[d] {
		name := "UNKNOWN"
		if c := t.Error[d]; int(c) < len(errorNames) {
			name = errorNames[c]
		}
		e.Str("error_code", name)
	}
	if weighed {
		e.Uint("priority", uint64(weight))
	}
	e.EndObj()
}
