// Package telnet reads Telnet sessions: option negotiation (RFC 854, 855, 1091,
// 1572), the text of both sides without it, and the course of logins, which is
// where home devices are attacked.
package telnet

import (
	"github.com/yamori-net/yamori/internal/event"
	"github.com/yamori-net/yamori/internal/proto"
)

// Limits.
const (
	// maxLine is how much of a line is kept; the rest is counted as read and
	// the line marked as cut.
	maxLine = 512
	// maxSub is how much of a subnegotiation is kept (terminal type,
	// environment).
	maxSub = 256
	// maxUser is how much of a user name is kept.
	maxUser = 64
	// maxServerLines and maxClientLines bound the transactions of one flow
	// that carry a line; prompts and logins go on being reported.
	maxServerLines = 1024
	maxClientLines = 8192
	// maxLogins bounds the login events of one flow. A server lets go after
	// three to ten failures.
	maxLogins = 256
	// outcomeLines is how many lines of the server are looked at for a cue
	// after a password: banners of the day are long.
	outcomeLines = 64
	// maxBanner is how much text a server may send before its first prompt for
	// the session to be recognised by it.
	maxBanner = 2 << 10
	// maxOptions is one more than the highest option remembered.
	maxOptions = 40
)

// Type is the event_type of logins and session summaries.
const Type event.Type = "telnet"

// Protocol describes Telnet.
var Protocol = proto.Protocol{
	Name:  "telnet",
	Event: Type,
	Doc:   "Telnet: options, prompts, lines and logins",
	On:    proto.TCP,
	Ports: []uint16{23, 2323},
	Probe: probe,
	New:   func() proto.Parser { return new(parser) },
}

// Kind says what a Tx reports.
type Kind uint8

// Kinds.
const (
	ServerLine Kind = iota // a finished line of the server
	ClientLine             // a finished line of the client
	Prompt                 // the server's unfinished line when the client began to answer
	Login                  // user name, password given, and what came of it
	Session                // the summary, when the flow ends
)

// Cue is what a piece of the server's text means in a login dialogue.
type Cue uint8

// Cues.
const (
	None        Cue = iota
	AskUser         // "login:"
	AskPassword     // "Password:"
	Failure         // "Login incorrect"
	Shell           // a shell's or menu's prompt: "# ", "$ ", "> "
	Success         // "Last login", "Welcome"
)

// Result is what became of a login.
type Result uint8

// Results.
const (
	Unknown Result = iota // the flow ended, or the server said nothing telling
	Failed
	Succeeded
)

// String returns the word in events.
func (r Result) String() string {
	switch r {
	case Failed:
		return "failure"
	case Succeeded:
		return "success"
	}
	return "unknown"
}

// Tx is one item of a session. Every Tx is emitted once, as done.
type Tx struct {
	Kind Kind
	// Line is the text without Telnet commands and line end, for the first
	// three kinds; at most 512 bytes. It may be a password: see Secret.
	Line []byte
	Cut  bool // the line was longer than Line
	Cue  Cue  // of a Prompt or ServerLine
	// Asked is, for a ClientLine, the cue of the prompt that it answers.
	Asked Cue
	// Secret is set when Line answers a password prompt. It is there for
	// detectors that know default passwords; it is never logged.
	Secret bool

	User    []byte // Login: what was answered to the last AskUser; Session: from the environment option
	Result  Result // Login
	Attempt int    // Login: its number in the flow, from 1

	Terminal        []byte // Session: terminal type, RFC 1091
	Logins          int    // Session: passwords given
	Failures        int    // Session: of which refused
	ClientLines     int    // Session: lines in all
	ServerLines     int
	Will, Do        [2][maxOptions / 8]byte // Session: option bits by direction, as WILL and as DO
	Subnegotiations int
}

// EventType returns Type for logins and summaries, and "" for lines.
func (t *Tx) EventType() event.Type {
	if t.Kind == Login || t.Kind == Session {
		return Type
	}
	return ""
}

// EncodeEVE appends "telnet":{…}. No line and no password is in it.
func (t *Tx) EncodeEVE(e *event.Encoder) {
	e.Obj("telnet")
	switch t.Kind {
	case Login:
		e.Str("type", "login")
		e.OptBytes("user", t.User)
		e.Str("result", t.Result.String())
		e.Int("attempt", int64(t.Attempt))
	case Session:
		e.Str("type", "session")
		e.OptBytes("terminal", t.Terminal)
		e.OptBytes("environment_user", t.User)
		e.Int("logins", int64(t.Logins))
		e.Int("failures", int64(t.Failures))
		e.Int("client_lines", int64(t.ClientLines))
		e.Int("server_lines", int64(t.ServerLines))
		for d, keys := range [2][2]string{{"client_will", "client_do"}, {"server_will", "server_do"}} {
			encodeOptions(e, keys[0], &t.Will[d])
			encodeOptions(e, keys[1], &t.Do[d])
		}
	}
	e.EndObj()
}

func encodeOptions(e *event.Encoder, key string, set *[maxOptions / 8]byte) {
	if *set == ([maxOptions / 8]byte{}) {
		return
	}
	e.Arr(key)
	for o := range maxOptions {
		if set[o/8]&(1<<(o%8)) != 0 {
			if name := optionNames[o]; name != "" {
				e.Str("", name)
			} else {
				e.Int("", int64(o))
			}
		}
	}
	e.EndArr()
}

// optionNames are those in use, from the IANA registry of Telnet options.
var optionNames = [maxOptions]string{
	0: "binary", 1: "echo", 3: "suppress_go_ahead", 5: "status", 6: "timing_mark", 24: "terminal_type",
	31: "window_size", 32: "terminal_speed", 33: "remote_flow_control", 34: "linemode",
	35: "x_display_location", 36: "environment", 37: "authentication", 38: "encryption", 39: "new_environment",
}
