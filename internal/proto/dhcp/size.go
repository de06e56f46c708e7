package dhcp

import (
	"unsafe"

	"github.com/yamori-net/yamori/internal/proto"
)

// What a parser keeps for its next flow: usual messages fit.
const (
	keptText    = 1 << 10 // bytes of options joined from pieces, and of text for events
	keptOptions = 32
)

// Reset lets go of the memory of an unusual message.
func (p *parser) Reset() {
	if m := p.m; m != nil {
		*m = Message{Options: proto.Keep(m.Options, keptOptions), joined: proto.Keep(m.joined, keptText), text: proto.Keep(m.text, keptText)}
	}
}

// Size implements proto.Sizer.
func (p *parser) Size() int {
	if p.m == nil {
		return 0
	}
	return int(unsafe.Sizeof(*p.m)) + cap(p.m.Options)*int(unsafe.Sizeof(Option{})) + cap(p.m.joined) + cap(p.m.text)
}
