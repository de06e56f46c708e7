package rules

import "fmt"

// finish drops double rules and hands everything over.
func (p *parser) finish() ([]*Rule, []*Problem) {
	rules := p.unique()
	if p.unkept > 0 {
		p.problems = append(p.problems, &Problem{Reason: fmt.Sprintf("%d further problems are not listed", p.unkept), Warning: true})
	}
	return rules, p.problems
}

// unique keeps each sid of a gid once, as Suricata's
// DetectEngineSignatureIsDuplicate does: a higher rev replaces, else the first
// stays. An enabled rule always wins over one in a comment.
func (p *parser) unique() []*Rule {
	type id struct{ gid, sid uint32 }
	seen := make(map[id]int, len(p.rules))
	out := p.rules[:0]
	gone := 0
	for _, r := range p.rules {
		k := id{r.GID, r.SID}
		i, double := seen[k]
		if !double {
			seen[k] = len(out)
			out = append(out, r)
			continue
		}
		gone++
		old := out[i]
		better := r.Rev > old.Rev
		if r.Enabled != old.Enabled {
			better = r.Enabled
		}
		stays, goes := old, r
		if better {
			stays, goes = r, old
			out[i] = nil // the place in the order is that of the rule that stays
			seen[k] = len(out)
			out = append(out, r)
		}
		p.double(stays, goes)
	}
	if gone == 0 {
		return out
	}
	kept := out[:0]
	for _, r := range out {
		if r != nil {
			kept = append(kept, r)
		}
	}
	return kept
}

func (p *parser) double(stays, goes *Rule) {
	q := &Problem{
		File: goes.File, Line: goes.Line, Col: 1, SID: goes.SID,
		Reason: fmt.Sprintf("the sid is used by another rule, rev %d at %s:%d, which is taken", stays.Rev, stays.File, stays.Line),
		Cure:   "give one of them another sid",
		// Suricata takes a newer revision with no more than a warning. An
		// unused comment is no fault at all.
		Warning: stays.Rev > goes.Rev || !goes.Enabled,
	}
	if o, ok := goes.Option("sid"); ok {
		q.Line, q.Col = int(o.Line), o.Col
	}
	p.problem(q)
}
