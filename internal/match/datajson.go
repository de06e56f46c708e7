package match

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"os"
	"strings"
)

// Limits of data sets in JSON.
const (
	maxDataJSON = 64 << 20 // bytes of one file
	maxDataInfo = 64 << 20 // bytes that one set keeps for alerts
	maxKeyDepth = 16       // names in a path such as ioc.host
)

// jsonData says how the entries of a data set in JSON are read (Suricata 8).
type jsonData struct {
	format  string   // json or ndjson
	context string   // name under which alerts show the entry
	value   []string // path of the value in an entry
	array   []string // path of the array of entries; empty: the file is one
	remove  bool     // alerts show the entry without its value
}

// option reads one word of a rule's option; false when it is none of these.
func (j *jsonData) option(word string) (ok bool, err error) {
	f := strings.Fields(word)
	switch {
	case len(f) == 1 && f[0] == "remove_key":
		j.remove = true
		return true, nil
	case len(f) != 2:
		return false, nil
	}
	switch f[0] {
	case "format":
		switch f[1] {
		case "json", "ndjson":
			j.format = f[1]
		case "csv":
		default:
			return true, fail("data sets have the formats csv, json and ndjson, not %q", f[1])
		}
	case "context_key":
		j.context = strings.Clone(f[1])
	case "value_key":
		j.value = strings.Split(strings.Clone(f[1]), ".")
	case "array_key":
		j.array = strings.Split(strings.Clone(f[1]), ".")
	default:
		return false, nil
	}
	if len(j.value) > maxKeyDepth || len(j.array) > maxKeyDepth {
		return true, fail("a path has at most %d names", maxKeyDepth)
	}
	return true, nil
}

// check reports what is missing.
func (j *jsonData) check() error {
	if j.format != "" && (len(j.value) == 0 || j.context == "") {
		return fail("a data set in JSON needs value_key and context_key")
	}
	return nil
}

// readJSON fills the set from a file.
func (d *dataset) readJSON(path string, j *jsonData) error {
	f, err := os.Open(path)
	if err != nil {
		return noDataFile("the data set", err)
	}
	defer f.Close()
	d.info = map[string]string{}
	r := &io.LimitedReader{R: f, N: maxDataJSON + 1}
	if j.format == "ndjson" {
		err = d.lines(r, j)
	} else {
		err = d.array(r, j)
	}
	if err == nil && r.N <= 0 {
		err = fail("more than %d bytes", maxDataJSON)
	}
	if err != nil {
		return fail("the data set %s: %v", path, err)
	}
	return nil
}

// lines reads one entry a line.
func (d *dataset) lines(r io.Reader, j *jsonData) error {
	sc := bufio.NewScanner(r)
	sc.Buffer(nil, 1<<20)
	for n := 1; sc.Scan(); n++ {
		if line := bytes.TrimSpace(sc.Bytes()); len(line) > 0 {
			if err := d.entry(line, j); err != nil {
				return fail("line %d: %v", n, err)
			}
		}
	}
	return sc.Err()
}

// array reads an array, entry by entry.
func (d *dataset) array(r io.Reader, j *jsonData) error {
	dec := json.NewDecoder(r)
	for _, name := range j.array {
		if err := enter(dec, name); err != nil {
			return err
		}
	}
	if t, err := dec.Token(); err != nil || t != json.Delim('[') {
		return errors.Join(fail("there is no array where array_key says"), err)
	}
	for n := 1; dec.More(); n++ {
		var raw json.RawMessage
		if err := dec.Decode(&raw); err != nil {
			return err
		}
		if err := d.entry(raw, j); err != nil {
			return fail("entry %d: %v", n, err)
		}
	}
	_, err := dec.Token()
	return err
}

// enter goes to the value of a name in the object that comes next.
func enter(dec *json.Decoder, name string) error {
	if t, err := dec.Token(); err != nil || t != json.Delim('{') {
		return errors.Join(fail("there is no object with %q", name), err)
	}
	for dec.More() {
		t, err := dec.Token()
		if err != nil {
			return err
		}
		if t == name {
			return nil
		}
		var skip json.RawMessage
		if err := dec.Decode(&skip); err != nil {
			return err
		}
	}
	return fail("there is no %q", name)
}

// entry takes one object into the set.
func (d *dataset) entry(raw []byte, j *jsonData) error {
	at := raw
	var text string
	for _, name := range j.value {
		var m map[string]json.RawMessage
		if err := json.Unmarshal(at, &m); err != nil {
			return err
		}
		v, ok := m[name]
		if !ok {
			return nil // an entry without value is none
		}
		at = v
	}
	if err := json.Unmarshal(at, &text); err != nil {
		return err
	}
	var b []byte
	var err error
	if b = []byte(text); d.kind != "string" { // which JSON needs no base64 for
		if b, err = d.value(text); err != nil {
			return err
		}
	}
	if j.remove {
		if raw, err = without(raw, j.value); err != nil {
			return err
		}
	}
	var out bytes.Buffer
	if err := json.Compact(&out, raw); err != nil {
		return err
	}
	if _, ok := d.has[string(b)]; !ok && len(d.has) >= d.limit() {
		return fail("more than %d entries", d.limit())
	}
	if d.bytes += out.Len(); d.bytes > maxDataInfo {
		return fail("more than %d bytes to keep", maxDataInfo)
	}
	d.has[string(b)] = 0
	d.info[string(b)] = out.String()
	return nil
}

// without takes the value at a path out of an object.
func without(raw []byte, path []string) ([]byte, error) {
	var m map[string]json.RawMessage
	if err := json.Unmarshal(raw, &m); err != nil {
		return nil, err
	}
	if len(path) == 1 {
		delete(m, path[0])
	} else {
		sub, err := without(m[path[0]], path[1:])
		if err != nil {
			return nil, err
		}
		m[path[0]] = sub
	}
	return json.Marshal(m)
}
