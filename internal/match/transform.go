package match

import (
	"bytes"
	"crypto/md5"
	"crypto/sha1"
	"crypto/sha256"
	"encoding/base64"
	"math"
	"strings"

	"github.com/yamori-net/yamori/internal/match/inspect/pcre"
	"github.com/yamori-net/yamori/internal/rules"
)

// transform changes a buffer before it is inspected: it appends the result to
// dst, which does not overlap in. It must not allocate beyond growing dst.
type transform func(dst, in []byte, w *Worker) []byte

// chain is a sequence of transforms.
type chain []transform

// chainBuilder collects the transforms of one list. Equal keys mean equal
// sequences.
type chainBuilder struct {
	keys  []string
	steps chain
}

func (c *chainBuilder) empty() bool { return len(c.steps) == 0 }

func (c *chainBuilder) key() string { return strings.Join(c.keys, "\x00") }

// apply runs the sequence on b. The result lies in the worker's memory and
// holds until its next use at the same depth.
func (w *Worker) apply(ch chain, b []byte) []byte {
	for i, t := range ch {
		buf := &w.scratch[i&1]
		*buf = t((*buf)[:0], b, w)
		b = *buf
	}
	return b
}

// transforming makes the Setup of a transform; make reads its value.
func transforming(build func(v string) (transform, error)) func(*compiler, rules.Option) error {
	return func(c *compiler, o rules.Option) error {
		if !c.stuck {
			return fail("%s needs a sticky buffer before it", o.Name)
		}
		v := unquote(o.Value)
		t, err := build(strings.Clone(v))
		if err != nil {
			return err
		}
		l := c.cur
		if len(l.steps) > 0 {
			// What stood before looks at the buffer as it was, what follows at
			// the result (Suricata 8).
			was := l.chain
			l = c.list(l.name, true)
			l.chain.keys = append(l.chain.keys, was.keys...)
			l.chain.steps = append(l.chain.steps, was.steps...)
			c.cur, c.last, c.base64, c.base64In = l, nil, nil, nil
		}
		l.chain.keys = append(l.chain.keys, o.Name, v)
		l.chain.steps = append(l.chain.steps, t)
		return nil
	}
}

// plain makes the Setup of a transform without value.
func plainTransform(t transform) func(*compiler, rules.Option) error {
	return transforming(func(v string) (transform, error) {
		if v != "" {
			return nil, fail("this transform takes no value")
		}
		return t, nil
	})
}

var transformKeywords = []Keyword{
	{Name: "dotprefix", Family: "transform", Doc: "put a dot before the buffer", Example: `dns.query; dotprefix; content:".example.com"; endswith;`,
		Setup: plainTransform(func(dst, in []byte, _ *Worker) []byte { return append(append(dst, '.'), in...) })},
	{Name: "to_lowercase", Family: "transform", Doc: "lower case", Example: `http.host; to_lowercase; content:"a";`, Setup: plainTransform(mapBytes(func(b byte) byte {
		if 'A' <= b && b <= 'Z' {
			return b | 0x20
		}
		return b
	}))},
	{Name: "to_uppercase", Family: "transform", Doc: "upper case", Example: `http.host; to_uppercase; content:"A";`, Setup: plainTransform(mapBytes(func(b byte) byte {
		if 'a' <= b && b <= 'z' {
			return b &^ 0x20
		}
		return b
	}))},
	{Name: "strip_whitespace", Family: "transform", Doc: "take white space away", Example: `http.uri; strip_whitespace; content:"ab";`, Setup: plainTransform(func(dst, in []byte, _ *Worker) []byte {
		for _, b := range in {
			if !isSpace(b) {
				dst = append(dst, b)
			}
		}
		return dst
	})},
	{Name: "compress_whitespace", Family: "transform", Doc: "make one of each run of white space", Example: `http.uri; compress_whitespace; content:"a b";`, Setup: plainTransform(func(dst, in []byte, _ *Worker) []byte {
		last := false
		for _, b := range in {
			s := isSpace(b)
			if !s || !last {
				dst = append(dst, b)
			}
			last = s
		}
		return dst
	})},
	{Name: "url_decode", Family: "transform", Doc: "undo %xx and +", Example: `http.uri.raw; url_decode; content:"a b";`, Setup: plainTransform(urlDecode)},
	{Name: "to_md5", Family: "transform", Doc: "MD5 of the buffer, 16 bytes", Example: `http.uri; to_md5; content:"|00|";`, Setup: plainTransform(func(dst, in []byte, _ *Worker) []byte {
		h := md5.Sum(in)
		return append(dst, h[:]...)
	})},
	{Name: "to_sha1", Family: "transform", Doc: "SHA-1 of the buffer, 20 bytes", Example: `http.uri; to_sha1; content:"|00|";`, Setup: plainTransform(func(dst, in []byte, _ *Worker) []byte {
		h := sha1.Sum(in)
		return append(dst, h[:]...)
	})},
	{Name: "to_sha256", Family: "transform", Doc: "SHA-256 of the buffer, 32 bytes", Example: `http.uri; to_sha256; content:"|00|";`, Setup: plainTransform(func(dst, in []byte, _ *Worker) []byte {
		h := sha256.Sum256(in)
		return append(dst, h[:]...)
	})},
	{Name: "xor", Family: "transform", Doc: "xor with a key of hexadecimal digits, or with one in the buffer: offset, extract bytes place", Example: `http.request_body; xor:"0d0ac8ff"; content:"x";`, Setup: transforming(func(v string) (transform, error) {
		if strings.HasPrefix(v, "offset") {
			return xorExtract(v)
		}
		key, err := rules.ParsePattern("|" + v + "|")
		if err != nil {
			return nil, err
		}
		return func(dst, in []byte, _ *Worker) []byte {
			for i, b := range in {
				dst = append(dst, b^key[i%len(key)])
			}
			return dst
		}, nil
	})},
	{Name: "from_base64", Family: "transform", Doc: "decode base64: mode, offset, bytes", Example: `http.request_body; from_base64; content:"x";`, Setup: transforming(fromBase64)},
	{Name: "pcrexform", Family: "transform", Doc: "the first group of a regular expression", Example: `http.uri; pcrexform:"a(.*)b"; content:"x";`, Setup: transforming(func(v string) (transform, error) {
		re, err := pcre.Parse(`"/` + v + `/, flow:x"`) // so that the group is recorded
		if err != nil {
			return nil, err
		}
		return func(dst, in []byte, w *Worker) []byte {
			ok, err := re.Match(in, 0, &w.machine)
			if err != nil || !ok {
				return append(dst, in...)
			}
			if lo, hi := w.machine.Group(1); lo >= 0 {
				return append(dst, in[lo:hi]...)
			}
			return append(dst, in...)
		}, nil
	})},
	{Name: "header_lowercase", Family: "transform", Doc: "lower-case the names of header fields", Example: `http.request_header; header_lowercase; content:"host";`, Setup: plainTransform(func(dst, in []byte, _ *Worker) []byte {
		name := true
		for _, b := range in {
			switch {
			case b == ':':
				name = false
			case b == '\n':
				name = true
			case name && 'A' <= b && b <= 'Z':
				b |= 0x20
			}
			dst = append(dst, b)
		}
		return dst
	})},
	{Name: "strip_pseudo_headers", Family: "transform", Doc: "take lines away that begin with a colon", Example: `http.header_names; strip_pseudo_headers; content:"x";`, Setup: plainTransform(func(dst, in []byte, _ *Worker) []byte {
		for len(in) > 0 {
			n := bytes.IndexByte(in, '\n') + 1
			if n == 0 {
				n = len(in)
			}
			if in[0] != ':' {
				dst = append(dst, in[:n]...)
			}
			in = in[n:]
		}
		return dst
	})},
}

// xorExtract reads "offset 1,extract 1 0": the key is n bytes of the buffer
// from a place in it, what it applies to begins at offset (Suricata 9).
func xorExtract(v string) (transform, error) {
	var offset, n, at uint64
	var err error
	for _, p := range split(v) {
		f := strings.Fields(p)
		switch {
		case len(f) == 2 && f[0] == "offset":
			offset, err = rules.ParseUint(f[1], math.MaxUint16)
		case len(f) == 3 && f[0] == "extract":
			if n, err = rules.ParseUint(f[1], math.MaxUint8); err == nil {
				at, err = rules.ParseUint(f[2], math.MaxUint16)
			}
		default:
			err = fail("xor does not know %q", p)
		}
		if err != nil {
			return nil, err
		}
	}
	if n == 0 {
		return nil, fail("xor needs extract with the number of bytes of the key and their place")
	}
	return func(dst, in []byte, _ *Worker) []byte {
		if at+n > uint64(len(in)) || offset > uint64(len(in)) {
			return append(dst, in...)
		}
		key := in[at : at+n]
		for i, b := range in[offset:] {
			dst = append(dst, b^key[i%len(key)])
		}
		return dst
	}, nil
}

func isSpace(b byte) bool { return b == ' ' || '\t' <= b && b <= '\r' }

func mapBytes(f func(byte) byte) transform {
	return func(dst, in []byte, _ *Worker) []byte {
		for _, b := range in {
			dst = append(dst, f(b))
		}
		return dst
	}
}

func urlDecode(dst, in []byte, _ *Worker) []byte {
	for i := 0; i < len(in); i++ {
		switch b := in[i]; {
		case b == '+':
			dst = append(dst, ' ')
		case b == '%' && i+2 < len(in) && unhex(in[i+1]) < 16 && unhex(in[i+2]) < 16:
			dst = append(dst, unhex(in[i+1])<<4|unhex(in[i+2]))
			i += 2
		default:
			dst = append(dst, b)
		}
	}
	return dst
}

func unhex(b byte) byte {
	switch {
	case '0' <= b && b <= '9':
		return b - '0'
	case 'a' <= b|0x20 && b|0x20 <= 'f':
		return b | 0x20 - 'a' + 10
	}
	return 255
}

func fromBase64(v string) (transform, error) {
	off, n, rfc2045 := 0, math.MaxInt32, true
	if v != "" {
		for _, p := range split(v) {
			f := strings.Fields(p)
			if len(f) != 2 {
				return nil, fail("from_base64 does not know %q", p)
			}
			switch f[0] {
			case "mode":
				rfc2045 = strings.EqualFold(f[1], "rfc2045")
			case "offset", "bytes":
				x, err := rules.ParseUint(f[1], math.MaxUint16)
				if err != nil {
					return nil, err
				}
				if f[0] == "offset" {
					off = int(x)
				} else {
					n = int(x)
				}
			default:
				return nil, fail("from_base64 does not know %q", f[0])
			}
		}
	}
	return func(dst, in []byte, w *Worker) []byte {
		b := in[min(off, len(in)):]
		b = b[:min(n, len(b))]
		text := w.text[:0]
		for _, x := range b {
			if 'A' <= x && x <= 'Z' || 'a' <= x && x <= 'z' || '0' <= x && x <= '9' || x == '+' || x == '/' {
				text = append(text, x)
			} else if x == '=' || !rfc2045 {
				break
			}
		}
		if len(text)%4 == 1 {
			text = text[:len(text)-1]
		}
		w.text = text
		out, err := base64.RawStdEncoding.AppendDecode(dst, text)
		if err != nil || len(text) == 0 {
			return append(dst, in...)
		}
		return out
	}, nil
}
