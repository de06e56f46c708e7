package dhcpv6

import (
	"unsafe"

	"github.com/yamori-net/yamori/internal/proto"
)

// What a parser keeps for its next flow: usual messages fit.
const (
	keptText    = 1 << 10 // bytes of text for events
	keptOptions = 32
)

// Reset forgets the last message.
func (p *parser) Reset() {
	p.m = Message{Options: proto.Keep(p.m.Options, keptOptions), text: proto.Keep(p.m.text, keptText)}
}

// Size implements proto.Sizer.
func (p *parser) Size() int {
	return cap(p.m.Options)*int(unsafe.Sizeof(Option{})) + cap(p.m.text)
}
