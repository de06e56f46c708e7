package smtp

import (
	"bytes"

	"github.com/yamori-net/yamori/internal/packet"
	"github.com/yamori-net/yamori/internal/proto"
	"github.com/yamori-net/yamori/internal/textline"
)

// maxBanner is how much of a greeting is looked at for a telling word.
const maxBanner = 512

// probe judges a greeting by its words and a client by its first command.
func probe(d packet.Dir, b []byte) proto.Match {
	if d == packet.ToClient {
		return probeGreeting(b)
	}
	return probeCommand(b)
}

func probeGreeting(b []byte) proto.Match {
	const code = "220"
	if n := min(len(b), len(code)); string(b[:n]) != code[:n] {
		return proto.No
	}
	if len(b) < 4 {
		return proto.More
	}
	if b[3] != ' ' && b[3] != '-' {
		return proto.No
	}
	b = b[:min(len(b), maxBanner)]
	if textline.Contains(b, "smtp") || textline.Contains(b, "postfix") || textline.Contains(b, "sendmail") || textline.Contains(b, "exim") {
		return proto.Yes
	}
	if textline.Contains(b, "ftp") {
		return proto.No
	}
	if bytes.IndexByte(b, '\n') < 0 && len(b) < maxBanner {
		return proto.More
	}
	return proto.Weak
}

func probeCommand(b []byte) proto.Match {
	for _, w := range [...]string{"EHLO ", "HELO ", "MAIL FROM:", "RCPT TO:", "LHLO "} {
		if !textline.MayBecome(b, w) {
			continue
		}
		end := bytes.IndexByte(b, '\n')
		switch {
		case end < 0 && len(b) < maxLine:
			return proto.More
		case end < 0 || !textline.Printable(bytes.TrimSuffix(b[:end], []byte("\r"))):
			return proto.No
		}
		return proto.Yes
	}
	return proto.No
}
