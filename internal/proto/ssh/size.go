package ssh

// keptLists is how many bytes of algorithm lists, and of the text of a HASSH,
// a parser keeps room for between flows: OpenSSH sends about 1,500.
const keptLists = 2 << 10

// Size implements proto.Sizer.
func (p *parser) Size() int {
	n := 0
	for d := range p.tx.Hello {
		h := &p.tx.Hello[d]
		n += cap(h.ident) + cap(h.kex) + cap(h.HASSHString)
	}
	return n
}
