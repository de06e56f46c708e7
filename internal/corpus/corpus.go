// Package corpus finds the real captures that tests and measurements run over.
// They are not part of the project: YAMORI_TESTDATA names the folder that
// holds them, ../shared beside the repository when it is unset.
package corpus

import (
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// TB is what this package needs of a test.
type TB interface {
	Helper()
	Skipf(format string, args ...any)
	Fatalf(format string, args ...any)
}

// Dir returns the folder with the test data, "" when there is none.
func Dir() string {
	if d := os.Getenv("YAMORI_TESTDATA"); d != "" {
		return d
	}
	wd, err := os.Getwd()
	if err != nil {
		return ""
	}
	for ; ; wd = filepath.Dir(wd) {
		if _, err := os.Stat(filepath.Join(wd, "go.mod")); err == nil {
			d := filepath.Join(filepath.Dir(wd), "shared")
			if st, err := os.Stat(d); err == nil && st.IsDir() {
				return d
			}
			return ""
		}
		if wd == filepath.Dir(wd) {
			return ""
		}
	}
}

// Path returns the path of a file or folder of the test data. Without test
// data the test is skipped, saying how many cases that costs.
func Path(t TB, cases int, elem ...string) string {
	t.Helper()
	d := Dir()
	if d == "" {
		t.Skipf("skips %d cases: no test data (set YAMORI_TESTDATA)", cases)
	}
	p := filepath.Join(append([]string{d}, elem...)...)
	if _, err := os.Stat(p); err != nil {
		t.Fatalf("test data: %v", err)
	}
	return p
}

// Captures lists all captures below dir, sorted.
func Captures(t TB, dir string) []string {
	t.Helper()
	var out []string
	err := filepath.WalkDir(dir, func(p string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		name := d.Name()
		if strings.Contains(name, ".pcap") || strings.HasSuffix(name, ".cap") {
			out = append(out, p)
		}
		return nil
	})
	if err != nil {
		t.Fatalf("test data: %v", err)
	}
	slices.Sort(out)
	return out
}
