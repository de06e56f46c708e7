// Package seqlog reads and writes recordings of message sequences: who sent
// how much when, and nothing else. A file is lines of text, compressed with
// gzip; a line is one flow: eight fields and the messages, tab-separated. A
// message is the time since the one before in units of 100 µs, a comma, and
// the length of the content, negative from the server.
package seqlog

import (
	"bufio"
	"compress/gzip"
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"

	"github.com/yamori-net/yamori/internal/packet"
	"github.com/yamori-net/yamori/internal/seq"
)

// Unit is the resolution of times.
const Unit = int64(100e3)

// MaxMessages bounds a flow's messages; what follows is left out.
const MaxMessages = 1200

// Flow is one recorded flow.
type Flow struct {
	Source string // of the recording
	ID     string // of the pair of client and server: flows of one pair share it
	Mining bool
	Group  string // coin, or kind of service
	Client string // program or dialect
	Kind   seq.Kind
	Stack  string // TLS implementation of the client
	Start  int64  // ns since the recording's start
	Msgs   []Msg
}

// Msg is one message.
type Msg struct {
	At  int64 // ns since the flow's first
	Dir packet.Dir
	Len int
}

// Message implements seq.Sink.
func (f *Flow) Message(now int64, d packet.Dir, n int) bool {
	if len(f.Msgs) == 0 && f.Start == 0 {
		f.Start = now
	}
	if len(f.Msgs) < MaxMessages {
		f.Msgs = append(f.Msgs, Msg{now - f.Start, d, n})
	}
	return true
}

// Write writes flows to a file.
func Write(name string, flows []*Flow) error {
	f, err := os.Create(name)
	if err != nil {
		return err
	}
	defer f.Close()
	z, err := gzip.NewWriterLevel(f, gzip.BestCompression)
	if err != nil {
		return err
	}
	w := bufio.NewWriter(z)
	for _, fl := range flows {
		label := "benign"
		if fl.Mining {
			label = "mining"
		}
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\t%d\t%s\t%d\t", fl.Source, fl.ID, label, fl.Group, fl.Client, fl.Kind, fl.Stack, fl.Start/Unit)
		last := int64(0)
		for i, m := range fl.Msgs {
			if i > 0 {
				_ = w.WriteByte(' ') // Flush tells
			}
			n := m.Len
			if m.Dir == packet.ToClient {
				n = -n
			}
			at := m.At / Unit
			fmt.Fprintf(w, "%d,%d", at-last, n)
			last = at
		}
		_ = w.WriteByte('\n')
	}
	if err := w.Flush(); err != nil {
		return err
	}
	if err := z.Close(); err != nil {
		return err
	}
	return f.Close()
}

// Read reads a file.
func Read(name string) ([]*Flow, error) {
	f, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	z, err := gzip.NewReader(f)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	var out []*Flow
	r := bufio.NewReader(z)
	for {
		line, err := r.ReadString('\n')
		if err == io.EOF {
			return out, nil
		}
		if err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
		fl, err := parse(strings.TrimSuffix(line, "\n"))
		if err != nil {
			return nil, fmt.Errorf("%s: flow %d: %w", name, len(out)+1, err)
		}
		out = append(out, fl)
	}
}

func parse(line string) (*Flow, error) {
	w := strings.Split(line, "\t")
	if len(w) != 9 {
		return nil, fmt.Errorf("%d fields", len(w))
	}
	kind, err := strconv.Atoi(w[5])
	if err != nil {
		return nil, err
	}
	start, err := strconv.ParseInt(w[7], 10, 64)
	if err != nil {
		return nil, err
	}
	fl := &Flow{Source: w[0], ID: w[1], Mining: w[2] == "mining", Group: w[3], Client: w[4], Kind: seq.Kind(kind), Stack: w[6], Start: start * Unit}
	at := int64(0)
	for _, m := range strings.Fields(w[8]) {
		a, b, _ := strings.Cut(m, ",")
		dt, err1 := strconv.ParseInt(a, 10, 64)
		n, err2 := strconv.Atoi(b)
		if err1 != nil || err2 != nil {
			return nil, fmt.Errorf("message %q", m)
		}
		at += dt
		d := packet.ToServer
		if n < 0 {
			d, n = packet.ToClient, -n
		}
		fl.Msgs = append(fl.Msgs, Msg{at * Unit, d, n})
	}
	return fl, nil
}
