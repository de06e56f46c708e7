package smb

// Types of connection-oriented DCERPC messages, C706 section 12.6.
const (
	dceRequest = 0
	dceBind    = 11
	dceAlter   = 14
)

// read takes the header of a DCERPC message at the start of what goes through
// a pipe. Anything else leaves d as it is: files are written in the same way,
// so the version, the reserved parts and the length have to fit.
func (d *DCE) read(b []byte) {
	const header = 16
	if len(b) < header+8 || b[0] != 5 || b[1] > 1 || b[2] > 19 || b[4]&0xef != 0 || b[5]|b[6]|b[7] != 0 || le16(b[8:]) < header {
		return
	}
	if b[4] == 0 { // big-endian integers: no system in use sends them
		return
	}
	*d = DCE{Set: true, Type: b[2], CallID: le32(b[12:])}
	switch d.Type {
	case dceRequest:
		d.Opnum = le16(b[22:])
	case dceBind, dceAlter:
		d.interfaces(b[header:])
	}
}

// interfaces reads a bind's presentation contexts: max_xmit, max_recv, group,
// count and three bytes of padding, then for each an id, the number of
// transfer syntaxes, the interface (20 bytes) and the syntaxes (20 each).
func (d *DCE) interfaces(b []byte) {
	if len(b) < 12 {
		return
	}
	n := int(b[8])
	b = b[12:]
	for ; n > 0 && len(b) >= 24 && d.NUUIDs < maxUUIDs; n-- {
		i := &d.UUIDs[d.NUUIDs]
		copy(i.UUID[:], b[4:])
		i.Major, i.Minor = le16(b[20:]), le16(b[22:])
		d.NUUIDs++
		b = part(b, 24+20*int(b[2]), len(b))
	}
}
