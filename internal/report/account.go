package report

import (
	"bufio"
	"cmp"
	"fmt"
	"io"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/yamori-net/yamori/internal/device"
	"github.com/yamori-net/yamori/internal/engine"
	"github.com/yamori-net/yamori/internal/event"
)

// WriteAccount writes s for the people of the household.
func WriteAccount(out io.Writer, s *Summary, lang Lang) error {
	t := texts[lang]
	if t == nil {
		t = &english
	}
	w := bufio.NewWriter(out)
	head := t.headline
	if s.Live {
		head = t.watched
	}
	fmt.Fprintf(w, head+"\n", s.Source)
	st := &s.Stats
	if st.Packets == 0 {
		fmt.Fprintln(w, t.empty)
	} else {
		fmt.Fprintf(w, t.traffic+"\n", Count(st.Packets), Size(st.Bytes),
			t.span(st.Last-st.First), clock(st.First), clock(st.Last))
	}
	fmt.Fprintln(w)
	slices.SortStableFunc(s.Findings, func(a, b Finding) int { return cmp.Compare(b.Level, a.Level) })
	if len(s.Findings) == 0 {
		fmt.Fprintln(w, t.quiet)
	} else {
		if n := len(s.Findings); n == 1 {
			fmt.Fprintln(w, t.needsYou[0])
		} else {
			fmt.Fprintf(w, t.needsYou[1]+"\n", n)
		}
		for i := range s.Findings {
			writeFinding(w, t, &s.Findings[i], s.Devices)
		}
	}
	if s.More > 0 {
		fmt.Fprintf(w, t.more+"\n", s.More)
	}
	writeDevices(w, t, s.Devices)
	writeFlows(w, t, st.Apps)
	for _, c := range []struct {
		n    uint64
		text string
	}{{st.Malformed, t.malformed}, {st.Gaps, t.gaps}, {st.HeldLimit + st.ParserLimit + st.Shed, t.memory}, {st.Panics, t.panics}} {
		if c.n > 0 {
			fmt.Fprintf(w, "\n"+c.text, Count(c.n))
		}
	}
	if s.Problem != nil {
		fmt.Fprintf(w, "\n"+t.problem, s.Problem)
	}
	fmt.Fprintln(w)
	return w.Flush()
}

func writeFinding(w io.Writer, t *text, f *Finding, devs []device.Device) {
	who := deviceName(t, f, devs)
	fmt.Fprint(w, "\n! ")
	if f.Code == "dns.blocked" {
		fmt.Fprint(w, dnsBlocked(t, who, func(n string) string {
			for _, a := range f.Args {
				if a.Name == n {
					return printable(a.Value)
				}
			}
			return ""
		}))
	} else if f.Category == event.Mining && f.Code != "rule.match" || f.Code == "mining.farming" {
		coin, pool := "", f.Dst.String()
		if m := f.Mining; m != nil {
			if c := cmp.Or(m.Coin, m.Algorithm); c != "" {
				coin = bracket(t.lang, c)
			}
			pool = cmp.Or(m.Pool, pool)
		}
		// A code without words of its own is told as the most usual one.
		fmt.Fprintf(w, cmp.Or(t.happened[f.Code], t.happened["mining.stratum"]), who, coin, pool)
	} else {
		fmt.Fprintf(w, t.happened["other"], who, ruleName(t.lang, f.Signature))
	}
	fmt.Fprintf(w, " [%s]\n  ", t.howSure[f.Level.String()])
	if f.Count > 1 {
		fmt.Fprintf(w, t.times, f.Count)
	}
	fmt.Fprintf(w, t.since+"\n", clock(f.First))
	writeCost(w, t, f)
	fmt.Fprintf(w, "  %s%s\n", t.know, strings.TrimSpace(colon(t.lang)))
	said := map[string]bool{}
	for _, e := range f.Evidence {
		line := EvidenceText(t.lang, e.Code, e.Value)
		if s := words(e.Code, t.lang); s != "" {
			if said[s] {
				continue // another mark of the same thing
			}
			said[s] = true
		}
		fmt.Fprintf(w, "    - %s\n", line)
	}
	fmt.Fprintf(w, "  %s\n", t.weDid[cmp.Or(f.Action, "allowed")])
	fmt.Fprintf(w, "  %s\n", cmp.Or(t.youDo[f.Code], t.youDo[string(f.Category)], t.youDo["other"]))
	fmt.Fprintf(w, "  %s%s%s:%d → %s:%d", t.details, colon(t.lang), f.Src, f.SrcPort, f.Dst, f.DstPort)
	if m := f.Mining; m != nil {
		for _, d := range []struct{ name, v string }{{"dialect", m.Dialect}, {"coin", m.Coin}, {"algorithm", m.Algorithm},
			{"agent", m.Agent}, {"worker", m.Worker}, {"wallet", m.Wallet}, {"pool", m.Pool}} {
			if d.v != "" {
				fmt.Fprintf(w, "; %s %s", t.mining[d.name], printable(d.v))
			}
		}
	}
	fmt.Fprintln(w)
}

// WriteFinding writes one finding as it is made.
func WriteFinding(out io.Writer, f *Finding, lang Lang) {
	t := texts[lang]
	if t == nil {
		t = &english
	}
	w := bufio.NewWriter(out)
	writeFinding(w, t, f, nil)
	_ = w.Flush() // a terminal that is gone is found by the next reader of it
}

func deviceName(t *text, f *Finding, devs []device.Device) string {
	if f.Device.Name != "" {
		return printable(f.Device.Name)
	}
	for i := range devs {
		if d := &devs[i]; d.ID == f.Device.ID && d.HasMAC {
			return fmt.Sprintf("%s %s%s", t.unnamed, f.Src, bracket(t.lang, string(event.AppendMAC(nil, d.MAC))))
		}
	}
	return fmt.Sprintf("%s %s", t.unnamed, f.Src)
}

func writeDevices(w io.Writer, t *text, devs []device.Device) {
	if len(devs) == 0 {
		return
	}
	fmt.Fprintf(w, "\n"+t.devices+"\n", len(devs))
	const show = 30
	for i := range devs[:min(len(devs), show)] {
		d := &devs[i]
		mac := "-"
		if d.HasMAC {
			mac = string(event.AppendMAC(nil, d.MAC))
		}
		var addrs []string
		for _, a := range d.Addresses[:min(len(d.Addresses), 4)] {
			addrs = append(addrs, a.String())
		}
		if len(d.Addresses) > 4 {
			addrs = append(addrs, "…")
		}
		fmt.Fprintf(w, "  %-17s  %s", mac, strings.Join(addrs, " "))
		for _, s := range [...]string{printable(d.Name), KindText(d, t.lang)} {
			if s != "" {
				fmt.Fprintf(w, "  %s", s)
			}
		}
		fmt.Fprintln(w)
	}
	if len(devs) > show {
		fmt.Fprintln(w, "  …")
	}
}

func writeFlows(w io.Writer, t *text, apps map[string]engine.AppCount) {
	if len(apps) == 0 {
		return
	}
	fmt.Fprintf(w, "\n%s\n", t.flows)
	keys := slices.SortedFunc(maps.Keys(apps), func(a, b string) int {
		return cmp.Or(cmp.Compare(apps[b].Flows, apps[a].Flows), strings.Compare(a, b))
	})
	for _, k := range keys {
		name := k
		switch k {
		case "":
			name = t.none
		case engine.Unrecognised:
			name = t.unknown
		}
		columns := len(name)
		if t.lang == Japanese && name != k {
			columns = 2 * utf8.RuneCountInString(name)
		}
		fmt.Fprintf(w, "  %s%*s %10s  %10s\n", name, max(0, 16-columns), "", Count(apps[k].Flows), Size(apps[k].Bytes))
	}
}

// printable makes hostile text safe for a terminal: control characters and
// broken UTF-8 become a visible mark.
func printable(s string) string {
	return strings.Map(func(r rune) rune {
		if strconv.IsPrint(r) {
			return r
		}
		return '\ufffd'
	}, s)
}

func clock(ns int64) string { return time.Unix(0, ns).UTC().Format("2006-01-02 15:04:05 UTC") }

// Count writes n with separators: 12,345.
func Count(n uint64) string {
	s := strconv.FormatUint(n, 10)
	for i := len(s) - 3; i > 0; i -= 3 {
		s = s[:i] + "," + s[i:]
	}
	return s
}

// Size writes bytes in decimal units: 8.1 MB.
func Size(n uint64) string {
	f, unit := float64(n), "B"
	for _, u := range []string{"kB", "MB", "GB", "TB"} {
		if f < 1000 {
			break
		}
		f, unit = f/1000, u
	}
	if unit == "B" {
		return strconv.FormatUint(n, 10) + " B"
	}
	return strconv.FormatFloat(f, 'f', 1, 64) + " " + unit
}

// span is Span in the words of t.
func (t *text) span(ns int64) string {
	if t.lang == Japanese && ns >= int64(time.Second) {
		return For(Japanese, time.Duration(ns))
	}
	return Span(ns)
}

// Span writes a duration of ns in the largest sensible units: 14m0s, 0.8s.
func Span(ns int64) string {
	d := time.Duration(max(0, ns))
	switch {
	case d >= time.Minute:
		return d.Round(time.Second).String()
	case d >= time.Second:
		return d.Round(100 * time.Millisecond).String()
	}
	return d.Round(time.Millisecond).String()
}
