package match_test

import (
	"strings"
	"testing"

	"github.com/yamori-net/yamori/internal/builtin"
	"github.com/yamori-net/yamori/internal/match"
	"github.com/yamori-net/yamori/internal/rules"
)

var (
	bad    = [4]byte{192, 0, 2, 1}    // score 50 in bad, JP
	mixed  = [4]byte{192, 0, 2, 9}    // score 50 in bad, 20 in good, JP
	german = [4]byte{198, 51, 100, 1} // DE
	plain  = [4]byte{203, 0, 113, 9}  // known to nobody
)

// asked returns whether rules with each of these options match a datagram.
func asked(t *testing.T, options []string, src, dst [4]byte) (out []bool) {
	t.Helper()
	var text strings.Builder
	for i, o := range options {
		text.WriteString("alert ip any any -> any any (" + o + " sid:" + itoa(i+1) + ";)\n")
	}
	r := replay(t, compile(t, text.String(), match.Options{Reputation: reputation(), Country: country}))
	r.frame(udp(src, dst, 4000, 9999, "x"))
	out = make([]bool, len(options))
	for _, sid := range r.end() {
		out[sid-1] = true
	}
	return out
}

func TestReputation(t *testing.T) {
	for _, c := range []struct {
		option   string
		src, dst [4]byte
		want     bool
	}{
		{"iprep:src,bad,>,10;", bad, plain, true},
		{"iprep:src,BAD,>,10;", bad, plain, true},
		{"iprep:dst,bad,>,10;", bad, plain, false},
		{"iprep:any,bad,>,10;", plain, bad, true},
		{"iprep:both,bad,>,10;", plain, bad, false},
		{"iprep:both,bad,>,10;", mixed, bad, true},
		{"iprep:src,bad,=,50;", bad, plain, true},
		{"iprep:src,bad,<,50;", bad, plain, false},
		{"iprep:src,bad,>=,50;", bad, plain, true},
		{"iprep:src,bad,<=,49;", bad, plain, false},
		{"iprep:src,good,<,50;", plain, bad, false}, // not known: no score
		{"iprep:src,good,<,50;", mixed, bad, true},
		{"iprep:src,good,isset;", mixed, bad, true},
		{"iprep:src,good,isset;", bad, bad, false},
		{"iprep:src,good,isnotset;", bad, bad, true},
		{"geoip:src,JP;", bad, plain, true},
		{"geoip:src,jp,KR;", bad, plain, true},
		{"geoip:dst,JP;", bad, plain, false},
		{"geoip:JP;", plain, bad, true},
		{"geoip:any,JP,DE;", german, plain, true},
		{"geoip:both,JP,DE;", german, plain, false},
		{"geoip:both,JP,DE;", german, bad, true},
		{"geoip:src,!JP,!KR;", german, plain, true},
		{"geoip:src,!JP,KR;", german, plain, true},
		{"geoip:src,!JP;", bad, plain, false},
		{"geoip:src,!JP;", plain, bad, false}, // of no known country
	} {
		if got := asked(t, []string{c.option}, c.src, c.dst)[0]; got != c.want {
			t.Errorf("%s from %v to %v: %v", c.option, c.src, c.dst, got)
		}
	}
}

// TestReputationOnce: a rule that asks for addresses alone tells of a flow once.
func TestReputationOnce(t *testing.T) {
	r := replay(t, compile(t, `alert ip any any -> any any (iprep:src,bad,>,10; sid:1;)`, match.Options{Reputation: reputation()}))
	for range 5 {
		r.frame(udp(bad, plain, 4000, 9999, "x"))
	}
	same(t, r.end(), []uint32{1})
}

// TestLacking: without lists and database such rules load and never match, and
// one line says so.
func TestLacking(t *testing.T) {
	text := "alert ip any any -> any any (iprep:any,bad,>,10; sid:1;)\nalert ip any any -> any any (geoip:JP; sid:2;)\nalert ip any any -> any any (geoip:DE; sid:3;)\n"
	rs, _ := rules.Parse("t.rules", strings.NewReader(text), rules.ParseConfig{})
	set, problems := match.Compile(rs, match.Options{Protocols: builtin.Protocols()})
	if set.Stats().Inert != 3 || len(problems) != 2 || !problems[0].Warning || !problems[1].Warning {
		t.Fatalf("%+v %v", set.Stats(), problems)
	}
	for i, want := range []string{
		"t.rules:1:1: sid 1: iprep: no reputation of addresses is loaded, so 1 rules never match (name the lists under rules.reputation)",
		"t.rules:2:1: sid 2: geoip: no database of countries is loaded, so 2 rules never match (name one as geo.country)"} {
		if got := problems[i].Error(); got != want {
			t.Errorf("%s, want %s", got, want)
		}
	}
	r := replay(t, set)
	r.frame(udp(bad, german, 4000, 9999, "x"))
	same(t, r.end(), nil)
}

func TestReputationFaults(t *testing.T) {
	opt := match.Options{Protocols: builtin.Protocols(), Reputation: reputation(), Country: country}
	for _, c := range []struct{ option, want string }{
		{"iprep:any,bad;", "iprep needs"}, {"iprep:all,bad,>,1;", "not \"all\""}, {"iprep:any,none,>,1;", "no category"},
		{"iprep:any,bad,>,128;", ""}, {"iprep:any,bad,~,1;", ""}, {"iprep:any,bad,isset,1;", ""},
		{"geoip:src;", "needs 1 to 64"}, {"geoip:JPN;", "no code"}, {"geoip:1.;", "no code"}, {"geoip:JP,!DE;", "all negated"},
		{"geoip:" + strings.Repeat("JP,", 64) + "JP;", "needs 1 to 64"},
	} {
		rs, _ := rules.Parse("t.rules", strings.NewReader("alert ip any any -> any any ("+c.option+" sid:1;)"), rules.ParseConfig{})
		_, problems := match.Compile(rs, opt)
		if len(problems) != 1 || problems[0].Warning || !strings.Contains(problems[0].Reason, c.want) {
			t.Errorf("%s: %v", c.option, problems)
		}
	}
}
