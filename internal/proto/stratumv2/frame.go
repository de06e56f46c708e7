package stratumv2

import "encoding/binary"

// headerLen is the length of a message's header: extension type, message type
// and length of the payload (section 3.2).
const headerLen = 6

// maxKept bounds the payload that is held to be read. Longer ones (jobs with
// their coinbase, custom jobs) are followed to their end without being kept.
const maxKept = 2048

// channelBit of the extension type says that the payload begins with the
// number of a channel (section 3.2.1).
const channelBit = 1 << 15

// header is a message's header.
type header struct {
	ext  uint16
	kind uint8
	size int // of the payload
}

func readHeader(b []byte) header {
	return header{binary.LittleEndian.Uint16(b), b[2], int(b[3]) | int(b[4])<<8 | int(b[5])<<16}
}

// sender says who sends a kind of message.
type sender uint8

const (
	nobody sender = iota
	miner
	pool
	either
)

// Kinds of messages that are looked into, by their number (section 8).
const (
	setupConnection = 0x00
	setupSuccess    = 0x01
	openStandard    = 0x10
	openStandardOK  = 0x11
	openExtended    = 0x13
	openExtendedOK  = 0x14
	newMiningJob    = 0x15
	updateChannel   = 0x16
	submitStandard  = 0x1a
	submitExtended  = 0x1b
	submitSuccess   = 0x1c
	submitError     = 0x1d
	newExtendedJob  = 0x1f
	setNewPrevHash  = 0x20
	setTarget       = 0x21
)

// kinds lists the messages of all sub-protocols with the bounds of their
// payload, from the data types of the fields (sections 3.1, 5.3, 6.4, 7).
var kinds = [256]struct {
	from     sender
	min, max int
}{
	setupConnection: {miner, 16, 1291},
	setupSuccess:    {pool, 6, 6},
	0x02:            {pool, 5, 260}, // SetupConnection.Error
	0x03:            {pool, 4, 4},   // ChannelEndpointChanged
	0x04:            {pool, 3, 258}, // Reconnect
	openStandard:    {miner, 41, 296},
	openStandardOK:  {pool, 45, 77},
	0x12:            {pool, 5, 260}, // OpenMiningChannel.Error
	openExtended:    {miner, 43, 298},
	openExtendedOK:  {pool, 43, 79},
	newMiningJob:    {pool, 44, 50},
	updateChannel:   {miner, 40, 40},
	0x17:            {pool, 5, 260}, // UpdateChannel.Error
	0x18:            {either, 5, 260},
	0x19:            {pool, 5, 37}, // SetExtranoncePrefix
	submitStandard:  {miner, 24, 24},
	submitExtended:  {miner, 25, 57},
	submitSuccess:   {pool, 20, 20},
	submitError:     {pool, 9, 264},
	newExtendedJob:  {pool, 19, 1 << 20},
	setNewPrevHash:  {pool, 48, 48},
	setTarget:       {pool, 36, 36},
	0x22:            {miner, 50, 1 << 20}, // SetCustomMiningJob and its answers
	0x23:            {pool, 12, 64},
	0x24:            {pool, 9, 264},
	0x25:            {pool, 6, 1 << 16}, // SetGroupChannel
	0x50:            {miner, 5, 260},    // job declaration
	0x51:            {pool, 9, 1 << 17},
	0x53:            {pool, 4, 4},
	0x54:            {miner, 6, 1 << 20},
	0x55:            {pool, 6, 1 << 20},
	0x56:            {miner, 6, 1<<24 - 1},
	0x57:            {miner, 12, 1<<24 - 1},
	0x58:            {pool, 5, 260},
	0x59:            {pool, 6, 1 << 17},
	0x60:            {miner, 40, 1 << 17},
}

// fits reports whether the header can be one of the messages above. Whether
// the bit of channels is set has changed for some messages between revisions.
func (h header) fits() bool {
	k := &kinds[h.kind]
	return h.ext&^channelBit == 0 && k.from != nobody && h.size >= k.min && h.size <= k.max
}

// telling reports whether the payload of a message has besides its length what
// the kind of message has, so that one alone can be recognised.
func (h header) telling(p []byte) bool {
	if len(p) < h.size {
		return false
	}
	switch h.kind {
	case setupConnection:
		_, ok := readSetup(p[:h.size])
		return ok
	case submitStandard, submitExtended: // version with its bits on top (BIP 9), a time since 2019
		return h.ext == channelBit && p[23]>>5 == 1 && binary.LittleEndian.Uint32(p[16:]) > 1546300800
	case submitSuccess: // so many shares, of a difficulty in all that is not less
		n, sum := binary.LittleEndian.Uint32(p[8:]), binary.LittleEndian.Uint64(p[12:])
		return h.ext == channelBit && n > 0 && n < 1<<20 && sum >= uint64(n) && sum < 1<<60
	case setTarget: // a target leaves the most significant bits free
		return h.ext == channelBit && p[35] == 0 && p[34] == 0
	case setNewPrevHash: // bits as in a block's header, a time since 2019
		return h.ext == channelBit && p[47] <= 0x20 && p[47] >= 0x10 && binary.LittleEndian.Uint32(p[40:]) > 1546300800
	case openStandard, openExtended: // the name fills what the fixed fields leave
		n := int(p[4])
		fixed := 41
		if h.kind == openExtended {
			fixed = 43
		}
		return h.size == fixed+n && n > 0
	case openStandardOK: // so does the prefix
		return h.size == 45+int(p[40]) && p[40] <= 32
	}
	return false
}

// setup is a SetupConnection message as read.
type setup struct {
	protocol                                 uint8
	minVersion, maxVersion                   uint16
	flags                                    uint32
	host, vendor, hardware, firmware, device []byte
	port                                     uint16
}

// readSetup reads the payload of SetupConnection: every field in its bounds
// and nothing left over.
func readSetup(p []byte) (s setup, ok bool) {
	if len(p) < 16 {
		return s, false
	}
	s.protocol, s.minVersion, s.maxVersion = p[0], binary.LittleEndian.Uint16(p[1:]), binary.LittleEndian.Uint16(p[3:])
	s.flags = binary.LittleEndian.Uint32(p[5:])
	if !plausible(s) {
		return s, false
	}
	p = p[9:]
	text := func() (t []byte) {
		if !ok || len(p) == 0 || len(p) < 1+int(p[0]) {
			ok = false
			return nil
		}
		t, p = p[1:1+int(p[0])], p[1+int(p[0]):]
		return t
	}
	ok = true
	s.host = text()
	if len(p) < 2 {
		return s, false
	}
	s.port, p = binary.LittleEndian.Uint16(p), p[2:]
	s.vendor, s.hardware, s.firmware, s.device = text(), text(), text(), text()
	return s, ok && len(p) == 0
}

// plausible: the present version is 2, and few flags are defined.
func plausible(s setup) bool {
	return int(s.protocol) < len(protocols) && s.minVersion >= 1 && s.minVersion <= 2 && s.maxVersion >= s.minVersion && s.maxVersion <= 16 && s.flags < 1<<16
}
