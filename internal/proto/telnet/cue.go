package telnet

import (
	"bytes"

	"github.com/yamori-net/yamori/internal/packet"
	"github.com/yamori-net/yamori/internal/proto"
)

// Words are compared in lower case. They are those of inetutils, BusyBox,
// Linux-PAM, Cisco IOS, MikroTik, Huawei and ZTE gateways, Windows and common
// camera firmware.
var (
	userWords = [][]byte{[]byte("login"), []byte("username"), []byte("user name"), []byte("user"), []byte("account"), []byte("login name"), []byte("userid")}
	passWords = [][]byte{[]byte("password"), []byte("passwd"), []byte("pass"), []byte("passcode")}
	failWords = [][]byte{[]byte("incorrect"), []byte("login fail"), []byte("authentication fail"), []byte("access denied"), []byte("permission denied"),
		[]byte("bad password"), []byte("bad username"), []byte("invalid login"), []byte("invalid user"), []byte("invalid pass"), []byte("login invalid"),
		[]byte("logon failure"), []byte("wrong password"), []byte("not authorized"), []byte("authorization failed")}
	goodWords = [][]byte{[]byte("last login"), []byte("busybox v"), []byte("login successful"), []byte("welcome to"), []byte("logged in")}
)

// lower copies the printable part of b in lower case into buf, without escape
// sequences and outer spaces.
func lower(buf *[maxLine]byte, b []byte) []byte {
	n := 0
	esc := false
	for _, c := range b {
		switch {
		case esc: // ECMA-48: ESC [ parameters, final byte
			esc = !(c >= '@' && c <= '~' && c != '[')
			continue
		case c == 0x1b:
			esc = true
			continue
		case c < ' ' || c == 0x7f:
			continue
		case c >= 'A' && c <= 'Z':
			c += 'a' - 'A'
		}
		if n < len(buf) {
			buf[n] = c
			n++
		}
	}
	return bytes.TrimSpace(buf[:n])
}

// promptCue judges an unfinished line of the server.
func promptCue(b []byte) Cue {
	var buf [maxLine]byte
	s := lower(&buf, b)
	if len(s) == 0 {
		return None
	}
	last := s[len(s)-1]
	if last == ':' || last == '>' && len(s) > 1 {
		w := bytes.TrimRight(s[:len(s)-1], " ")
		if bytes.Contains(w, []byte("password for")) {
			return AskPassword
		}
		for _, p := range passWords {
			if bytes.HasSuffix(w, p) {
				return AskPassword
			}
		}
		for _, u := range userWords {
			if bytes.HasSuffix(w, u) {
				return AskUser
			}
		}
	}
	switch last {
	case '#', '$', '>', '%':
		return Shell
	}
	return None
}

// lineCue judges a finished line of the server.
func lineCue(b []byte) Cue {
	var buf [maxLine]byte
	s := lower(&buf, b)
	for _, w := range failWords {
		if bytes.Contains(s, w) {
			return Failure
		}
	}
	for _, w := range goodWords {
		if bytes.Contains(s, w) {
			return Success
		}
	}
	return None
}

// probe recognises option negotiation, and without it a server's prompt. A raw
// client (bots send names and passwords unasked) is Weak at best.
func probe(d packet.Dir, b []byte) proto.Match {
	if len(b) == 0 {
		return proto.More
	}
	if b[0] == iac {
		return probeIAC(b)
	}
	if len(b) > maxBanner {
		return proto.No
	}
	for i, c := range b {
		if c == iac && i > 0 {
			// Text, then negotiation: a banner sent before the options.
			if m := probeIAC(b[i:]); m != proto.More {
				return m
			}
			return proto.Weak
		}
		if c >= 0x80 || c < ' ' && c != '\r' && c != '\n' && c != '\t' && c != 0x1b && c != 7 && c != 8 && !(c == 0 && i > 0 && b[i-1] == '\r') {
			return proto.No
		}
	}
	last := b
	if i := bytes.LastIndexByte(b, '\n'); i >= 0 {
		last = b[i+1:]
	}
	if d == packet.ToClient {
		switch promptCue(last) {
		case AskUser, AskPassword:
			if len(last) > 80 || isReply(b) {
				return proto.No
			}
			return proto.Yes
		case Shell:
			return proto.Weak
		}
		if len(b) < maxBanner && !isReply(b) {
			return proto.More
		}
		return proto.No
	}
	// A client's short words, each ended as Telnet ends lines.
	for _, c := range b {
		if c == ' ' || c == ':' {
			return proto.No
		}
	}
	switch {
	case len(b) > 64:
		return proto.No
	case len(last) > 0:
		return proto.More
	}
	return proto.Weak
}

// isReply tells the numbered replies of FTP and its kin, whose text may well
// end in "login:".
func isReply(b []byte) bool {
	return len(b) > 3 && b[0] >= '1' && b[0] <= '5' && b[1] >= '0' && b[1] <= '9' && b[2] >= '0' && b[2] <= '9' && (b[3] == ' ' || b[3] == '-')
}

// probeIAC wants two commands in a row, since the two bytes of one also begin
// UTF-16 text and MPEG audio frames.
func probeIAC(b []byte) proto.Match {
	n := 0
	for len(b) > 0 && b[0] == iac {
		if len(b) < 3 {
			break
		}
		switch {
		case b[1] >= will && b[1] <= dont && validOption(b[2]):
			b = b[3:]
		case b[1] == sb && validOption(b[2]):
			end := bytes.Index(b, []byte{iac, se})
			if end < 0 {
				if n > 0 {
					return proto.Yes
				}
				return proto.More
			}
			b = b[end+2:]
		default:
			return proto.No
		}
		if n++; n == 2 {
			return proto.Yes
		}
	}
	if n == 0 {
		return proto.More
	}
	return proto.Weak // one command: plausible
}

// validOption tells options of the IANA registry that are in use.
func validOption(o byte) bool { return o < 50 || o == 70 || o >= 85 && o <= 93 || o == 200 || o == 201 }
