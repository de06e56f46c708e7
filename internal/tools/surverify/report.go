package main

import (
	"cmp"
	"fmt"
	"io"
	"maps"
	"slices"
)

// Verdict is what became of one test.
type Verdict struct {
	Test    *Test
	Reasons []string // why it failed; empty when it passed
	// Alerts says the same of the checks that count alerts by sid alone.
	AlertReasons []string
	NotRun       int            // checks of a kind that is not evaluated
	Missing      map[string]int // event types asked for and never seen
}

// judge runs a test and evaluates its checks.
func judge(t *Test, run func(*Test) (*Result, error)) *Verdict {
	v := &Verdict{Test: t, Missing: map[string]int{}}
	res, err := guarded(t, run)
	if err != nil {
		v.Reasons = append(v.Reasons, err.Error())
		v.AlertReasons = v.Reasons
		if res == nil {
			return v
		}
	}
	for _, p := range res.Problems {
		v.Reasons = append(v.Reasons, "rule: "+p)
		v.AlertReasons = append(v.AlertReasons, "rule: "+p)
	}
	seen := map[any]bool{}
	for _, ev := range res.Events {
		seen[ev["event_type"]] = true
	}
	for i := range t.Checks {
		c := &t.Checks[i]
		o, why := c.eval(res.Events, t.version())
		switch o {
		case NotRun:
			v.NotRun++
		case Fail:
			v.Reasons = append(v.Reasons, why)
			if c.plainAlert() {
				v.AlertReasons = append(v.AlertReasons, why)
			}
			for _, m := range c.Match {
				if m.Path == "event_type" && !seen[m.Want] && m.Want != "alert" {
					v.Missing[text(m.Want)]++
				}
			}
		}
	}
	return v
}

func guarded(t *Test, run func(*Test) (*Result, error)) (res *Result, err error) {
	defer func() {
		if p := recover(); p != nil {
			res, err = nil, fmt.Errorf("panic: %v", p)
		}
	}()
	return run(t)
}

// Report collects verdicts.
type Report struct{ verdicts []*Verdict }

// Add takes the verdict on one test.
func (r *Report) Add(v *Verdict) { r.verdicts = append(r.verdicts, v) }

// Rate is how many tests of a list passed.
type Rate struct{ Passed, Of int }

func (r Rate) share() float64 {
	if r.Of == 0 {
		return 0
	}
	return float64(r.Passed) / float64(r.Of)
}

// rates counts the tests chosen: in all, and the mean of the families' shares.
// With alertsOnly only the checks that count alerts are asked.
func (r *Report) rates(choose func(*Test) bool, alertsOnly bool) (all Rate, byFamily float64) {
	families := map[string]*Rate{}
	for _, v := range r.verdicts {
		if !choose(v.Test) {
			continue
		}
		f := families[v.Test.Family()]
		if f == nil {
			f = &Rate{}
			families[v.Test.Family()] = f
		}
		reasons := v.Reasons
		if alertsOnly {
			reasons = v.AlertReasons
		}
		f.Of++
		all.Of++
		if len(reasons) == 0 {
			f.Passed++
			all.Passed++
		}
	}
	for _, f := range families {
		byFamily += f.share() / float64(len(families))
	}
	return all, byFamily
}

// Print writes the failures (when verbose) and the rates.
func (r *Report) Print(w io.Writer, verbose bool) {
	missing := map[string]int{}
	notRun := 0
	for _, v := range r.verdicts {
		notRun += v.NotRun
		for k := range v.Missing {
			missing[k]++
		}
		if !verbose || len(v.Reasons) == 0 {
			continue
		}
		mark := "fail "
		if v.Test.Passes {
			mark = "FAIL "
		}
		if len(v.AlertReasons) == 0 {
			mark = "event"
		}
		fmt.Fprintf(w, "%s %s [%s]\n", mark, v.Test.Name, v.Test.Class)
		for i, why := range v.Reasons {
			if i == 8 {
				fmt.Fprintf(w, "        … %d more\n", len(v.Reasons)-i)
				break
			}
			fmt.Fprintf(w, "        %s\n", why)
		}
	}
	for _, l := range []struct {
		name   string
		choose func(*Test) bool
	}{
		{"tests Suricata 7.0.10 passes", func(t *Test) bool { return t.Passes }},
		{"other tests", func(t *Test) bool { return !t.Passes && t.Class != "out" }},
		{"other tests, out of scope", func(t *Test) bool { return !t.Passes && t.Class == "out" }},
	} {
		for _, alerts := range []bool{true, false} {
			all, fam := r.rates(l.choose, alerts)
			what := "all checks"
			if alerts {
				what = "alerts by sid"
			}
			fmt.Fprintf(w, "%-30s %-14s %4d of %4d: %5.1f %%, by family %5.1f %%\n",
				l.name, what, all.Passed, all.Of, 100*all.share(), 100*fam)
		}
	}
	fmt.Fprintf(w, "checks not evaluated: %d\n", notRun)
	types := slices.SortedFunc(maps.Keys(missing), func(a, b string) int {
		return cmp.Or(cmp.Compare(missing[b], missing[a]), cmp.Compare(a, b))
	})
	for _, k := range types {
		fmt.Fprintf(w, "event type %s never seen in %d tests that ask for it\n", k, missing[k])
	}
}
