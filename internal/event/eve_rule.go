package event

import "github.com/yamori-net/yamori/internal/packet"

// rule appends the alert object of a rule, as Suricata writes it.
func (w *EVE) rule(ev *Event) {
	f := ev.Finding
	action := "allowed"
	if f.Action == "blocked" {
		action = "blocked"
	}
	EncodeRule(&w.enc, ev, f.Rule, action, f.Context)
}

// EncodeRule appends the object "alert" of a rule that matched in what ev is
// about. action is "allowed" or "blocked"; context holds members of the object
// "context", if any.
func EncodeRule(e *Encoder, ev *Event, r *Rule, action string, context []byte) {
	e.Obj("alert")
	e.Str("action", action)
	e.Uint("gid", uint64(r.GID))
	e.Uint("signature_id", uint64(r.SID))
	e.Uint("rev", uint64(r.Rev))
	e.Str("signature", r.Msg)
	e.Str("category", r.Category)
	e.Uint("severity", uint64(r.Severity))
	switch r.Target {
	case "src_ip":
		side(e, "source", ev, ev.Dst, ev.DstPort)
		side(e, "target", ev, ev.Src, ev.SrcPort)
	case "dest_ip":
		side(e, "source", ev, ev.Src, ev.SrcPort)
		side(e, "target", ev, ev.Dst, ev.DstPort)
	}
	if len(r.Metadata) > 0 {
		e.Obj("metadata")
		for i, p := range r.Metadata {
			if again(r.Metadata[:i], p.Key) {
				continue
			}
			e.comma() // the key is a rule's text: escaped
			e.B = AppendString(e.B, p.Key)
			e.B = append(e.B, ':', '[')
			for _, q := range r.Metadata[i:] {
				if q.Key == p.Key {
					e.Str("", q.Value)
				}
			}
			e.EndArr()
		}
		e.EndObj()
	}
	if len(context) > 0 {
		e.Obj("context")
		e.Raw(context)
		e.EndObj()
	}
	e.EndObj()
}

func again(ps []Pair, key string) bool {
	for _, p := range ps {
		if p.Key == key {
			return true
		}
	}
	return false
}

// side appends one end of an alert whose rule says who is attacked.
func side(e *Encoder, k string, ev *Event, a packet.Addr, port uint16) {
	e.Obj(k)
	e.Addr("ip", a)
	if hasPorts(ev.Proto) {
		e.Uint("port", uint64(port))
	}
	e.EndObj()
}
