package smtp

import (
	"bytes"
	"strings"

	"github.com/yamori-net/yamori/internal/packet"
	"github.com/yamori-net/yamori/internal/proto"
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
	if hasWord(b, "smtp") || hasWord(b, "postfix") || hasWord(b, "sendmail") || hasWord(b, "exim") {
		return proto.Yes
	}
	if hasWord(b, "ftp") {
		return proto.No
	}
	if bytes.IndexByte(b, '\n') < 0 && len(b) < maxBanner {
		return proto.More
	}
	return proto.Weak
}

func probeCommand(b []byte) proto.Match {
	for _, w := range [...]string{"EHLO ", "HELO ", "MAIL FROM:", "RCPT TO:", "LHLO "} {
		n := min(len(b), len(w))
		if !strings.EqualFold(w[:n], string(b[:n])) {
			continue
		}
		end := bytes.IndexByte(b, '\n')
		switch {
		case end < 0 && len(b) < maxLine:
			return proto.More
		case end < 0 || !printable(bytes.TrimSuffix(b[:end], []byte("\r"))):
			return proto.No
		}
		return proto.Yes
	}
	return proto.No
}

func printable(b []byte) bool {
	for _, c := range b {
		if c < ' ' || c == 0x7f {
			return false
		}
	}
	return true
}

func is(b []byte, s string) bool { return len(b) == len(s) && strings.EqualFold(string(b), s) }

// cutPrefixFold cuts s off the front of b, in whatever case.
func cutPrefixFold(b []byte, s string) ([]byte, bool) {
	if len(b) < len(s) || !is(b[:len(s)], s) {
		return nil, false
	}
	return b[len(s):], true
}

// hasWord tells whether b holds s, in whatever case.
func hasWord(b []byte, s string) bool {
	for i := 0; i+len(s) <= len(b); i++ {
		if b[i]|0x20 == s[0] && is(b[i:i+len(s)], s) {
			return true
		}
	}
	return false
}
