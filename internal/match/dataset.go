package match

import (
	"bufio"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"math"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"sync"

	"github.com/yamori-net/yamori/internal/match/inspect"
	"github.com/yamori-net/yamori/internal/match/inspect/pcre"
	"github.com/yamori-net/yamori/internal/rules"
)

// MaxDataset bounds the entries of one data set; further ones are not kept.
const MaxDataset = 1 << 20

// dataset is a set of values with a number each.
type dataset struct {
	kind string
	mu   sync.RWMutex
	has  map[string]uint16
	most int // bound of the entries; 0: MaxDataset

	info  map[string]string // entries as alerts show them, of a set in JSON
	bytes int               // of info
}

func (d *dataset) limit() int {
	if d.most > 0 {
		return d.most
	}
	return MaxDataset
}

// show returns what alerts show of b; empty when there is nothing.
func (d *dataset) show(b []byte) string {
	d.mu.RLock()
	defer d.mu.RUnlock()
	return d.info[string(b)]
}

func (d *dataset) find(b []byte) (uint16, bool) {
	d.mu.RLock()
	defer d.mu.RUnlock()
	v, ok := d.has[string(b)]
	return v, ok
}

// add reports whether b is new in the set.
func (d *dataset) add(b []byte) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	if _, ok := d.has[string(b)]; ok || len(d.has) >= d.limit() {
		return false
	}
	d.has[string(b)] = 0
	return true
}

// remove reports whether b was in the set.
func (d *dataset) remove(b []byte, _ any) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	_, ok := d.has[string(b)]
	delete(d.has, string(b))
	return ok
}

// dataOptions are the settings after the name of a set.
type dataOptions struct {
	name, kind, load string
	op               string
	json             jsonData
	state            bool // load is also where Suricata saves the set: it need not be there yet
}

// data opens the set an option names, loading it when it has a file.
func (c *compiler) data(o *dataOptions) (*dataset, error) {
	if v, ok := c.b.files[o.name]; ok {
		d := v.(*dataset)
		if o.kind != "" && d.kind != o.kind {
			return nil, fail("the data set %s has the type %s elsewhere", o.name, d.kind)
		}
		return d, nil
	}
	if o.kind == "" {
		return nil, fail("the data set %s needs a type", o.name)
	}
	d := &dataset{kind: strings.Clone(o.kind), has: map[string]uint16{}}
	if old, ok := c.b.set.prevData[o.name].(*dataset); ok && o.load == "" && old.kind == o.kind {
		d = old // filled by rules: it lives on
	}
	if o.load != "" {
		var err error
		if path := c.path(o.load); o.json.format != "" {
			err = d.readJSON(path, &o.json)
		} else if !o.state || exists(path) {
			err = d.read(path)
		}
		if err != nil {
			return nil, err
		}
	}
	c.b.files[strings.Clone(o.name)] = d
	return d, nil
}

// path finds a file that a rule names: as is, beside the rules, or in the
// folder of data.
func (c *compiler) path(name string) string {
	if filepath.IsAbs(name) {
		return name
	}
	for _, dir := range []string{c.b.opt.Data, filepath.Dir(c.r.File)} {
		if dir == "" {
			continue
		}
		if p := filepath.Join(dir, name); exists(p) {
			return p
		}
	}
	return name
}

func exists(p string) bool {
	_, err := os.Stat(p)
	return err == nil
}

func (d *dataset) read(path string) error {
	f, err := os.Open(path)
	if err != nil {
		return noDataFile("the data set", err)
	}
	defer f.Close()
	sc := bufio.NewScanner(f)
	for sc.Scan() {
		line, rep, _ := strings.Cut(strings.TrimSpace(sc.Text()), ",")
		if line == "" || line[0] == '#' {
			continue
		}
		b, err := d.value(line)
		if err != nil {
			return fail("the data set %s: %v", path, err)
		}
		n := uint64(0)
		if rep != "" {
			if n, err = rules.ParseUint(strings.TrimSpace(rep), math.MaxUint16); err != nil {
				return fail("the data set %s: %v", path, err)
			}
		}
		if len(d.has) >= d.limit() {
			return fail("the data set %s has more than %d entries", path, d.limit())
		}
		d.has[string(b)] = uint16(n)
	}
	return sc.Err()
}

func (d *dataset) value(s string) ([]byte, error) {
	switch d.kind {
	case "string":
		return base64.StdEncoding.DecodeString(s)
	case "md5", "sha256":
		return hex.DecodeString(s)
	case "ip", "ipv4":
		a, err := netip.ParseAddr(s)
		if err != nil {
			return nil, err
		}
		return a.Unmap().AsSlice(), nil // as ip.src and ip.dst have addresses
	}
	return []byte(s), nil
}

func dataOption(o *dataOptions, words []string) error {
	for _, w := range words {
		if ok, err := o.json.option(w); err != nil {
			return err
		} else if ok {
			continue
		}
		f := strings.Fields(w)
		if len(f) != 2 {
			return fail("data sets do not know %q", w)
		}
		switch f[0] {
		case "type":
			switch f[1] {
			case "string", "md5", "sha256", "ip", "ipv4":
				o.kind = f[1]
			default:
				return fail("data sets have the types string, md5, sha256, ip and ipv4, not %q", f[1])
			}
		case "load":
			o.load = f[1]
		case "state":
			o.load, o.state = f[1], true
		case "save", "memcap", "hashsize":
		default:
			return fail("data sets do not know %q", f[0])
		}
	}
	return o.json.check()
}

// dataStep adds a check of the current buffer against a set.
func (c *compiler) dataStep(kind string, f func(b []byte, user any) bool) error {
	c.notPlain()
	if c.cur.name == "" && (kind == "ip" || kind == "ipv4") {
		return fail("data sets of addresses need a buffer of addresses")
	}
	c.add(inspect.Step{Kind: inspect.Call, Func: f}, false)
	return nil
}

func setupDataset(c *compiler, o rules.Option) error {
	p := split(unquote(o.Value))
	if len(p) < 2 {
		return fail("dataset needs an operation and a name")
	}
	d := dataOptions{op: strings.ToLower(p[0]), name: p[1]}
	if err := dataOption(&d, p[2:]); err != nil {
		return err
	}
	set, err := c.data(&d)
	if err != nil {
		return err
	}
	switch d.op {
	case "isset":
		if name := d.json.context; name != "" {
			return c.dataStep(set.kind, func(b []byte, user any) bool {
				_, ok := set.find(b)
				if x, is := user.(*ctx); ok && is {
					if text := set.show(b); text != "" {
						x.w.note(note{kind: pcre.CaptureAlert, name: name, json: text})
					}
				}
				return ok
			})
		}
		return c.dataStep(set.kind, func(b []byte, _ any) bool { _, ok := set.find(b); return ok })
	case "isnotset":
		return c.dataStep(set.kind, func(b []byte, _ any) bool { _, ok := set.find(b); return !ok })
	case "set":
		return c.dataStep(set.kind, func(b []byte, _ any) bool { return set.add(b) })
	}
	if d.op == "unset" {
		return c.dataStep(set.kind, set.remove)
	}
	return fail("dataset knows isset, isnotset, set and unset, not %q", p[0])
}

func setupDatarep(c *compiler, o rules.Option) error {
	p := split(unquote(o.Value))
	if len(p) < 3 {
		return fail("datarep needs a name, an operator and a value")
	}
	d := dataOptions{name: p[0]}
	if err := dataOption(&d, p[3:]); err != nil {
		return err
	}
	u, err := rules.ParseUintRange(p[1]+p[2], math.MaxUint16)
	if err != nil {
		return err
	}
	set, err := c.data(&d)
	if err != nil {
		return err
	}
	return c.dataStep(set.kind, func(b []byte, _ any) bool {
		v, ok := set.find(b)
		return ok && u.Match(uint64(v))
	})
}

// noDataFile is the error of a file that a rule names and that cannot be read.
func noDataFile(what string, err error) error {
	return &rules.ValueError{Reason: fmt.Sprintf("%s cannot be read: %v", what, err), Cure: "put the file beside the rules, or name its folder with --data-dir"}
}
