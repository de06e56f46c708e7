package ftp

import (
	"bytes"

	"github.com/yamori-net/yamori/internal/packet"
	"github.com/yamori-net/yamori/internal/proto"
	"github.com/yamori-net/yamori/internal/textline"
)

// maxBanner is how much of a greeting is looked at for a telling word.
const maxBanner = 512

// probe judges a greeting by its words, and a client by its first command:
// greetings with "220" are SMTP's as well.
func probe(d packet.Dir, b []byte) proto.Match {
	if d == packet.ToClient {
		return probeReply(b)
	}
	return probeCommand(b)
}

func probeReply(b []byte) proto.Match {
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
	if textline.Contains(b, "smtp") {
		return proto.No
	}
	if textline.Contains(b, "ftp") || textline.Contains(b, "filezilla") || textline.Contains(b, "serv-u") {
		return proto.Yes
	}
	if bytes.IndexByte(b, '\n') < 0 && len(b) < maxBanner {
		return proto.More
	}
	return proto.Weak
}

// probeCommand knows the commands that begin a session and no other protocol
// of numbered replies.
func probeCommand(b []byte) proto.Match {
	end := bytes.IndexByte(b, '\n')
	line := b
	if end >= 0 {
		line = bytes.TrimSuffix(b[:end], []byte("\r"))
	}
	word, arg, _ := bytes.Cut(line, []byte(" "))
	if end < 0 {
		if len(b) > 64 {
			return proto.No
		}
		for _, c := range commands {
			if len(word) <= len(c.name) && textline.MayBecome(word, c.name) {
				return proto.More
			}
		}
		return proto.No
	}
	for _, c := range commands {
		if textline.Is(word, c.name) && textline.Printable(arg) {
			if c.first == proto.Yes && c.arg != "" && !textline.HasPrefix(arg, c.arg) {
				return proto.Weak
			}
			return c.first
		}
	}
	return proto.No
}

// commands that a client may send first, and how telling each is. USER and
// PASS are POP3's as well.
var commands = [...]struct {
	name, arg string
	first     proto.Match
}{
	{"USER", "", proto.Weak}, {"AUTH", "TLS", proto.Yes}, {"AUTH", "SSL", proto.Yes}, {"FEAT", "", proto.Yes}, {"SYST", "", proto.Yes},
	{"OPTS", "UTF8", proto.Yes}, {"CLNT", "", proto.Yes}, {"HOST", "", proto.Weak}, {"PASV", "", proto.Yes}, {"EPSV", "", proto.Yes},
	{"PORT", "", proto.Yes}, {"EPRT", "", proto.Yes}, {"TYPE", "", proto.Yes}, {"CWD", "", proto.Yes}, {"PWD", "", proto.Yes},
	{"RETR", "", proto.Weak}, {"STOR", "", proto.Yes}, {"PBSZ", "", proto.Yes}, {"MLSD", "", proto.Yes}, {"SIZE", "", proto.Weak}, {"QUIT", "", proto.Weak},
}
