package report

import (
	"io"
	"maps"
	"slices"
	"strings"

	"github.com/yamori-net/yamori/internal/event"
)

// WriteJSON writes s as one JSON object with a newline: docs/formats/README.md
// describes it.
func WriteJSON(w io.Writer, s *Summary) error {
	e := &event.Encoder{}
	e.Obj("")
	e.Obj("capture")
	e.Str("source", s.Source)
	e.Uint("packets", s.Stats.Packets)
	e.Uint("bytes", s.Stats.Bytes)
	if s.Stats.Packets > 0 {
		e.Time("first", s.Stats.First)
		e.Time("last", s.Stats.Last)
	}
	if s.Problem != nil {
		e.Str("error", s.Problem.Error())
	}
	e.EndObj()

	e.Arr("devices")
	for i := range s.Devices {
		d := &s.Devices[i]
		e.Obj("")
		d.Encode(e)
		e.EndObj()
	}
	e.EndArr()

	e.Arr("findings")
	for i := range s.Findings {
		encodeFinding(e, &s.Findings[i])
	}
	e.EndArr()
	if s.More > 0 {
		e.Uint("findings_not_kept", s.More)
	}

	e.Obj("flows")
	for _, k := range slices.SortedFunc(maps.Keys(s.Stats.Apps), strings.Compare) {
		name := k
		if k == "" {
			name = "none" // no payload: nothing to recognise
		}
		e.Uint(name, s.Stats.Apps[k].Flows)
	}
	e.EndObj()

	e.Obj("counters")
	st := &s.Stats
	for _, c := range []struct {
		name string
		v    uint64
	}{
		{"flows", st.Flows}, {"malformed_packets", st.Malformed}, {"non_ip_packets", st.NonIP},
		{"arp_packets", st.ARP}, {"fragments", st.Fragments}, {"stream_gaps", st.Gaps},
		{"anomalies", st.Anomalies}, {"packets_without_flow", st.NoFlow}, {"memory_limit_flows", st.HeldLimit + st.ParserLimit + st.Shed},
		{"panics", st.Panics},
	} {
		e.Uint(c.name, c.v)
	}
	e.EndObj()
	e.EndObj()
	e.B = append(e.B, '\n')
	_, err := w.Write(e.B)
	return err
}

func encodeFinding(e *event.Encoder, f *Finding) {
	e.Obj("")
	e.Str("category", string(f.Category))
	e.Str("family", f.Family)
	e.Str("detector", f.Detector)
	e.Str("verdict", f.Level.String())
	e.Float("confidence", f.Confidence, 3)
	e.Str("action", f.Action)
	e.Addr("src_ip", f.Src)
	e.Uint("src_port", uint64(f.SrcPort))
	e.Addr("dest_ip", f.Dst)
	e.Uint("dest_port", uint64(f.DstPort))
	e.Str("proto", string(event.AppendProto(nil, f.Proto)))
	e.Str("app_proto", f.AppProto)
	e.Time("first", f.First)
	e.Time("last", f.Last)
	e.Uint("count", uint64(f.Count))
	e.Str("device", f.Device.ID)
	e.OptStr("device_kind", f.Device.Kind)
	e.OptStr("device_name", f.Device.Name)
	if f.Mining != nil {
		m := *f.Mining
		if r := f.tally.total(); r != nil {
			m.Run = r
		}
		event.EncodeMining(e, &m)
	}
	event.EncodeEvidence(e, f.Evidence)
	e.Obj("explain")
	e.Str("code", f.Code)
	e.Obj("args")
	for _, a := range f.Args {
		e.Str(a.Name, a.Value)
	}
	e.EndObj()
	e.EndObj()
	e.EndObj()
}
