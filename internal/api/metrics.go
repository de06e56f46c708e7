package api

import (
	"bytes"
	"fmt"
	"math"
	"runtime"
	"slices"
	"strconv"
	"strings"
)

// Sample is one figure of /metrics. Only names of the table below with exactly
// its labels are shown, so that nothing counts by client or by host name.
type Sample struct {
	Name   string
	Labels []string // values, in the order of the table
	Value  float64
	Hist   *Histogram // of a histogram; Value is not used
}

// Histogram counts values by upper bound. Counts has one more than Bounds: the
// rest.
type Histogram struct {
	Bounds []float64
	Counts []uint64
	Sum    float64
}

// metric is a line of the table.
type metric struct {
	name, typ, help string
	labels          []string
}

// maxSeries bounds the samples of one metric.
const maxSeries = 256

var metrics = []metric{
	{"yamori_build_info", "gauge", "Always 1; the label says which version runs.", []string{"version"}},
	{"yamori_packets_total", "counter", "Packets seen.", []string{"dir", "verdict"}},
	{"yamori_bytes_total", "counter", "Bytes seen.", []string{"dir"}},
	{"yamori_flows_active", "gauge", "Flows open now.", nil},
	{"yamori_alerts_total", "counter", "Findings and alerts of rules.", []string{"category", "severity", "action"}},
	{"yamori_verdict_latency_seconds", "histogram", "From the packet's arrival to its verdict.", nil},
	{"yamori_queue_depth", "gauge", "Events that wait.", []string{"queue"}},
	{"yamori_queue_drops_total", "counter", "Events that found no room.", []string{"queue"}},
	{"yamori_capture_drops_total", "counter", "Frames that the kernel could not keep.", nil},
	{"yamori_fail_open_total", "counter", "Packets that passed unseen so that the home stays connected.", nil},
	{"yamori_released_total", "counter", "Times that a connection, or a side of one, was let go of in line.", []string{"protocol", "reason"}},
	{"yamori_released_bytes_total", "counter", "Bytes of ended TCP connections that went by after that.", []string{"protocol"}},
	{"yamori_rules_loaded", "gauge", "Rules loaded.", []string{"set"}},
	{"yamori_rules_age_seconds", "gauge", "Since the rules were loaded.", nil},
	{"yamori_devices", "gauge", "Devices known.", []string{"type", "state"}},
	{"yamori_notifications_total", "counter", "Messages sent to people.", []string{"channel", "result"}},
	{"yamori_dns_queries_total", "counter", "Questions for names.", nil},
	{"yamori_dns_answers_total", "counter", "Answers to questions for names, by where they came from.", []string{"source"}},
	{"yamori_dns_blocked_total", "counter", "Names refused.", []string{"reason"}},
	{"yamori_dns_dropped_total", "counter", "Questions for names that were not answered.", []string{"reason"}},
	{"yamori_dns_list_names", "gauge", "Names that a list refuses.", []string{"list"}},
	{"yamori_db_bytes", "gauge", "Size of the event store.", nil},
	{"yamori_panics_total", "counter", "Panics that cost a flow or a request.", []string{"part"}},
	{"yamori_http_requests_total", "counter", "Requests to the API.", []string{"code"}},
	{"yamori_http_refused_total", "counter", "Requests with a foreign host or origin.", nil},
	{"yamori_http_listeners", "gauge", "Listeners to live events.", nil},
	{"go_goroutines", "gauge", "Goroutines.", nil},
	{"go_memstats_heap_inuse_bytes", "gauge", "Heap in use.", nil},
	{"go_memstats_sys_bytes", "gauge", "Memory taken from the system.", nil},
	{"go_gc_cycles_total", "counter", "Collections of garbage.", nil},
}

// own are the samples that the API knows itself.
func (s *Server) own() []Sample {
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	out := []Sample{
		{Name: "yamori_build_info", Labels: []string{s.cfg.Version}, Value: 1},
		{Name: "yamori_panics_total", Labels: []string{"api"}, Value: float64(s.counts.panics.Load())},
		{Name: "yamori_http_refused_total", Value: float64(s.counts.refused.Load())},
		{Name: "yamori_http_listeners", Value: float64(s.cfg.Events.Listening())},
		{Name: "go_goroutines", Value: float64(runtime.NumGoroutine())},
		{Name: "go_memstats_heap_inuse_bytes", Value: float64(m.HeapInuse)},
		{Name: "go_memstats_sys_bytes", Value: float64(m.Sys)},
		{Name: "go_gc_cycles_total", Value: float64(m.NumGC)},
	}
	for i := 1; i < len(s.counts.requests); i++ {
		out = append(out, Sample{Name: "yamori_http_requests_total", Labels: []string{strconv.Itoa(i) + "xx"}, Value: float64(s.counts.requests[i].Load())})
	}
	return out
}

func getMetrics(c *call) error {
	all := c.s.own()
	if st := c.s.cfg.Backend.State; st != nil {
		all = append(all, st.Metrics(c.ctx())...)
	}
	return c.text("text/plain; version=0.0.4; charset=utf-8", expose(all))
}

// expose writes the text format of Prometheus, version 0.0.4.
func expose(all []Sample) []byte {
	var b bytes.Buffer
	for _, m := range metrics {
		n := 0
		for i := range all {
			x := &all[i]
			if x.Name != m.name || len(x.Labels) != len(m.labels) || (m.typ == "histogram") != (x.Hist != nil) || n >= maxSeries {
				continue
			}
			if n == 0 {
				fmt.Fprintf(&b, "# HELP %s %s\n# TYPE %s %s\n", m.name, m.help, m.name, m.typ)
			}
			n++
			if x.Hist != nil {
				x.Hist.expose(&b, m.name)
				continue
			}
			b.WriteString(m.name)
			for j, l := range m.labels {
				b.WriteByte("{,"[min(j, 1)])
				fmt.Fprintf(&b, `%s="%s"`, l, escapeLabel.Replace(cutText(x.Labels[j], 64)))
			}
			if len(m.labels) > 0 {
				b.WriteByte('}')
			}
			b.WriteByte(' ')
			b.WriteString(number(x.Value))
			b.WriteByte('\n')
		}
	}
	return b.Bytes()
}

var escapeLabel = strings.NewReplacer(`\`, `\\`, `"`, `\"`, "\n", `\n`)

func (h *Histogram) expose(b *bytes.Buffer, name string) {
	if len(h.Counts) != len(h.Bounds)+1 || !slices.IsSorted(h.Bounds) {
		return
	}
	var sum uint64
	for i, n := range h.Counts {
		sum += n
		le := "+Inf"
		if i < len(h.Bounds) {
			le = number(h.Bounds[i])
		}
		fmt.Fprintf(b, "%s_bucket{le=%q} %d\n", name, le, sum)
	}
	fmt.Fprintf(b, "%s_sum %s\n%s_count %d\n", name, number(h.Sum), name, sum)
}

func number(v float64) string {
	if v == math.Trunc(v) && math.Abs(v) < 1e15 {
		return strconv.FormatInt(int64(v), 10)
	}
	return strconv.FormatFloat(v, 'g', -1, 64)
}
