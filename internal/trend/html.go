package trend

import (
	_ "embed"
	"fmt"
	"html/template"
	"io"
	"regexp"

	"github.com/yamori-net/yamori/internal/report"
)

//go:embed report.html
var page string

var pageTemplate = template.Must(template.New("report").Funcs(template.FuncMap{
	"number": number, "percent": percent, "change": change, "linked": linked,
}).Parse(page))

// view is what the page shows.
type view struct {
	W            *words
	R            *Report
	Span         string
	Sentence     string
	BlockedPart  string
	OutboundPart string
	Columns      plot
	Line         plot
	PlotEvents   string // titles of the two
	PlotShare    string
	Times        []viewTimes
	Tables       []viewTable
	Lists        []viewList
}

// The template's way to the words.

// LangCode is the language of the page.
func (w *words) LangCode() string { return w.lang }

// Heading is the page's title.
func (w *words) Heading() string { return w.title }

// DemoNote says that the page is a demonstration.
func (w *words) DemoNote() string { return w.demo }

// Nothing says that there were no events.
func (w *words) Nothing() string { return w.none }

// L returns a label by the name of its field; the page's test finds a name
// that does not exist.
func (w *words) L(name string) (string, error) {
	for _, l := range [...]struct{ name, text string }{
		{"total", w.total}, {"mining", w.mining}, {"share", w.share}, {"blocked", w.blocked}, {"outbound", w.outbound}, {"busiest", w.busiest},
		{"growth", w.growth}, {"events", w.events}, {"part", w.part}, {"name", w.name},
		{"rest", w.rest},
	} {
		if l.name == name {
			return l.text, nil
		}
	}
	return "", fmt.Errorf("the page has no word %q", name)
}

// viewTimes is a table of months or weeks.
type viewTimes struct {
	Title, Head string
	Rows        []Bucket
}

// maxWeekRows bounds the weeks that the page lists: half a year.
const maxWeekRows = 27

type viewTable struct {
	Title, Note string
	Rows        []viewRow
}

type viewRow struct {
	Label, Count, Share, Change string
	Width                       int // of the bar, per cent of the largest
}

type viewList struct {
	Title string
	Lines []string
}

// piece is a part of a line; URL is set where it is a link.
type piece struct{ Text, URL string }

// web is an address that a line of sources may lead to.
var web = regexp.MustCompile(`https://[a-z0-9.-]+[a-z0-9](/[A-Za-z0-9._/-]*[A-Za-z0-9/])?`)

// linked makes links of the addresses in a line. Those who give data away ask
// for one where it is shown; the page loads nothing from there.
func linked(line string) (out []piece) {
	for {
		at := web.FindStringIndex(line)
		if at == nil {
			return append(out, piece{Text: line})
		}
		out = append(out, piece{Text: line[:at[0]]}, piece{line[at[0]:at[1]], line[at[0]:at[1]]})
		line = line[at[1]:]
	}
}

// WriteHTML writes the report as one page that loads nothing, follows the
// reader's light or dark colours, and prints.
func WriteHTML(out io.Writer, r *Report, lang report.Lang) error {
	w := wordsOf(lang)
	v := view{W: w, Sentence: fmt.Sprintf(w.sentence, number(r.Total.Count), number(r.Mining.Count), percent(r.Share)), R: r, Span: w.span(r.From, r.To), BlockedPart: percent(part(r.Blocked, r.Total.Count)), OutboundPart: percent(part(r.Outbound, r.Total.Count))}
	list := begun(r.Months)
	v.PlotEvents, v.PlotShare = w.plotEvents, w.plotShare
	if len(list) < 3 && len(r.Days) > 0 {
		list = r.Days
		v.PlotEvents, v.PlotShare = w.plotEventsDay, w.plotShareDay
	}
	v.Times = []viewTimes{{w.byMonth, w.month, begun(r.Months)}}
	if n := len(r.Weeks); n > 1 && n <= maxWeekRows && !r.Demo { // the demonstration knows months alone
		v.Times = append(v.Times, viewTimes{w.byWeek, w.week, r.Weeks})
	}
	v.Columns, v.Line = columns(list), line(list)
	for _, t := range r.tables(w) {
		vt := viewTable{Title: t.title, Note: t.note}
		var most uint64
		for i := range t.rows {
			most = max(most, t.rows[i].Count)
		}
		for i := range t.rows {
			s := &t.rows[i]
			vt.Rows = append(vt.Rows, viewRow{Label: w.label(s, t.title), Count: number(s.Count), Share: percent(s.Share), Change: change(s.Growth), Width: scale(s.Count, most, 100)})
		}
		v.Tables = append(v.Tables, vt)
	}
	if len(r.Notes) > 0 {
		v.Lists = append(v.Lists, viewList{w.notes, w.lines(r.Notes)})
	}
	if len(r.Sources) > 0 {
		v.Lists = append(v.Lists, viewList{w.source, w.lines(r.Sources)})
	}
	return pageTemplate.Execute(out, &v)
}
