package trend

import (
	"bufio"
	"encoding/csv"
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/yamori-net/yamori/internal/event"
	"github.com/yamori-net/yamori/internal/report"
)

// WriteJSON writes the report as one JSON object.
func WriteJSON(out io.Writer, r *Report) error {
	e := json.NewEncoder(out)
	e.SetIndent("", "  ")
	e.SetEscapeHTML(false)
	return e.Encode(r)
}

// WriteCSV writes one line for each line of each table (RFC 4180, with a
// heading): table, name, label, count, share, blocked, before, growth; then the
// sources and notes, in name. Fields
// that a spreadsheet would run as a formula are written with a leading quote.
func WriteCSV(out io.Writer, r *Report) error {
	w := csv.NewWriter(out)
	w.UseCRLF = true
	_ = w.Write([]string{"table", "name", "label", "count", "share", "blocked", "before", "growth"})
	line := func(table, name, label string, f Figure, share float64, blocked uint64) {
		rec := []string{table, name, label, strconv.FormatUint(f.Count, 10), strconv.FormatFloat(share, 'f', 6, 64), strconv.FormatUint(blocked, 10), "", ""}
		if f.Before != nil {
			rec[6] = strconv.FormatUint(*f.Before, 10)
		}
		if f.Growth != nil {
			rec[7] = strconv.FormatFloat(*f.Growth, 'f', 6, 64)
		}
		for i := range rec[:3] {
			rec[i] = safeCell(rec[i])
		}
		_ = w.Write(rec)
	}
	line("total", "all", "", r.Total, 1, r.Blocked)
	line("total", "mining", "", r.Mining, r.Share, 0)
	for _, t := range []struct {
		name string
		list []Bucket
	}{{"month", r.Months}, {"week", r.Weeks}, {"day", r.Days}} {
		for _, b := range t.list {
			line(t.name, b.Key, "all", Figure{Count: b.Total}, 1, b.Blocked)
			for _, c := range sorted(b.Categories) {
				f := Figure{Count: b.Categories[c]}
				if c == event.Mining {
					f.Growth = b.Growth
				}
				line(t.name, b.Key, string(c), f, part(f.Count, b.Total), 0)
			}
		}
	}
	for _, t := range []struct {
		name string
		list []Share
	}{{"category", r.Categories}, {"family", r.Families}, {"device_kind", r.Kinds}, {"mining_device_kind", r.Miners},
		{"device", r.Devices}, {"country", r.Countries}, {"network", r.Networks}} {
		for _, s := range t.list {
			line(t.name, s.Name, s.Label, s.Figure, s.Share, s.Blocked)
		}
	}
	// What must go where the figures go: licences, and what is illustrative.
	for _, s := range r.Sources {
		_ = w.Write([]string{"source", safeCell(s), "", "", "", "", "", ""})
	}
	for _, s := range r.Notes {
		_ = w.Write([]string{"note", safeCell(s), "", "", "", "", "", ""})
	}
	w.Flush()
	return w.Error()
}

func sorted(m map[event.Category]uint64) []event.Category {
	out := make([]event.Category, 0, len(m))
	for c := range m {
		out = append(out, c)
	}
	slices.Sort(out)
	return out
}

// safeCell keeps a spreadsheet from running a name that an attacker chose
// (OWASP, CSV injection; the wide forms are run by spreadsheets in East Asia).
func safeCell(s string) string {
	if r, n := utf8.DecodeRuneInString(s); n > 0 && strings.ContainsRune("=+-@\t\r\n＝＋－＠", r) {
		return "'" + s
	}
	return s
}

// maxLabel bounds the first column of a table on a terminal, so that a line has
// at most 80.
const maxLabel = 44

// WriteText writes the report for a terminal.
func WriteText(out io.Writer, r *Report, lang report.Lang) error {
	w := wordsOf(lang)
	b := bufio.NewWriter(out)
	fmt.Fprintf(b, "%s\n%s\n", w.title, w.span(r.From, r.To))
	if r.Demo {
		fmt.Fprintf(b, "%s\n", w.demo)
	}
	if r.Total.Count == 0 {
		fmt.Fprintf(b, "\n%s\n", w.none)
		return b.Flush()
	}
	fmt.Fprintf(b, "\n"+w.sentence+"\n", number(r.Total.Count), number(r.Mining.Count), percent(r.Share))
	for _, l := range [][2]string{
		{w.total, number(r.Total.Count) + "  " + change(r.Total.Growth)}, {w.mining, number(r.Mining.Count) + "  " + change(r.Mining.Growth)},
		{w.blocked, number(r.Blocked) + "  " + percent(part(r.Blocked, r.Total.Count))}, {w.outbound, number(r.Outbound) + "  " + percent(part(r.Outbound, r.Total.Count))},
		{w.busiest, r.Busiest},
	} {
		fmt.Fprintf(b, "  %s %s\n", pad(l[0], 24), l[1])
	}
	list, head := begun(r.Months), w.byMonth
	if len(list) < 2 {
		list, head = begun(r.Weeks), w.byWeek
	}
	var most uint64
	for _, x := range list {
		most = max(most, x.Total)
	}
	fmt.Fprintf(b, "\n%s (█ %s, ░ %s)\n", head, w.mining, w.rest)
	for _, x := range list {
		fmt.Fprintf(b, "  %s %12s %8s  %s%s\n", pad(x.Key, 10), number(x.Total), percent(x.MiningShare),
			strings.Repeat("█", scale(x.Mining, most, 40)), strings.Repeat("░", scale(x.Total, most, 40)-scale(x.Mining, most, 40)))
	}
	for _, t := range r.tables(w) {
		fmt.Fprintf(b, "\n%s", t.title)
		if t.note != "" {
			fmt.Fprintf(b, " (%s)", t.note)
		}
		fmt.Fprintln(b)
		wide := 28
		for _, s := range t.rows {
			wide = min(max(wide, columnsOf(printable(w.label(&s, t.title)))), maxLabel)
		}
		for _, s := range t.rows {
			fmt.Fprintf(b, "  %s %12s %8s  %s\n", pad(w.label(&s, t.title), wide), number(s.Count), percent(s.Share), change(s.Growth))
		}
	}
	for _, l := range []struct {
		head string
		list []string
	}{{w.notes, w.lines(r.Notes)}, {w.source, w.lines(r.Sources)}} {
		if len(l.list) > 0 {
			fmt.Fprintf(b, "\n%s\n", l.head)
		}
		for _, s := range l.list {
			fmt.Fprintf(b, "  %s\n", s)
		}
	}
	return b.Flush()
}

// scale maps n of most to a bar of at most width.
func scale(n, most uint64, width int) int {
	if most == 0 {
		return 0
	}
	return int(float64(n)/float64(most)*float64(width) + 0.5)
}

// pad fills s up to a width in terminal columns, or cuts it there. Control
// characters, which a device's name may hold, are left out.
func pad(s string, width int) string {
	if s = printable(s); columnsOf(s) > width {
		n := 1 // for the ellipsis
		for i, r := range s {
			if n += cells(r); n > width {
				s = s[:i] + "…"
				break
			}
		}
	}
	return s + strings.Repeat(" ", width-columnsOf(s))
}

func printable(s string) string {
	return strings.Map(func(r rune) rune {
		if r < 0x20 || r >= 0x7f && r < 0xa0 || r == utf8.RuneError {
			return -1
		}
		return r
	}, s)
}

func columnsOf(s string) (n int) {
	for _, r := range s {
		n += cells(r)
	}
	return n
}

// cells is how many columns a character takes: East Asian ones take two.
func cells(r rune) int {
	if r >= 0x1100 && (r <= 0x115f || r >= 0x2e80 && r <= 0xa4cf || r >= 0xac00 && r <= 0xd7a3 || r >= 0xf900 && r <= 0xfaff ||
		r >= 0xfe30 && r <= 0xfe6f || r >= 0xff00 && r <= 0xff60 || r >= 0xffe0 && r <= 0xffe6) {
		return 2
	}
	return 1
}
