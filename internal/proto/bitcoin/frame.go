package bitcoin

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"

	"github.com/yamori-net/yamori/internal/packet"
	"github.com/yamori-net/yamori/internal/proto"
)

// headerLen is the length of a message's header: magic bytes, command, length,
// checksum.
const headerLen = 4 + 12 + 4 + 4

// networks are the magic bytes of known networks, as in each coin's
// chainparams.cpp (pchMessageStart).
var networks = [...]struct {
	magic string
	name  []byte
}{
	{"\xf9\xbe\xb4\xd9", []byte("mainnet")}, {"\x0b\x11\x09\x07", []byte("testnet3")}, {"\x1c\x16\x3f\x28", []byte("testnet4")},
	{"\x0a\x03\xcf\x40", []byte("signet")}, {"\xfa\xbf\xb5\xda", []byte("regtest")}, {"\xe3\xe1\xf3\xe8", []byte("bitcoin-cash")},
	{"\xfb\xc0\xb6\xdb", []byte("litecoin")}, {"\xc0\xc0\xc0\xc0", []byte("dogecoin")}, {"\xbf\x0c\x6b\xbd", []byte("dash")},
	{"\x24\xe9\x27\x64", []byte("zcash")}, {"\xf9\xbe\xb4\xfe", []byte("namecoin")}, {"RAVN", []byte("ravencoin")}, {"\xfa\xc3\xb6\xda", []byte("digibyte")},
}

func network(magic []byte) []byte {
	for i := range networks {
		if networks[i].magic == string(magic[:4]) {
			return networks[i].name
		}
	}
	return nil
}

// commands are those of Bitcoin's protocol.h (NetMsgType) that come early, or
// at all, between nodes.
var commands = [...]string{
	"version", "verack", "addr", "addrv2", "sendaddrv2", "inv", "getdata", "merkleblock", "getblocks", "getheaders", "tx", "headers", "block", "getaddr",
	"mempool", "ping", "pong", "notfound", "filterload", "filteradd", "filterclear", "sendheaders", "feefilter", "sendcmpct", "cmpctblock", "getblocktxn",
	"blocktxn", "getcfilters", "cfilter", "getcfheaders", "cfheaders", "getcfcheckpt", "cfcheckpt", "wtxidrelay", "sendtxrcncl", "reject", "alert",
}

type header struct {
	magic    [4]byte
	command  [12]byte
	size     int
	checksum [4]byte
}

// readHeader reads the first headerLen bytes of b; ok is false when they cannot
// be a header: a command is letters and digits, then zeros.
func readHeader(b []byte) (h header, ok bool) {
	copy(h.magic[:], b)
	copy(h.command[:], b[4:])
	h.size = int(binary.LittleEndian.Uint32(b[16:]))
	copy(h.checksum[:], b[20:])
	return h, wellFormed(h.command[:]) && h.size <= maxPayload
}

func wellFormed(command []byte) bool {
	end := bytes.IndexByte(command, 0)
	if end < 0 {
		end = len(command)
	}
	for i, c := range command {
		if i < end && (c < '0' || c > '9') && (c < 'a' || c > 'z') || i >= end && c != 0 {
			return false
		}
	}
	return end > 1
}

func (h *header) is(command string) bool {
	n := len(command)
	return n <= 12 && string(h.command[:n]) == command && (n == 12 || h.command[n] == 0)
}

func (h *header) known() bool {
	for _, c := range commands {
		if h.is(c) {
			return true
		}
	}
	return false
}

// right verifies the checksum: the first bytes of the payload's double SHA-256.
func (h *header) right(payload []byte) bool {
	sum := sha256.Sum256(payload)
	sum = sha256.Sum256(sum[:])
	return string(sum[:4]) == string(h.checksum[:])
}

// probe recognises a message of a known network by its command; of another one
// a version message whose checksum is right.
func probe(_ packet.Dir, b []byte) proto.Match {
	if len(b) < headerLen {
		if len(b) >= 4 && network(b) == nil && bytes.IndexByte(b[:4], 0) >= 0 {
			return proto.No // nobody's magic; short messages of others, such as MQTT's, must not wait for more
		}
		if len(b) >= 5 && !begins(b[4:min(len(b), 16)]) {
			return proto.No
		}
		if len(b) >= 4 && network(b) == nil && len(b) >= 5 && b[4] != 'v' {
			return proto.No
		}
		if len(b) >= 2 && allText(b[:min(len(b), 4)]) && !(len(b) >= 4 && network(b) != nil) && b[0] != 'R' {
			return proto.No // a line of text
		}
		return proto.More
	}
	h, ok := readHeader(b)
	switch {
	case !ok:
		return proto.No
	case network(b) != nil && h.known():
		return proto.Yes
	case !h.is("version") || h.size > maxVersion:
		return proto.No
	case len(b) < headerLen+h.size:
		return proto.More
	case h.right(b[headerLen : headerLen+h.size]):
		return proto.Yes
	}
	return proto.No
}

// begins reports whether t can be the beginning of a command.
func begins(t []byte) bool {
	for i, c := range t {
		if c == 0 && i > 0 {
			return true
		}
		if (c < '0' || c > '9') && (c < 'a' || c > 'z') {
			return false
		}
	}
	return true
}

func allText(b []byte) bool {
	for _, c := range b {
		if c < 0x20 || c > 0x7e {
			return false
		}
	}
	return true
}
