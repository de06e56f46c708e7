package smtp

import "unsafe"

// What a parser keeps for its next flow: usual mails fit.
const (
	keptText = 2 << 10 // bytes of texts
	keptRcpt = 16      // recipients
)

// Size implements proto.Sizer.
func (p *parser) Size() int {
	return cap(p.tx.buf) + cap(p.tx.Rcpt)*int(unsafe.Sizeof([]byte(nil)))
}
