package http

import "github.com/yamori-net/yamori/internal/event"

// EventType implements proto.Tx.
func (t *Tx) EventType() event.Type { return "http" }

// EncodeEVE implements proto.Tx: Suricata's http object.
func (t *Tx) EncodeEVE(e *event.Encoder) {
	e.Obj("http")
	e.OptBytes("hostname", t.Host)
	if t.Port != 0 {
		e.Uint("http_port", uint64(t.Port))
	}
	e.OptBytes("url", t.URI)
	e.OptBytes("http_user_agent", t.UserAgent)
	e.OptBytes("http_content_type", t.ContentType)
	e.OptBytes("http_refer", t.Referer)
	e.OptBytes("http_method", t.Method)
	e.OptBytes("protocol", t.Version)
	if t.Status != 0 {
		e.Int("status", int64(t.Status))
		if t.Status/100 == 3 {
			e.OptBytes("redirect", find(t.ResponseHeaders, "location"))
		}
	}
	e.Int("length", t.ResponseLen)
	e.EndObj()
}
