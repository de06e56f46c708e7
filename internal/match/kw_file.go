package match

import (
	"math"
	"os"
	"strconv"
	"strings"

	"github.com/yamori-net/yamori/internal/match/inspect"
	"github.com/yamori-net/yamori/internal/rules"
)

var fileKeywords = []Keyword{
	{Name: "filename", Family: "file", Doc: "name of the file holds this", Example: `filename:"x";`, Setup: fileText("file.name", false)},
	{Name: "fileext", Family: "file", Doc: "ending of the file's name", Example: `fileext:"exe";`, Setup: fileText("file.name", true)},
	{Name: "filemagic", Family: "file", Doc: "kind of file in the words of file(1)", Example: `filemagic:"PNG";`, Setup: fileText("file.magic", false)},
	{Name: "filestore", Family: "file", Doc: "there is a file; it is not stored", Example: `filestore;`, Setup: setupFilestore},
	{Name: "filemd5", Family: "file", Doc: "MD5 of the file is in a list", Setup: fileHash("file.md5", 32)},
	{Name: "filesha1", Family: "file", Doc: "SHA-1 of the file is in a list", Setup: fileHash("file.sha1", 40)},
	{Name: "filesha256", Family: "file", Doc: "SHA-256 of the file is in a list", Setup: fileHash("file.sha256", 64)},
	{Name: "filesize", Family: "file", Doc: "size of the file", Example: `filesize:>100;`, Setup: func(c *compiler, o rules.Option) error {
		v := o.Value
		side, rest := c.sidePrefix(v)
		if side != anySide {
			v = rest
		}
		lo, hi, err := sizeRange(v, math.MaxUint32)
		if err != nil {
			return err
		}
		c.notPlain()
		c.checkOf("file.size", side, func(b []byte) bool { n := decimal(b); return n >= lo && n <= hi })
		return nil
	}},
	{Name: "dataset", Family: "data", Doc: "the buffer is, or is not, in a set", Example: `dns.query; dataset:isset,names,type string;`, Setup: setupDataset},
	{Name: "datarep", Family: "data", Doc: "reputation of the buffer in a set", Example: `dns.query; datarep:names, >, 5, load names.lst, type string;`, Setup: setupDatarep},
}

// setupFilestore asks for a file, as Suricata does before it stores it.
func setupFilestore(c *compiler, o rules.Option) error {
	for _, p := range split(unquote(o.Value)) {
		switch lowerTrim(p) {
		case "", "request", "response", "both", "to_server", "to_client", "tx", "file", "ssn", "flow":
		default:
			return fail("filestore does not know %q", p)
		}
	}
	c.check("file.size", func([]byte) bool { return true })
	return nil
}

// fileHash makes the Setup of a list of hashes, one a line in hexadecimal.
func fileHash(buffer string, digits int) func(*compiler, rules.Option) error {
	return func(c *compiler, o rules.Option) error {
		v, neg, _ := rules.Unquote(o.Value)
		if v == "" {
			return fail("%s needs a file", o.Name)
		}
		text, err := os.ReadFile(c.path(v))
		if err != nil {
			return noDataFile("the list of hashes", err)
		}
		has := map[string]bool{}
		for line := range strings.Lines(string(text)) {
			if line = strings.TrimSpace(line); len(line) >= digits && len(has) < MaxDataset {
				has[strings.ToLower(line[:digits])] = true
			}
		}
		c.check(buffer, func(b []byte) bool { return has[string(b)] != neg })
		return nil
	}
}

func fileText(buffer string, end bool) func(*compiler, rules.Option) error {
	return func(c *compiler, o rules.Option) error {
		v, neg, _ := rules.Unquote(o.Value)
		b, err := rules.ParsePattern(v)
		if err != nil {
			return err
		}
		c.notPlain()
		s := inspect.Step{Kind: inspect.Content, Pattern: b, Negated: neg, NoCase: true}
		if end {
			s.Pattern = append([]byte("."), b...)
			s.EndsWith = true
		}
		l := c.list(buffer, true)
		l.steps = append(l.steps, s)
		return nil
	}
}

// floatCompare reads "> 4.5", "4.5" or "1.0-2.0".
func floatCompare(v string) (func(float64) bool, error) {
	v = strings.ReplaceAll(v, " ", "")
	num := func(s string) (float64, error) {
		n, err := strconv.ParseFloat(s, 64)
		if err != nil {
			return 0, fail("%q is no number", s)
		}
		return n, nil
	}
	if a, b, ok := strings.Cut(strings.TrimPrefix(v, "!"), "-"); ok {
		lo, err := num(a)
		if err != nil {
			return nil, err
		}
		hi, err := num(b)
		if err != nil {
			return nil, err
		}
		not := strings.HasPrefix(v, "!")
		return func(x float64) bool { return (x > lo && x < hi) != not }, nil
	}
	for _, op := range []string{">=", "<=", "!=", ">", "<", "=", "!"} {
		rest, ok := strings.CutPrefix(v, op)
		if !ok {
			continue
		}
		n, err := num(rest)
		if err != nil {
			return nil, err
		}
		return map[string]func(float64) bool{
			">=": func(x float64) bool { return x >= n }, "<=": func(x float64) bool { return x <= n },
			">": func(x float64) bool { return x > n }, "<": func(x float64) bool { return x < n },
			"=": func(x float64) bool { return x == n }, "!=": func(x float64) bool { return x != n }, "!": func(x float64) bool { return x != n },
		}[op], nil
	}
	n, err := num(v)
	return func(x float64) bool { return x == n }, err
}

// noIndustry is why keywords of such protocols are refused.
const noIndustry = "industrial protocols are not read"

func refuse(name, why string, aliases ...string) Keyword {
	return Keyword{Name: name, Aliases: aliases, Family: "refused", Doc: "refused: " + why, Setup: func(*compiler, rules.Option) error {
		return &rules.ValueError{Reason: name + " is not supported: " + why, Cure: "remove the rule"}
	}}
}

var refusedKeywords = []Keyword{
	{Name: "bypass", Family: "meta", Doc: "accepted: which flows are let go is decided by the engine", Example: `content:"x"; bypass;`, Setup: nothing, Inert: "which flows are let go is decided by the engine"},
	refuse("lua", "rules run no programs"), refuse("luajit", "rules run no programs"), refuse("luaxform", "rules run no programs"),
	refuse("config", "logging is not changed by rules"),
	refuse("dnp3_func", noIndustry), refuse("dnp3_ind", noIndustry, "dnp3.ind"), refuse("dnp3_obj", noIndustry, "dnp3.obj"), refuse("pktvar", "only variables of flows are compared: use flowvar"),
}
