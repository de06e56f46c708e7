package main

import (
	"encoding/csv"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/yamori-net/yamori/internal/app"
)

// plain makes text that a device or a stranger chose safe for a terminal and
// for one line of it: what cannot be seen becomes a visible mark.
func plain(s string) string {
	return strings.Map(func(r rune) rune {
		if visible(r) {
			return r
		}
		return utf8.RuneError
	}, s)
}

// visible also holds for the spaces of other scripts.
func visible(r rune) bool { return strconv.IsGraphic(r) }

// jsonWriter writes \u escapes for what cannot be seen. In JSON such
// characters stand in strings alone.
type jsonWriter struct{ w io.Writer }

// Write hands on b, which must not end within a character.
func (j *jsonWriter) Write(b []byte) (int, error) {
	var out []byte
	for k, r := range string(b) {
		if visible(r) && r != utf8.RuneError || r == '\n' {
			out = utf8.AppendRune(out, r)
		} else if r == utf8.RuneError && b[k] != 0xef {
			out = append(out, `\ufffd`...)
		} else if r > 0xffff {
			r -= 0x10000
			out = fmt.Appendf(out, `\u%04x\u%04x`, 0xd800+r>>10, 0xdc00+r&0x3ff)
		} else {
			out = fmt.Appendf(out, `\u%04x`, r)
		}
	}
	if _, err := j.w.Write(out); err != nil {
		return 0, err
	}
	return len(b), nil
}

// lineWriter hands on whole lines, each made safe by clean.
type lineWriter struct {
	w     io.Writer
	clean func(line []byte) []byte
	held  []byte
}

// maxLine bounds what is held of a line without an end.
const maxLine = 1 << 20

// Write holds what is not a whole line yet.
func (l *lineWriter) Write(b []byte) (int, error) {
	n := len(b)
	for len(b) > 0 {
		k := slices.Index(b, '\n')
		if k < 0 && len(l.held)+len(b) < maxLine {
			l.held = append(l.held, b...)
			break
		}
		if k < 0 {
			k = len(b) - 1
		}
		if _, err := l.w.Write(l.clean(append(l.held, b[:k+1]...))); err != nil {
			return 0, err
		}
		l.held, b = l.held[:0], b[k+1:]
	}
	return n, nil
}

// Flush writes the rest.
func (l *lineWriter) Flush() error {
	if len(l.held) == 0 {
		return nil
	}
	_, err := l.w.Write(l.clean(l.held))
	l.held = nil
	return err
}

// cleanText keeps the ends of lines.
func cleanText(b []byte) []byte {
	return []byte(strings.Map(func(r rune) rune {
		if visible(r) || r == '\n' || r == '\r' || r == '\t' {
			return r
		}
		return utf8.RuneError
	}, string(b)))
}

// columns is how much room r takes on a terminal (UAX #11: wide and fullwidth
// take two; marks that combine none).
func columns(r rune) int {
	switch {
	case r >= 0x300 && unicode.Is(unicode.Mn, r):
		return 0
	case r >= 0x1100 && (r <= 0x115f || r >= 0x2e80 && r <= 0x303e || r >= 0x3041 && r <= 0xa4cf || r >= 0xa960 && r <= 0xa97f || r >= 0xac00 && r <= 0xd7a3 ||
		r >= 0xf900 && r <= 0xfaff || r >= 0xfe10 && r <= 0xfe19 || r >= 0xfe30 && r <= 0xfe6f || r >= 0xff00 && r <= 0xff60 || r >= 0xffe0 && r <= 0xffe6 ||
		r >= 0x1f300 && r <= 0x1f64f || r >= 0x1f900 && r <= 0x1faff || r >= 0x20000 && r <= 0x3fffd):
		return 2
	}
	return 1
}

func width(s string) (n int) {
	for _, r := range s {
		n += columns(r)
	}
	return n
}

// fit cuts s to a width, with a mark where it was cut.
func fit(s string, most int) string {
	if width(s) <= most {
		return s
	}
	n := 0
	for k, r := range s {
		if n += columns(r); n > most-1 {
			return s[:k] + "…"
		}
	}
	return s
}

// column is one of a table: its name in CSV, its heading in both languages
// (both empty: only in CSV), and a cell for people and, where that differs,
// for programs.
type column[T any] struct {
	name     string
	en, ja   string
	cell     func(*T) string
	csv      func(*T) string
	mostWide int // 0: as wide as it is
}

// list writes a list: as a table, JSON or CSV. none is told when it is empty.
func list[T any](a *asker, cols []column[T], items []T, noneEN, noneJA string) error {
	if ok, err := a.json(items); ok {
		return err
	}
	if a.output == csvOutput {
		return writeCSV(a.out, cols, items)
	}
	if len(items) == 0 {
		_, err := fmt.Fprintln(a.out, a.t(noneEN, noneJA))
		return err
	}
	var rows [][]string
	var head []string
	for _, c := range cols {
		if c.en != "" {
			head = append(head, a.t(c.en, c.ja))
		}
	}
	rows = append(rows, head)
	for i := range items {
		var row []string
		for _, c := range cols {
			if c.en == "" {
				continue
			}
			s := plain(c.cell(&items[i]))
			if c.mostWide > 0 {
				s = fit(s, c.mostWide)
			}
			row = append(row, s)
		}
		rows = append(rows, row)
	}
	return grid(a.out, rows)
}

// grid writes rows with their columns under each other.
func grid(w io.Writer, rows [][]string) error {
	var wide []int
	for _, row := range rows {
		for i, s := range row {
			if i == len(wide) {
				wide = append(wide, 0)
			}
			wide[i] = max(wide[i], width(s))
		}
	}
	var b strings.Builder
	for _, row := range rows {
		var line strings.Builder
		for i, s := range row {
			line.WriteString(s)
			if i+1 < len(row) {
				line.WriteString(strings.Repeat(" ", wide[i]-width(s)+2))
			}
		}
		b.WriteString(strings.TrimRight(line.String(), " "))
		b.WriteByte('\n')
	}
	_, err := io.WriteString(w, b.String())
	return err
}

func writeCSV[T any](w io.Writer, cols []column[T], items []T) error {
	c := csv.NewWriter(w)
	c.UseCRLF = true // RFC 4180
	var row []string
	for _, x := range cols {
		row = append(row, x.name)
	}
	_ = c.Write(row)
	for i := range items {
		row = row[:0]
		for _, x := range cols {
			cell := x.csv
			if cell == nil {
				cell = x.cell
			}
			s := plain(cell(&items[i]))
			if r, n := utf8.DecodeRuneInString(s); n > 0 && strings.ContainsRune("=+-@＝＋－＠", r) {
				s = "'" + s // a spreadsheet would run it (OWASP, CSV injection)
			}
			row = append(row, s)
		}
		_ = c.Write(row)
	}
	c.Flush()
	return c.Error()
}

// tableOutputs are the outputs of commands that list.
var tableOutputs = []string{app.Human, app.JSON, csvOutput}
