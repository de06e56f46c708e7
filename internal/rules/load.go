package rules

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// Load reads rule files as one set: sids are compared across all of them and
// equal lists are shared. A path may be a pattern (see filepath.Match) or a
// folder, which stands for its *.rules. A file named twice is read once. What
// cannot be read is a problem with the path as its file and no line.
func Load(cfg ParseConfig, paths ...string) ([]*Rule, []*Problem) {
	p := newParser(cfg)
	seen := map[string]bool{}
	for _, path := range paths {
		names, err := expand(path)
		if err != nil {
			p.problem(&Problem{File: path, Reason: err.Reason, Cure: err.Cure})
			continue
		}
		for _, name := range names {
			if clean := filepath.Clean(name); !seen[clean] {
				seen[clean] = true
				p.file(name)
			}
		}
	}
	return p.finish()
}

func (p *parser) file(name string) {
	f, err := os.Open(name)
	if err != nil {
		q := &Problem{File: name, Reason: fileReason(err)}
		if errors.Is(err, fs.ErrNotExist) {
			q.Cure = "name a file that is there, a folder of *.rules, or a pattern in quotes"
		}
		p.problem(q)
		return
	}
	defer f.Close()
	p.read(name, f)
}

// fileReason is the error without the path, which the problem names.
func fileReason(err error) string {
	if e, ok := err.(*fs.PathError); ok {
		return e.Op + ": " + e.Err.Error()
	}
	return err.Error()
}

// expand returns the files a path stands for, in the order of their names.
func expand(path string) ([]string, *ValueError) {
	st, err := os.Stat(path)
	switch {
	case err == nil && st.IsDir():
		path = filepath.Join(escapePattern(path), "*.rules")
	case err == nil || !strings.ContainsAny(path, `*?[`):
		return []string{path}, nil
	}
	names, err := filepath.Glob(path)
	switch {
	case err != nil:
		return nil, badValue("", "the pattern is malformed")
	case len(names) == 0:
		return nil, badValue("", "no file matches %s", path)
	}
	return names, nil
}

func escapePattern(path string) string {
	return strings.NewReplacer(`\`, `\\`, `*`, `\*`, `?`, `\?`, `[`, `\[`).Replace(path)
}
