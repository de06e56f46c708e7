package mpm

import (
	"bufio"
	"bytes"
	"encoding/hex"
	"math/rand/v2"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// rulePatterns reads patterns from public rules, also those commented out: the longest content of the rules that inspect
// raw payload, the longest of all rules, and every content with its bytes once more backwards to make it many.
func rulePatterns(tb testing.TB) (raw, longest, all []Pattern) {
	root := os.Getenv("YAMORI_TESTDATA")
	if root == "" {
		root = "../../../../shared"
	}
	files, _ := filepath.Glob(filepath.Join(root, "rules/et-open-2025-08/*.rules"))
	if len(files) == 0 {
		tb.Skipf("1 case skipped: no rules under %s (set YAMORI_TESTDATA)", root)
	}
	content := regexp.MustCompile(`content:"([^"]*)"([^:]*(?:offset|depth|distance|within|)[^:]*)`)
	buffers := regexp.MustCompile(`http[._]|dns[._]|tls[._]|file[._]data|ja3|ssh[._]|pkt_data;content`)
	for _, name := range files {
		file, err := os.Open(name)
		if err != nil {
			tb.Fatal(err)
		}
		lines := bufio.NewScanner(file)
		lines.Buffer(nil, 1<<20)
		for lines.Scan() {
			line := lines.Text()
			rule := strings.TrimLeft(line, "# ")
			if !strings.HasPrefix(rule, "alert") {
				continue
			}
			var best Pattern
			for _, m := range content.FindAllStringSubmatch(rule, -1) {
				p := Pattern{Bytes: contentBytes(m[1]), NoCase: strings.Contains(m[2], "nocase")}
				if len(p.Bytes) > len(best.Bytes) {
					best = p
				}
				p.ID = uint32(len(all))
				all = append(all, p)
				p.Bytes = slices.Clone(p.Bytes)
				slices.Reverse(p.Bytes)
				p.ID++
				all = append(all, p)
			}
			if len(best.Bytes) == 0 {
				continue
			}
			best.ID = uint32(len(longest))
			longest = append(longest, best)
			if !buffers.MatchString(rule) {
				best.ID = uint32(len(raw))
				raw = append(raw, best)
			}
		}
		file.Close()
	}
	return raw, longest, all
}

// contentBytes decodes a content value: |41 42| is hexadecimal, a backslash takes the next byte as it is.
func contentBytes(s string) []byte {
	var out []byte
	for i := 0; i < len(s); i++ {
		switch s[i] {
		case '\\':
			if i++; i < len(s) {
				out = append(out, s[i])
			}
		case '|':
			end := strings.IndexByte(s[i+1:], '|')
			if end < 0 {
				return out
			}
			b, _ := hex.DecodeString(strings.ReplaceAll(s[i+1:i+1+end], " ", ""))
			out = append(out, b...)
			i += 1 + end
		default:
			out = append(out, s[i])
		}
	}
	return out
}

// traffic makes n bytes that look like a home's traffic to a prefilter: headers and markup in words, tables of binary
// numbers, and bytes as random as ciphertext, a third each.
func traffic(n int) []byte {
	r := rand.New(rand.NewPCG(5, 6))
	words := strings.Fields(`GET POST / HTTP/1.1 Host: www. .com User-Agent: Mozilla/5.0 (Windows NT 10.0; Win64; x64)
		AppleWebKit/537.36 Accept: text/html,application/xhtml+xml Accept-Encoding: gzip, deflate Connection: keep-alive
		Content-Type: Content-Length: Cache-Control: no-cache <div class="item"> </div> <a href="https:// </a> <script>
		function( var return document.getElementById window.location ; } { the of and to in is that for it as was with
		index.php?id= .js .css .png image/jpeg Cookie: session= Set-Cookie: path=/; expires= {"id": "name": true, false,`)
	var b []byte
	for len(b) < n {
		switch r.IntN(3) {
		case 0:
			for range 250 {
				b = append(b, words[r.IntN(len(words))]...)
				b = append(b, " \r\n="[r.IntN(4)])
			}
		case 1:
			for range 400 {
				b = append(b, 0, 0, byte(r.Uint32()>>24)>>r.IntN(8), byte(r.Uint32()))
			}
		case 2:
			for range 1500 {
				b = append(b, byte(r.Uint32()))
			}
		}
	}
	return b[:n]
}

// TestRulesAgainstNaive scans traffic for the patterns of public rules and checks the promise of their memory.
func TestRulesAgainstNaive(t *testing.T) {
	_, longest, _ := rulePatterns(t)
	data := traffic(40000)
	for i := 0; i < 200; i++ { // a pattern now and then
		copy(data[i*200:], longest[i*97%len(longest)].Bytes)
	}
	f := Build(longest)
	if per := f.Size() / f.Len(); per > 100 {
		t.Errorf("%d bytes a pattern, want at most 100", per)
	}
	var want []uint32
	low := bytes.Clone(data)
	lower(low)
	for _, p := range longest {
		b, d := p.Bytes, data
		if p.NoCase {
			b, d = bytes.Clone(b), low
			lower(b)
		}
		if bytes.Contains(d, b) {
			want = append(want, p.ID)
		}
	}
	slices.Sort(want)
	var s Scratch
	if got := f.Scan(data, &s); !slices.Equal(got, want) {
		t.Errorf("%d patterns found, want %d", len(got), len(want))
	}
	if len(want) < 150 {
		t.Errorf("only %d patterns in the data: the case tests too little", len(want))
	}
}
