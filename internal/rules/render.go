package rules

import "strings"

// String writes the rule in one line, in one way: a single blank between the
// parts, options in their order, a comment sign before it when not enabled.
// Parsed again it gives an equal tree but for the positions and Raw.
func (r *Rule) String() string {
	var b strings.Builder
	b.Grow(len(r.Raw) + 16)
	if !r.Enabled {
		b.WriteString("# ")
	}
	for _, s := range [...]string{
		r.Action.String(), r.Proto, r.Src.String(), r.SrcPorts.String(),
		r.Dir.String(), r.Dst.String(), r.DstPorts.String(),
	} {
		b.WriteString(s)
		b.WriteByte(' ')
	}
	b.WriteByte('(')
	for i, o := range r.Options {
		if i > 0 {
			b.WriteByte(' ')
		}
		b.WriteString(o.String())
	}
	b.WriteByte(')')
	return b.String()
}

// String writes the option with its semicolon.
func (o Option) String() string {
	if !o.HasValue {
		return o.Name + ";"
	}
	return o.Name + ":" + o.Value + ";"
}
