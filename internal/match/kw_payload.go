package match

import (
	"fmt"
	"math"
	"strconv"
	"strings"

	"github.com/yamori-net/yamori/internal/match/inspect"
	"github.com/yamori-net/yamori/internal/match/inspect/pcre"
	"github.com/yamori-net/yamori/internal/packet"
	"github.com/yamori-net/yamori/internal/rules"
)

var payloadKeywords = []Keyword{
	{Name: "content", Family: "payload", Doc: "bytes that must (or with ! must not) be there", Example: `content:"GET|20|/";`, Setup: setupContent},
	{Name: "uricontent", Family: "payload", Doc: "content in http.uri, old form", Example: `uricontent:"/x.php";`, Setup: setupURIContent},
	{Name: "nocase", Family: "payload", Doc: "the content before it in any case", Example: `content:"get"; nocase;`, Setup: modify(func(c *compiler, k *content, o rules.Option) error {
		k.step().NoCase = true
		return nil
	})},
	{Name: "offset", Family: "payload", Doc: "the content begins here or later", Example: `content:"x"; offset:4;`, Setup: modify(func(c *compiler, k *content, o rules.Option) (err error) {
		k.step().Offset, err = c.num(o.Value, 0, math.MaxUint16)
		return err
	})},
	{Name: "depth", Family: "payload", Doc: "the content ends within this many bytes after its offset", Example: `content:"x"; depth:4;`, Setup: modify(func(c *compiler, k *content, o rules.Option) (err error) {
		k.step().Depth, err = c.num(o.Value, 0, math.MaxUint16)
		if n := int64(len(k.step().Pattern)); err == nil && k.step().Depth.Var == "" && k.step().Depth.Value < n {
			return fail("depth %s is less than the %d bytes of the content", o.Value, n)
		}
		return err
	})},
	{Name: "distance", Family: "payload", Doc: "the content begins this many bytes after the last match", Example: `content:"a"; content:"b"; distance:1;`, Setup: modify(func(c *compiler, k *content, o rules.Option) (err error) {
		k.step().Distance, err = c.num(o.Value, -(1 << 20), 1<<20)
		return err
	})},
	{Name: "within", Family: "payload", Doc: "the content ends within this many bytes after the last match", Example: `content:"a"; content:"b"; within:8;`, Setup: modify(func(c *compiler, k *content, o rules.Option) (err error) {
		k.step().Within, err = c.num(o.Value, 0, 1<<20)
		if n := int64(len(k.step().Pattern)); err == nil && k.step().Within.Var == "" && k.step().Within.Value < n {
			return fail("within %s is less than the %d bytes of the content", o.Value, n)
		}
		return err
	})},
	{Name: "startswith", Family: "payload", Doc: "the content begins the buffer", Example: `content:"x"; startswith;`, Setup: modify(func(c *compiler, k *content, o rules.Option) error {
		if s := k.step(); s.Depth.Set || s.Offset.Set || s.Distance.Set || s.Within.Set {
			return fail("startswith cannot stand with depth, offset, distance or within")
		}
		k.step().StartsWith = true
		return nil
	})},
	{Name: "endswith", Family: "payload", Doc: "the content ends the buffer", Example: `content:"x"; endswith;`, Setup: modify(func(c *compiler, k *content, o rules.Option) error {
		if k.step().Offset.Set && !k.step().Depth.Set {
			return fail("endswith cannot stand with offset")
		}
		k.step().EndsWith = true
		return nil
	})},
	{Name: "rawbytes", Family: "payload", Doc: "accepted: the payload is always raw", Example: `content:"x"; rawbytes;`, Setup: modify(func(*compiler, *content, rules.Option) error { return nil })},
	{Name: "fast_pattern", Family: "payload", Doc: "the content to filter rules by, whole or from,length", Example: `content:"rare"; fast_pattern;`, Setup: modify(setFast)},
	{Name: "isdataat", Family: "payload", Doc: "there is (or is not) data this far, absolute or relative", Example: `isdataat:10; `, Setup: setupIsDataAt},
	{Name: "absent", Family: "payload", Doc: "the buffer is absent", Example: `http.referer; absent;`, Setup: func(c *compiler, o rules.Option) error {
		if !c.stuck || c.cur.name == "" {
			return fail("absent needs a sticky buffer before it")
		}
		c.cur.absentOK = true
		return nil
	}},
	{Name: "bsize", Family: "payload", Doc: "length of the buffer", Example: `http.uri; bsize:>10;`, Setup: setupBSize},
	{Name: "dsize", Family: "payload", Doc: "length of the packet's payload", Example: `dsize:>100;`, Setup: setupDSize},
	{Name: "pcre", Family: "payload", Doc: "regular expression", Example: `pcre:"/GET \d+/i";`, Setup: setupPCRE},
	{Name: "pkt_data", Family: "payload", Doc: "look at the payload again", Example: `pkt_data; content:"x";`, Setup: func(c *compiler, o rules.Option) error {
		c.cur, c.stuck, c.last = c.lists[0], false, nil
		c.base64 = nil
		c.base64In = nil
		return nil
	}},
	{Name: "base64_decode", Family: "payload", Doc: "decode for base64_data", Example: `base64_decode:bytes 16; base64_data; content:"x";`, Setup: setupBase64},
	{Name: "base64_data", Family: "payload", Doc: "look at what base64_decode decoded", Example: `base64_decode; base64_data; content:"x";`, Setup: setupBase64Data},
	{Name: "asn1", Family: "payload", Doc: "oddities of ASN.1: oversize_length, bitstring_overflow, double_overflow", Example: `asn1:oversize_length 1000, relative_offset 0;`, Setup: setupASN1},
	{Name: "replace", Family: "payload", Doc: "accepted and ignored: content is never changed", Example: `content:"x"; replace:"y";`, Setup: modify(func(*compiler, *content, rules.Option) error { return nil })},
}

// modify makes the Setup of an option that belongs to the content before it.
func modify(f func(*compiler, *content, rules.Option) error) func(*compiler, rules.Option) error {
	return func(c *compiler, o rules.Option) error {
		if c.last == nil {
			return fail("%s has no content before it", o.Name)
		}
		return f(c, c.last, o)
	}
}

// num reads a number or the name of a byte variable.
func (c *compiler) num(v string, least, most int64) (inspect.Num, error) {
	v = strings.TrimSpace(v)
	if v == "" {
		return inspect.Num{}, fail("a number is missing")
	}
	if ch := v[0]; ch == '-' || ch == '+' || '0' <= ch && ch <= '9' {
		n, err := rules.ParseInt(v, least, most)
		if err != nil {
			return inspect.Num{}, err
		}
		return inspect.N(n), nil
	}
	return inspect.V(v), nil
}

func setupContent(c *compiler, o rules.Option) error {
	p, err := rules.ParseContent(o.Value)
	if err != nil {
		return err
	}
	c.notPlain()
	s := inspect.Step{Kind: inspect.Content, Pattern: p.Bytes, Negated: p.Negated}
	if c.base64In != nil && c.cur == c.base64 {
		if len(c.base64In.Sub) == cap(c.base64In.Sub) {
			return fail("too many options on base64_data")
		}
		c.base64In.Sub = append(c.base64In.Sub, s)
		// Modifiers reach the same memory.
		c.last = &content{l: &list{steps: c.base64In.Sub}, i: len(c.base64In.Sub) - 1, sub: true}
		return nil
	}
	c.finishChain(c.cur)
	c.cur.steps = append(c.cur.steps, s)
	c.lastL = c.cur
	c.last = &content{l: c.cur, i: len(c.cur.steps) - 1}
	c.contents = append(c.contents, c.last)
	return nil
}

func setupURIContent(c *compiler, o rules.Option) error {
	cur, stuck := c.cur, c.stuck
	c.cur = c.list("http.uri", false)
	err := setupContent(c, o)
	c.cur, c.stuck = cur, stuck
	return err
}

func setFast(c *compiler, k *content, o rules.Option) error {
	k.fast = true
	v := unquote(o.Value)
	switch {
	case !o.HasValue || v == "":
	case v == "only":
		if k.step().Negated {
			return fail("a negated content cannot be fast_pattern:only")
		}
	default:
		p := split(v)
		if len(p) != 2 {
			return fail("fast_pattern takes only or offset,length")
		}
		off, err1 := strconv.Atoi(p[0])
		n, err2 := strconv.Atoi(p[1])
		if err1 != nil || err2 != nil || off < 0 || n < 1 || off+n > len(k.step().Pattern) {
			return fail("fast_pattern:%s does not fit the %d bytes of the content", v, len(k.step().Pattern))
		}
		k.chop, k.off, k.n = true, off, n
	}
	return nil
}

func setupIsDataAt(c *compiler, o rules.Option) error {
	v := unquote(o.Value)
	s := inspect.Step{Kind: inspect.IsDataAt}
	if rest, ok := strings.CutPrefix(v, "!"); ok {
		s.Negated, v = true, strings.TrimSpace(rest)
	}
	p := split(v)
	var err error
	if s.Bytes, err = c.num(p[0], 0, math.MaxUint16); err != nil {
		return err
	}
	for _, m := range p[1:] {
		switch strings.ToLower(m) {
		case "relative":
			s.Relative = true
		case "rawbytes":
		default:
			return fail("isdataat knows relative and rawbytes, not %q", m)
		}
	}
	c.notPlain()
	c.add(s, s.Relative)
	return nil
}

func setupBSize(c *compiler, o rules.Option) error {
	if !c.stuck && c.lastL == nil {
		return fail("bsize needs a buffer before it")
	}
	lo, hi, err := sizeRange(o.Value, math.MaxUint32)
	if err != nil {
		return err
	}
	s := inspect.Step{Kind: inspect.Size, Min: lo, Max: hi}
	l := c.cur
	if !c.stuck {
		l = c.lastL
	}
	c.finishChain(l)
	l.steps = append(l.steps, s)
	return nil
}

// sizeRange reads a comparison of lengths as an inclusive range.
func sizeRange(v string, most uint64) (lo, hi uint64, err error) {
	u, err := rules.ParseUintRange(unquote(v), most)
	if err != nil {
		return 0, 0, err
	}
	switch u.Op {
	case rules.Equal:
		return u.A, u.A, nil
	case rules.Less:
		return 0, u.A - 1, nil
	case rules.LessEqual:
		return 0, u.A, nil
	case rules.Greater:
		return u.A + 1, most, nil
	case rules.GreaterEqual:
		return u.A, most, nil
	case rules.Between:
		return u.A + 1, u.B - 1, nil
	}
	return 0, 0, fail("%q is no range of lengths", v)
}

func setupDSize(c *compiler, o rules.Option) error {
	u, err := rules.ParseUintRange(unquote(o.Value), math.MaxUint16)
	if err != nil {
		return err
	}
	c.notPlain()
	c.dsize, c.sizeMost = true, math.MaxUint16
	if _, hi, err := sizeRange(o.Value, math.MaxUint16); err == nil {
		c.sizeMost = hi
	}
	c.out.flags |= hasSize
	c.cond(func(c *ctx) bool { return c.p != nil && u.Match(payloadSize(c.p)) })
	return nil
}

// payloadSize is what dsize compares: IGMP has no payload, it is all header.
func payloadSize(p *packet.Packet) uint64 {
	if p.Proto == packet.ProtoIGMP {
		return 0
	}
	return uint64(len(p.Payload) + p.Missing)
}

var pcreBuffers = map[byte]string{'U': "http.uri", 'I': "http.uri.raw", 'P': "http.request_body", 'Q': "http.response_body",
	'H': "http.header", 'D': "http.header.raw", 'M': "http.method", 'C': "http.cookie", 'S': "http.stat_code", 'Y': "http.stat_msg",
	'V': "http.user_agent", 'W': "http.host", 'Z': "http.host.raw"}

func setupPCRE(c *compiler, o rules.Option) error {
	re, err := pcre.Parse(strings.Clone(o.Value))
	if err != nil {
		return err
	}
	c.notPlain()
	s := inspect.Step{Kind: inspect.PCRE, Regexp: re}
	if name, ok := pcreBuffers[re.Buffer()]; ok {
		if c.stuck && c.cur.name == "file.data" && (name == "http.response_body" || name == "http.request_body") {
			name = "file.data"
		}
		if c.stuck && c.cur.name != name {
			return fail("the buffer letter %q of pcre contradicts the sticky buffer %s", re.Buffer(), c.cur.name)
		}
		l := c.list(name, false)
		c.finishChain(l)
		l.steps = append(l.steps, s)
		c.lastL = l
		return nil
	}
	c.add(s, re.Relative())
	return nil
}

func setupBase64(c *compiler, o rules.Option) error {
	s := inspect.Step{Kind: inspect.Base64}
	if o.HasValue {
		for _, p := range split(unquote(o.Value)) {
			f := strings.Fields(p)
			switch {
			case len(f) == 1 && f[0] == "relative":
				s.Relative = true
			case len(f) == 2 && (f[0] == "bytes" || f[0] == "offset"):
				n, err := rules.ParseUint(f[1], math.MaxUint16)
				if err != nil {
					return err
				}
				if f[0] == "bytes" {
					s.Bytes = inspect.N(int64(n))
				} else {
					s.Offset = inspect.N(int64(n))
				}
			default:
				return fail("base64_decode knows bytes, offset and relative, not %q", p)
			}
		}
	}
	c.notPlain()
	if c.base64In != nil {
		return fail("base64_decode stands twice")
	}
	l := c.add(s, s.Relative)
	c.base64 = l
	return nil
}

func setupBase64Data(c *compiler, o rules.Option) error {
	if c.base64 == nil {
		return fail("base64_data needs base64_decode before it")
	}
	for i := range c.base64.steps {
		if c.base64.steps[i].Kind == inspect.Base64 {
			s := &c.base64.steps[i]
			s.Sub = make([]inspect.Step, 0, 64) // modifiers point into it
			c.base64In = s
		}
	}
	c.cur, c.stuck = c.base64, true
	c.last = nil
	return nil
}

func setupASN1(c *compiler, o rules.Option) error {
	s := inspect.Step{Kind: inspect.ASN1}
	f := strings.FieldsFunc(unquote(o.Value), func(r rune) bool { return r == ' ' || r == ',' })
	for i := 0; i < len(f); i++ {
		num := func() (inspect.Num, error) {
			if i++; i >= len(f) {
				return inspect.Num{}, fail("a number is missing")
			}
			n, err := rules.ParseInt(f[i], -math.MaxUint16, math.MaxInt32)
			return inspect.N(n), err
		}
		var err error
		switch f[i] {
		case "oversize_length":
			s.Asn1.Oversize, err = num()
		case "absolute_offset":
			s.Asn1.Absolute, err = num()
		case "relative_offset":
			s.Asn1.Rel, err = num()
		case "bitstring_overflow":
			s.Asn1.Bitstring = true
		case "double_overflow":
			s.Asn1.Double = true
		default:
			err = fmt.Errorf("asn1 does not know %q", f[i])
		}
		if err != nil {
			return err
		}
	}
	c.notPlain()
	c.add(s, s.Asn1.Rel.Set)
	return nil
}
