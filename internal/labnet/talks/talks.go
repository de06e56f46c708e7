// Package talks holds conversations, written out word for word, that the small
// programs of the lab have with each other: miners with their pools in every
// dialect that is spoken in clear, and things of every day that look alike or
// are simply common in a home. Both ends read the same text, so each knows what
// the other is to say.
package talks

import (
	"strings"
	"time"
)

// Step is one message of a conversation.
type Step struct {
	FromServer bool
	Data       []byte
	Wait       time.Duration // before it is sent
}

// Talk is a conversation over TCP.
type Talk struct {
	Name    string // one word, as a person would type it
	Port    uint16 // of the server; of the same conversation inside TLS: TLSPort
	Mining  bool   // a gateway ends it
	Dialect string // as events name it; of miners only
	// At is the step, from 0, that makes it certain; -1 for what never is.
	At    int
	Skip  int // first steps that only open the carrier (WebSocket's upgrade)
	Steps []Step
}

// TLSPort is where the same conversation is had inside TLS.
func (t *Talk) TLSPort() uint16 { return t.Port + 10000 }

// First is the first step that the server sends after the client has spoken:
// the first answer. It is len(Steps) when there is none.
func (t *Talk) First() int {
	spoken := false
	for i, s := range t.Steps {
		if i < t.Skip {
			continue
		}
		if s.FromServer && spoken {
			return i
		}
		spoken = spoken || !s.FromServer
	}
	return len(t.Steps)
}

// Sent is the number of messages of the client.
func (t *Talk) Sent() (n int) {
	for _, s := range t.Steps {
		if !s.FromServer {
			n++
		}
	}
	return n
}

// All lists every conversation: miners, then the others.
func All() []Talk { return append(Mining(), Benign()...) }

// Find returns a conversation by its name.
func Find(name string) (Talk, bool) {
	for _, t := range All() {
		if t.Name == name {
			return t, true
		}
	}
	return Talk{}, false
}

// lines makes steps of lines that begin with > (sent by the client) or <; each
// ends with a newline.
func lines(text ...string) []Step {
	out := make([]Step, len(text))
	for i, l := range text {
		out[i] = Step{FromServer: l[0] == '<', Data: []byte(words.Replace(l[2:]) + "\n")}
	}
	return out
}

// raw is lines without the newlines, for what is not made of lines.
func raw(text ...string) []Step {
	out := lines(text...)
	for i := range out {
		out[i].Data = out[i].Data[:len(out[i].Data)-1]
	}
	return out
}

// Parts of messages: the digits mean nothing, the lengths are those of the
// protocols. The payout addresses are of the right form and belong to examples
// in the projects' own documentation.
var words = strings.NewReplacer(
	"$HASH", strings.Repeat("b7e1516290af3c58", 4),
	"$PREV", strings.Repeat("3d5a0c77e94b16f2", 4),
	"$SEED", strings.Repeat("9e41c8d20b6f5a73", 4),
	"$BOUND", "00000000ffb1c0de"+strings.Repeat("5c2e81b94ad03f67", 3),
	"$BLOB", "1010"+strings.Repeat("e2a1b8c4079d", 12)+"5a7f",
	"$COINB", strings.Repeat("02000000a1c3", 12),
	"$HEADER", strings.Repeat("00000002", 32),
	"$SOLN", "fd4005"+strings.Repeat("1f8ac3d0", 336),
	"$CYCLE", strings.TrimSuffix(strings.Repeat("10437,", 42), ","),
	"$XMR", "48edfHu7V9Z84YzzMa6fUueoELZ9ZRXq9VetWzYGzKt52XU5xvqgzYnDK9URnRoJMk1j8nLwEVsaSWJ4fhdUyZijBGUicoD",
	"$BTC", "1BoatSLRHtKNngkdXEeobR76b53LETtpyT",
	"$ETH", "0x52bc44d5378309EE2abF1539BF71dE1b7d7bE3b5",
	"$ERG", "9fRAWhdxEsTcdb8PhGNrZfwqa65zfkuYHAMmkQLcic1gdLSV5vA",
	"$XEL", "xel:qcd39a5u8cscztamjuyr7hdj6hh2wh9nrmhp86ljx2sz6t99ndjqqm7wxj8",
	"$KAS", "kaspa:qr"+strings.Repeat("8tw0ezl4f", 6)+"mzvx9c",
	"$NIM", "NQ07 0000 0000 0000 0000 0000 0000 0000 0000",
	"$CKB", "ckb1qyqgs3rhm2tfefh6laxckaglmsc0ae42c9aqekjfap",
)
