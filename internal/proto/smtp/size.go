package smtp

import (
	"unsafe"

	"github.com/yamori-net/yamori/internal/proto"
)

// What a parser keeps for its next flow: usual mails fit.
const (
	keptText = 2 << 10 // bytes of texts
	keptRcpt = 16      // recipients
)

// Size implements proto.Sizer.
func (p *parser) Size() int {
	n := 0
	if p.mime != nil {
		n = p.mime.size()
	}
	return n + proto.Held(p.tx.buf) + (cap(p.tx.Rcpt)+cap(p.tx.Received)+cap(p.tx.Attached))*int(unsafe.Sizeof([]byte(nil)))
}
