package imap

import (
	"bytes"

	"github.com/yamori-net/yamori/internal/packet"
	"github.com/yamori-net/yamori/internal/proto"
	"github.com/yamori-net/yamori/internal/textline"
)

// probe judges by a server's greeting and by a client's tagged command.
func probe(d packet.Dir, b []byte) proto.Match {
	if len(b) == 0 {
		return proto.More
	}
	if d == packet.ToClient {
		for _, g := range [...]string{"* OK ", "* PREAUTH ", "* BYE ", "* CAPABILITY "} {
			if textline.MayBecome(b, g) {
				if len(b) < len(g) {
					return proto.More
				}
				return proto.Yes
			}
		}
		return proto.No
	}
	tag, rest, spaced := bytes.Cut(b[:min(len(b), 64)], []byte(" "))
	if len(tag) == 0 || len(tag) > maxTag {
		return proto.No
	}
	for _, c := range tag {
		if !(c >= '0' && c <= '9' || c|0x20 >= 'a' && c|0x20 <= 'z' || c == '.' || c == '_' || c == '-' || c == '$') {
			return proto.No
		}
	}
	if !spaced {
		return proto.More
	}
	for _, w := range [...]string{"CAPABILITY\r\n", "LOGIN ", "AUTHENTICATE ", "STARTTLS\r\n", "ID (", "ID NIL", "SELECT ", "UID FETCH ", "UID SEARCH ", "IDLE\r\n"} {
		if textline.MayBecome(rest, w) {
			if len(rest) < len(w) {
				return proto.More
			}
			return proto.Yes
		}
	}
	return proto.No
}
