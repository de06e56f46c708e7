package inspect

import (
	"bufio"
	"encoding/hex"
	"flag"
	"fmt"
	"math/rand"
	"os"
	"strconv"
	"strings"
	"testing"

	"github.com/yamori-net/yamori/internal/match/inspect/pcre"
)

var update = flag.Bool("update", false, "write testdata/suricata.txt anew, without answers; testdata/record.py adds them")

const recorded = "testdata/suricata.txt"

// TestSuricata compares with the answers of Suricata 7.0.10 to random rules on
// random payloads, recorded by testdata/record.py.
func TestSuricata(t *testing.T) {
	r := rand.New(rand.NewSource(20))
	var lines []string
	var mine []bool
	ctx := new(Ctx)
	for range 140 {
		steps, text := randomRule(r)
		p := must(t, steps...)
		lines, mine = append(lines, "R\t"+text), append(mine, false)
		for range 8 {
			buf := make([]byte, 1+r.Intn(16))
			for i := range buf {
				buf[i] = pick(r, []byte("aaabbbcA1203\x01\x02\x03\x00 ")...)
			}
			ctx.ClearVars()
			lines, mine = append(lines, "P\t"+hex.EncodeToString(buf)), append(mine, p.Match(buf, ctx))
		}
	}
	if *update {
		if err := os.WriteFile(recorded, []byte(strings.Join(lines, "\n")+"\n"), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	f, err := os.Open(recorded)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	i, matched, rule := 0, 0, ""
	for sc := bufio.NewScanner(f); sc.Scan(); i++ {
		part := strings.Split(sc.Text(), "\t")
		if i >= len(lines) || part[0]+"\t"+part[1] != lines[i] {
			t.Fatalf("line %d is not what the generator makes; run with -update and record again", i+1)
		}
		if part[0] == "R" {
			rule = part[1]
			continue
		}
		if part[2] == "?" {
			continue // Suricata refuses the rule, or the difference is known
		}
		if want := part[2] == "true"; want != mine[i] {
			t.Errorf("%s on %s: %v, Suricata says %v", rule, part[1], mine[i], want)
		} else if want {
			matched++
		}
	}
	if i != len(lines) || matched < 50 {
		t.Errorf("%d lines of %d, %d matches", i, len(lines), matched)
	}
}

// pick returns one of v.
func pick[T any](r *rand.Rand, v ...T) T { return v[r.Intn(len(v))] }

// randomRule makes the options of one rule on a payload, as steps and as text.
func randomRule(r *rand.Rand) (steps []Step, text string) {
	var vars []string
	var b strings.Builder
	num := func(lo, hi int) (Num, string) {
		if len(vars) > 0 && r.Intn(3) == 0 {
			v := pick(r, vars...)
			return V(v), v
		}
		n := lo + r.Intn(hi-lo+1)
		return N(int64(n)), strconv.Itoa(n)
	}
	n := 1 + r.Intn(5)
	for i := 0; i < n; i++ {
		k := r.Intn(10)
		if i == 0 {
			k = 0
		}
		rel := i > 0 && r.Intn(3) > 0
		switch {
		case k < 5:
			p := make([]byte, 1+r.Intn(2)*r.Intn(3))
			for j := range p {
				p[j] = pick(r, []byte("aabbcA\x01\x02\x03")...)
			}
			s := Step{Kind: Content, Pattern: p, Negated: r.Intn(5) == 0, NoCase: r.Intn(4) == 0}
			neg := ""
			if s.Negated {
				neg = "!"
			}
			fmt.Fprintf(&b, "content:%s\"|%s|\"; ", neg, strings.TrimSpace(fmt.Sprintf("% x", p)))
			if s.NoCase {
				b.WriteString("nocase; ")
			}
			if rel {
				m := r.Intn(3)
				if m != 1 {
					var t string
					s.Distance, t = num(-3, 4)
					fmt.Fprintf(&b, "distance:%s; ", t)
				}
				if m != 0 {
					var t string
					s.Within, t = num(len(p), len(p)+5)
					fmt.Fprintf(&b, "within:%s; ", t)
				}
			} else {
				switch r.Intn(6) {
				case 0:
					var t string
					s.Offset, t = num(0, 6)
					fmt.Fprintf(&b, "offset:%s; ", t)
				case 1:
					var t string
					s.Depth, t = num(len(p), len(p)+6)
					fmt.Fprintf(&b, "depth:%s; ", t)
				case 2:
					var t string
					s.Offset, t = num(0, 6)
					fmt.Fprintf(&b, "offset:%s; ", t)
					s.Depth, t = num(len(p), len(p)+6)
					fmt.Fprintf(&b, "depth:%s; ", t)
				case 3:
					if r.Intn(3) == 0 {
						s.StartsWith = true
						b.WriteString("startswith; ")
					}
				}
			}
			if r.Intn(8) == 0 {
				s.EndsWith = true
				b.WriteString("endswith; ")
			}
			steps = append(steps, s)
		case k == 5:
			s := Step{Kind: IsDataAt, Relative: rel, Negated: r.Intn(2) == 0}
			var t string
			s.Bytes, t = num(0, 8)
			fmt.Fprintf(&b, "isdataat:%s%s%s; ", map[bool]string{true: "!"}[s.Negated], t, map[bool]string{true: ",relative"}[rel])
			steps = append(steps, s)
		case k == 6:
			s := Step{Kind: ByteTest, Relative: rel, Negated: r.Intn(3) == 0}
			op := r.Intn(7)
			s.Op = OpEqual + Operator(op)
			nb := 1 + r.Intn(2)
			s.Bytes = N(int64(nb))
			var v, o string
			s.Value, v = num(0, 100)
			s.Offset, o = num(-2, 4)
			fmt.Fprintf(&b, "byte_test:%d,%s%s,%s,%s%s", nb, map[bool]string{true: "!"}[s.Negated], []string{"=", "<", ">", "<=", ">=", "&", "^"}[op], v, o, map[bool]string{true: ",relative"}[rel])
			switch r.Intn(4) {
			case 0:
				s.Endian = LittleEndian
				b.WriteString(",little")
			case 1:
				s.String = true
				s.Base = pick(r, 8, 10, 16)
				b.WriteString(",string," + map[int]string{8: "oct", 10: "dec", 16: "hex"}[s.Base])
			}
			if r.Intn(4) == 0 {
				s.Bitmask = uint32(1 + r.Intn(255))
				fmt.Fprintf(&b, ",bitmask 0x%x", s.Bitmask)
			}
			b.WriteString("; ")
			steps = append(steps, s)
		case k == 7:
			s := Step{Kind: ByteJump, Relative: rel}
			nb := r.Intn(3)
			s.Bytes = N(int64(nb))
			var o string
			s.Offset, o = num(-2, 4)
			fmt.Fprintf(&b, "byte_jump:%d,%s%s", nb, o, map[bool]string{true: ",relative"}[rel])
			if r.Intn(4) == 0 {
				s.Multiplier = uint32(1 + r.Intn(3))
				fmt.Fprintf(&b, ",multiplier %d", s.Multiplier)
			}
			if r.Intn(4) == 0 {
				s.Align = 4
				b.WriteString(",align")
			}
			switch r.Intn(5) {
			case 0:
				s.From = FromBeginning
				b.WriteString(",from_beginning")
			case 1:
				s.From = FromEnd
				b.WriteString(",from_end")
			}
			if r.Intn(3) == 0 {
				s.PostOffset = int32(r.Intn(12) - 8)
				fmt.Fprintf(&b, ",post_offset %d", s.PostOffset)
			}
			if nb > 0 && r.Intn(4) == 0 { // without a number of bytes Suricata reads beyond the payload
				s.String = true
				s.Base = pick(r, 8, 10, 16)
				b.WriteString(",string," + map[int]string{8: "oct", 10: "dec", 16: "hex"}[s.Base])
			}
			b.WriteString("; ")
			steps = append(steps, s)
		case k == 8:
			name := fmt.Sprintf("v%d", len(vars))
			nb := 1 + r.Intn(2)
			if r.Intn(2) == 0 {
				s := Step{Kind: ByteExtract, Relative: rel, Bytes: N(int64(nb)), Result: name}
				off := r.Intn(5) - 1
				s.Offset = N(int64(off))
				fmt.Fprintf(&b, "byte_extract:%d,%d,%s%s", nb, off, name, map[bool]string{true: ",relative"}[rel])
				switch r.Intn(5) {
				case 0:
					s.String, s.Base = true, 10
					b.WriteString(",string,dec")
				case 1:
					s.Endian = LittleEndian
					b.WriteString(",little")
				}
				if r.Intn(4) == 0 {
					s.Multiplier = 2
					b.WriteString(",multiplier 2")
				}
				if r.Intn(4) == 0 {
					s.Align = 4
					b.WriteString(",align 4")
				}
				b.WriteString("; ")
				steps = append(steps, s)
			} else {
				s := Step{Kind: ByteMath, Relative: rel, Bytes: N(int64(nb)), Result: name}
				off := r.Intn(5) - 1
				s.Offset = N(int64(off))
				op := r.Intn(6)
				s.Op = OpAdd + Operator(op)
				var v string
				s.Value, v = num(1, 5)
				fmt.Fprintf(&b, "byte_math:bytes %d, offset %d, oper %s, rvalue %s, result %s%s", nb, off, []string{"+", "-", "*", "/", "<<", ">>"}[op], v, name, map[bool]string{true: ", relative"}[rel])
				if r.Intn(3) == 0 {
					s.Bitmask = uint32(1 + r.Intn(255))
					fmt.Fprintf(&b, ", bitmask 0x%x", s.Bitmask)
				}
				b.WriteString("; ")
				steps = append(steps, s)
			}
			vars = append(vars, name)
		case k == 9:
			fl := ""
			if rel {
				fl = "R"
			}
			v := fmt.Sprintf("%s\"/%s/%s\"", map[bool]string{true: "!"}[r.Intn(5) == 0], pick(r, "^[abc]", "a.b", "^.?b", "b+", "[\\x01-\\x03]", "^a*c", "c$", "(?<=a)b"), fl+"s")
			re, err := pcre.Parse(v)
			if err != nil {
				panic(err)
			}
			fmt.Fprintf(&b, "pcre:%s; ", v)
			steps = append(steps, Step{Kind: PCRE, Regexp: re})
		}
	}
	return steps, b.String()
}
