// Command ouitable makes the table of makers that internal/device/oui ships,
// from the JSON file of the npm package oui-data:
//
//	npm pack oui-data@2.1.9 && tar xzf oui-data-2.1.9.tgz
//	go run ./internal/tools/ouitable -in package/index.json -out internal/device/oui/makers.gz
package main

import (
	"bytes"
	"cmp"
	"compress/gzip"
	"encoding/binary"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"slices"
	"strconv"
	"strings"

	"github.com/yamori-net/yamori/internal/device/oui"
)

func main() {
	in := flag.String("in", "package/index.json", "JSON object of prefixes and registrations")
	out := flag.String("out", "internal/device/oui/makers.gz", "file to write")
	flag.Parse()
	if err := run(*in, *out); err != nil {
		fmt.Fprintln(os.Stderr, "ouitable:", err)
		os.Exit(1)
	}
}

func run(in, out string) error {
	b, err := os.ReadFile(in)
	if err != nil {
		return err
	}
	var entries map[string]string
	if err := json.Unmarshal(b, &entries); err != nil {
		return err
	}
	packed, err := Pack(entries)
	if err != nil {
		return err
	}
	fmt.Printf("%d blocks, %d bytes\n", len(entries), len(packed))
	return os.WriteFile(out, packed, 0o644)
}

type block struct {
	prefix uint64
	name   string
}

// Pack makes the file of oui from prefixes of 6, 7 or 9 digits and the text of
// their registrations, of which the first line is the name.
func Pack(entries map[string]string) ([]byte, error) {
	blocks := [3][]block{}
	names := map[string]uint64{}
	for hex, text := range entries {
		v, err := strconv.ParseUint(hex, 16, 48)
		i := slices.Index(oui.Bits[:], uint(4*len(hex)))
		if err != nil || i < 0 {
			return nil, fmt.Errorf("prefix %q", hex)
		}
		line, _, _ := strings.Cut(text, "\n")
		n := shorten(line)
		if n == "" || n == "IEEE Registration Authority" || n == "Private" {
			continue
		}
		names[n] = 0
		blocks[i] = append(blocks[i], block{v, n})
	}
	var order []string
	for n := range names {
		order = append(order, n)
	}
	slices.Sort(order)
	raw := []byte(oui.Magic)
	raw = binary.AppendUvarint(raw, uint64(len(order)))
	for i, n := range order {
		names[n] = uint64(i)
		raw = binary.AppendUvarint(raw, uint64(len(n)))
		raw = append(raw, n...)
	}
	for i := range blocks {
		slices.SortFunc(blocks[i], func(a, b block) int { return cmp.Compare(a.prefix, b.prefix) })
		raw = binary.AppendUvarint(raw, uint64(len(blocks[i])))
		last := uint64(0)
		for _, e := range blocks[i] {
			raw = binary.AppendUvarint(raw, e.prefix-last)
			raw = binary.AppendUvarint(raw, names[e.name])
			last = e.prefix
		}
	}
	var z bytes.Buffer
	w, _ := gzip.NewWriterLevel(&z, gzip.BestCompression) // the level is valid
	if _, err := w.Write(raw); err != nil {
		return nil, err
	}
	if err := w.Close(); err != nil {
		return nil, err
	}
	return z.Bytes(), nil
}

// legal are the words at the end of a name that only say which kind of company
// it is; people do not use them.
var legal = []string{"inc", "inc.", "incorporated", "ltd", "ltd.", "limited", "llc", "co", "co.", "corp", "corp.", "corporation", "company",
	"gmbh", "ag", "kg", "b.v.", "bv", "n.v.", "s.a.", "sa", "s.p.a.", "spa", "s.r.l.", "srl", "ab", "oy", "oyj", "a/s", "as", "aps", "kk", "k.k.",
	"pte", "pte.", "pty", "pty.", "plc", "plc.", "co.ltd", "co.ltd.", "s.a.s.", "sas", "&", "sp.", "z", "o.o.", "z.o.o."}

func shorten(s string) string {
	s = strings.NewReplacer("Co.,Ltd.", " Ltd", "Co.,Ltd", " Ltd", "CO.,LTD.", " Ltd", "CO.,LTD", " Ltd", "Co.,LTD", " Ltd", ",", " ").Replace(s)
	words := strings.Fields(s)
	for len(words) > 1 && slices.Contains(legal, strings.ToLower(words[len(words)-1])) {
		words = words[:len(words)-1]
	}
	return strings.Join(words, " ")
}
