package mining

import (
	"slices"

	"github.com/yamori-net/yamori/internal/proto/prototest"
)

// Conversation is one of the sessions of this package's tests, for those that
// drive the whole engine.
type Conversation struct {
	Name    string
	Parts   []prototest.Part
	Dialect string
	Benign  bool
}

// Conversations returns them all.
func Conversations() (out []Conversation) {
	for _, s := range slices.Concat(sessions, moreSessions, kinSessions, fieldSessions) {
		out = append(out, Conversation{s.name, talk(s.lines...), s.dialect, false})
	}
	for name, lines := range moreBenign {
		out = append(out, Conversation{name, talk(lines...), "", true})
	}
	for name, lines := range fieldBenign {
		out = append(out, Conversation{name, talk(lines...), "", true})
	}
	for name, lines := range benign {
		out = append(out, Conversation{name, talk(lines...), "", true})
	}
	return out
}
