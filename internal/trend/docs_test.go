package trend

import (
	"encoding/json"
	"fmt"
	"math"
	"os"
	"reflect"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/yamori-net/yamori/internal/event"
)

func reportsPage(t *testing.T) string {
	t.Helper()
	b, err := os.ReadFile("../../docs/reports.md")
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// tableAfter returns the cells of the first table after a piece of text,
// without its heading.
func tableAfter(t *testing.T, page, text string) (rows [][]string) {
	t.Helper()
	_, rest, ok := strings.Cut(page, text)
	if !ok {
		t.Fatalf("docs/reports.md has no %q", text)
	}
	for l := range strings.Lines(rest) {
		l = strings.TrimSpace(l)
		if !strings.HasPrefix(l, "|") {
			if len(rows) > 0 {
				break
			}
			continue
		}
		var cells []string
		for _, c := range strings.Split(strings.Trim(l, "|"), "|") {
			cells = append(cells, strings.TrimSpace(c))
		}
		rows = append(rows, cells)
	}
	if len(rows) < 3 {
		t.Fatalf("docs/reports.md has no table after %q", text)
	}
	return rows[2:]
}

var code = regexp.MustCompile("`([^`]*)`")

// TestDocumentedMembers: the page explains every member of the JSON object, and
// none that does not exist.
func TestDocumentedMembers(t *testing.T) {
	page := reportsPage(t)
	for _, c := range []struct {
		text string
		of   any
	}{{"## The JSON object", Report{}}, {"A *figure*:", Figure{}}, {"A *bucket* is", Bucket{}}, {"A *line* of a table", Share{}}} {
		var want, got []string
		for _, f := range reflect.VisibleFields(reflect.TypeOf(c.of)) {
			if name, _, _ := strings.Cut(f.Tag.Get("json"), ","); name != "" {
				want = append(want, name)
			}
		}
		for _, row := range tableAfter(t, page, c.text) {
			for _, m := range code.FindAllStringSubmatch(row[0], -1) {
				got = append(got, m[1])
			}
		}
		slices.Sort(want)
		slices.Sort(got)
		if !slices.Equal(got, want) {
			t.Errorf("%s: the page explains %v, the object has %v", c.text, got, want)
		}
	}
	for _, c := range event.CategoryNames() {
		if !regexp.MustCompile(`by category: .*\b` + c + `\b`).MatchString(page) {
			t.Errorf("the page does not name the category %s", c)
		}
	}
}

// TestDocumentedObject: the object that the page shows is a part of the one for
// that period.
func TestDocumentedObject(t *testing.T) {
	_, rest, _ := strings.Cut(reportsPage(t), "```json\n")
	text, _, _ := strings.Cut(rest, "```")
	var shown map[string]any
	if err := json.Unmarshal([]byte(text), &shown); err != nil || len(shown) < 5 {
		t.Fatalf("%v: %s", err, text)
	}
	from, to, err := Period("2017-07", "2017-09", DemoTo)
	if err != nil {
		t.Fatal(err)
	}
	b, err := json.Marshal(Make(Demo(from, to)))
	if err != nil {
		t.Fatal(err)
	}
	var whole map[string]any
	if err := json.Unmarshal(b, &whole); err != nil {
		t.Fatal(err)
	}
	var within func(path string, part, all any)
	within = func(path string, part, all any) {
		m, ok := part.(map[string]any)
		if !ok {
			if !reflect.DeepEqual(part, all) {
				t.Errorf("%s: the page shows %v, it is %v", path, part, all)
			}
			return
		}
		of, _ := all.(map[string]any)
		for k, v := range m {
			within(path+"."+k, v, of[k])
		}
	}
	within("", shown, whole)
}

// TestDocumentedPeriods: what the page says of periods is what they are.
func TestDocumentedPeriods(t *testing.T) {
	now := time.Date(2026, 3, 31, 15, 4, 5, 0, time.FixedZone("JST", 9*3600))
	for _, row := range tableAfter(t, reportsPage(t), "Had it been 31 March 2026, 15:04:") {
		a, b, err := Period(strings.Trim(row[0], "`"), strings.Trim(row[1], "`"), now)
		const f = "2006-01-02 15:04"
		if err != nil || a.Format(f) != row[2] || b.Format(f) != row[3] {
			t.Errorf("%v: %s … %s, %v", row, a.Format(f), b.Format(f), err)
		}
	}
	page := reportsPage(t)
	for _, s := range []string{fmt.Sprintf("at most %d years", maxYears), fmt.Sprintf("at most %d days", maxDays), fmt.Sprintf("at most %d weeks", maxWeeks)} {
		if !strings.Contains(strings.ToLower(page), s) {
			t.Errorf("the page does not say %q", s)
		}
	}
}

// TestDocumentedDemo: the published figures on the page come out of the
// demonstration.
func TestDocumentedDemo(t *testing.T) {
	year := Make(Demo(DemoFrom, DemoTo))
	half := Demo(DemoFrom, DemoFrom.AddDate(0, 6, 0))
	half.Rows = only(half.Rows, event.Exploit)
	attacks := Make(half)
	var iot float64
	for _, s := range Make(Demo(DemoFrom, DemoFrom.AddDate(0, 9, 0))).Miners {
		if s.Name == "camera" || s.Name == "console" {
			iot += s.Share
		}
	}
	var countries []string
	for _, c := range demoCountries {
		for _, s := range attacks.Countries {
			if s.Name == c.code {
				countries = append(countries, fmt.Sprintf("%s %.0f %%", s.Name, s.Share*100))
			}
		}
	}
	is := map[string]string{
		"mining events of the year":    number(year.Mining.Count),
		"their share of all events":    fmt.Sprintf("%.0f %%", year.Share*100),
		"busiest month":                year.Busiest,
		"share of mining in September": fmt.Sprintf("%.0f %%", year.Months[8].MiningShare*100),
		"attacks of January to June":   number(attacks.Total.Count),
		"of them from inside the home": fmt.Sprintf("%.0f %%", part(attacks.Outbound, attacks.Total.Count)*100),
		"their countries":              strings.Join(countries, ", "),
		"cameras and consoles among what mined, January to September": fmt.Sprintf("%.0f %%", iot*100),
	}
	for _, row := range tableAfter(t, reportsPage(t), "## The demonstration") {
		if row[0] == "growth of mining from July to September, more than" {
			least, err := strconv.ParseFloat(strings.TrimSuffix(row[1], " %"), 64)
			if g := Growth(year.Months[6].Mining, year.Months[8].Mining); err != nil || g == nil || *g*100 <= least || math.Abs(least-DemoQuarterGrowth*100) > 1e-9 {
				t.Errorf("%v: %v", row, g)
			}
			continue
		}
		if is[row[0]] != row[1] {
			t.Errorf("%s: the page says %s, the demonstration %q", row[0], row[1], is[row[0]])
		}
		delete(is, row[0])
	}
	if len(is) > 0 {
		t.Errorf("the page lacks %v", is)
	}
}
