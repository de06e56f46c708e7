package rules

import (
	"fmt"
	"os"
	"strings"
	"testing"
)

// wantProblem is "line:col reason" of one problem; a leading ~ marks a warning.
func checkProblems(t *testing.T, problems []*Problem, want []string) {
	t.Helper()
	for i := range max(len(problems), len(want)) {
		got := "(none)"
		if i < len(problems) {
			p := problems[i]
			got = fmt.Sprintf("%d:%d %s", p.Line, p.Col, p.Reason)
			if p.Warning {
				got = "~" + got
			}
		}
		if i >= len(want) || got != want[i] {
			t.Errorf("problem %d: %s, want %v", i, got, want[min(i, len(want)):])
		}
	}
}

func TestClassification(t *testing.T) {
	got, problems := ParseClassification("c", strings.NewReader("# comment\n\nconfig classification: Not-Suspicious,Not Suspicious Traffic, really,3\r\n"+
		"  config  classification :a , b ,1\nconfig classification: a,again,2\nconfig reference: x y\nclassification: a,b,1\n"+
		"config classification: a,b\nconfig classification: 1a,b,1\nconfig classification: c,d,x\nconfig classification: e,,1\n"+
		"config \\\nclassification: \\\nlong,Long one,4\n"))
	want := map[string]Class{
		"not-suspicious": {"not-suspicious", "Not Suspicious Traffic, really", 3},
		"a":              {"a", "b", 1},
		"long":           {"long", "Long one", 4},
	}
	if fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("%v", got)
	}
	checkProblems(t, problems, []string{
		"~5:24 the class a is set twice, the first counts",
		`6:8 the word config is followed by "reference: x y"`,
		`7:1 a line begins with config, not with "classification:"`,
		"8:24 a class needs a name, a description and a priority",
		`9:24 "1a" is no name of a class`,
		`10:28 "x" is no priority`,
		"11:26 the class e has no description",
	})
}

func TestReferences(t *testing.T) {
	got, problems := ParseReferences("r", strings.NewReader("config reference: bugtraq   http://b/\nconfig reference: arachNIDS http://a/?x=\n#config reference: no x\n"+
		"config reference: bugtraq http://c/\nconfig reference: cve\nconfig reference: 1 x"))
	if len(got) != 2 || got["bugtraq"] != "http://b/" || got["arachnids"] != "http://a/?x=" {
		t.Error(got)
	}
	checkProblems(t, problems, []string{
		"~4:19 the reference system bugtraq is set twice, the first counts",
		"5:19 a reference needs a system and a URL",
		`6:19 "1" is no name of a reference system`,
	})
}

func TestThresholds(t *testing.T) {
	vars := DefaultVars().With(Vars{Addrs: map[string]string{"NOISY": "[1.2.3.4,5.6.7.0/24]"}})
	text := `# comment
suppress gen_id 1, sig_id 2
suppress gen_id 1,sig_id 2,track by_src,ip 1.2.3.4
  suppress gen_id 1, sig_id 2, track by_either, ip [1.2.3.4, !5.6.7.8]
suppress gen_id 1, sig_id 2, \
  track by_dst, ip $NOISY
threshold gen_id 1, sig_id 3, type limit, track by_src, count 1, seconds 60
event_filter gen_id 0, sig_id 0, type both, track by_flow, count 2, seconds 3
threshold gen_id 1, sig_id 0, type threshold, track by_both, count 2, seconds 3
rate_filter gen_id 1, sig_id 4, track by_rule, count 10, seconds 60, new_action drop, timeout 0
rate_filter gen_id 1, sig_id 4, track by_dst, count 10, seconds 60, new_action sdrop, timeout 9`
	got, problems := ParseThresholds("t", strings.NewReader(text), vars)
	checkProblems(t, problems, nil)
	want := []GlobalThreshold{
		{Kind: Suppress, GID: 1, SID: 2, Line: 2},
		{Kind: Suppress, GID: 1, SID: 2, Track: BySrc, Line: 3},
		{Kind: Suppress, GID: 1, SID: 2, Track: ByEither, Line: 4},
		{Kind: Suppress, GID: 1, SID: 2, Track: ByDst, Line: 5},
		{Kind: EventFilter, GID: 1, SID: 3, Type: Limit, Track: BySrc, Count: 1, Seconds: 60, Line: 7},
		{Kind: EventFilter, Type: LimitBoth, Track: ByFlow, Count: 2, Seconds: 3, Line: 8},
		{Kind: EventFilter, GID: 1, Type: Threshold, Track: ByBoth, Count: 2, Seconds: 3, Line: 9},
		{Kind: RateFilter, GID: 1, SID: 4, Track: ByRule, Count: 10, Seconds: 60, NewAction: Drop, Line: 10},
		{Kind: RateFilter, GID: 1, SID: 4, Track: ByDst, Count: 10, Seconds: 60, NewAction: Drop, Timeout: 9, Line: 11},
	}
	if len(got) != len(want) {
		t.Fatalf("%d lines", len(got))
	}
	lists := []string{"any", "1.2.3.4", "[1.2.3.4, !5.6.7.8]", "$NOISY"}
	for i, w := range want {
		g := got[i]
		if i < len(lists) && g.Addrs.String() != lists[i] {
			t.Errorf("line %d: addresses %s", g.Line, g.Addrs)
		}
		g.Addrs, w.File = Addrs{}, "t"
		if g != w {
			t.Errorf("got  %+v\nwant %+v", g, w)
		}
	}
	if !got[3].Addrs.Contains(mapped(t, "5.6.7.9")) || got[3].Addrs.Contains(mapped(t, "5.6.8.9")) {
		t.Error("the variable is not expanded")
	}

	text = `nosuch gen_id 1
suppres gen_id 1, sig_id 1
suppress gen_id 1
suppress gen_id 0, sig_id 1
suppress gen_id 1, sig_id 1, track by_src
suppress gen_id 1, sig_id 1, ip 1.2.3.4
suppress gen_id 1, sig_id 1, track by_rule, ip 1.2.3.4
suppress gen_id 1, sig_id 1, track by_src, ip [1.2.3.4,host]
threshold gen_id 1, sig_id 1, type limits, track by_src, count 1, seconds 1
threshold gen_id 1, sig_id 1, type limit, track by_either, count 1, seconds 1
threshold gen_id 1, sig_id 1, type limit, track by_src, count 0, seconds 1
threshold gen_id 1, sig_id 1, type limit, track by_src, count 1
threshold gen_id 1, gen_id 1, sig_id 1
threshold gen_id x, sig_id 1
threshold gen_id 1, sig_id 1, wrong 2
rate_filter gen_id 1, sig_id 1, track by_src, count 1, seconds 1, new_action explode, timeout 1`
	_, problems = ParseThresholds("t", strings.NewReader(text), vars)
	checkProblems(t, problems, []string{
		`1:1 unknown directive "nosuch"`,
		`2:1 unknown directive "suppres"`,
		"3:18 sig_id is missing",
		"4:1 gen_id 0 stands for all rules and cannot have a sig_id",
		"5:42 track and ip go together",
		"6:40 track and ip go together",
		`7:36 unknown track of suppress "by_rule"`,
		`8:56 "host" is no address`,
		`9:36 unknown type "limits"`,
		`10:49 unknown track of event_filter "by_either"`,
		`11:63 count needs a number of at least 1, not "0"`,
		"12:64 seconds is missing",
		"13:21 gen_id is set twice",
		`14:18 gen_id needs a number of at least 0, not "x"`,
		`15:31 unknown setting "wrong"`,
		`16:78 unknown action "explode"`,
	})
	if problems[1].Cure != "did you mean suppress?" || problems[8].Cure != "did you mean limit?" {
		t.Error(problems[1].Cure, problems[8].Cure)
	}
}

func TestConfigLimits(t *testing.T) {
	var b strings.Builder
	for i := range MaxConfigEntries + 1 {
		fmt.Fprintf(&b, "config reference: a%d x\n", i)
	}
	got, problems := ParseReferences("r", strings.NewReader(b.String()))
	if len(got) != MaxConfigEntries || len(problems) != 1 || problems[0].Line != MaxConfigEntries+1 {
		t.Errorf("%d systems, %v", len(got), problems)
	}
	classes, problems := ParseClassification("c", strings.NewReader(strings.ReplaceAll(strings.ReplaceAll(b.String(), "reference", "classification"), " x\n", ",x,1\n")))
	if len(classes) != MaxConfigEntries || len(problems) != 1 {
		t.Errorf("%d classes, %v", len(classes), problems)
	}
	lines, problems := ParseThresholds("t", strings.NewReader(strings.Repeat("suppress gen_id 1, sig_id 1\n", MaxConfigEntries+1)), Vars{})
	if len(lines) != MaxConfigEntries || len(problems) != 1 {
		t.Errorf("%d lines, %v", len(lines), problems)
	}
	_, problems = ParseReferences("r", strings.NewReader("config reference: a "+strings.Repeat("x", MaxRule)))
	checkProblems(t, problems, []string{fmt.Sprintf("1:1 the line has more than %d bytes", MaxRule)})
}

// TestShippedConfigs reads the files that come with ET Open and with the tests
// of Suricata.
func TestShippedConfigs(t *testing.T) {
	f, err := os.Open(testdata(t, "the classes of ET Open", "rules/et-open-2025-08/classification.config"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	got, problems := ParseClassification("classification.config", f)
	if len(got) < 40 || len(problems) > 0 {
		t.Errorf("%d classes, %v", len(got), problems)
	}
	if c := got["trojan-activity"]; c.Priority != 1 || c.Description != "A Network Trojan was detected" {
		t.Errorf("%+v", c)
	}
}
