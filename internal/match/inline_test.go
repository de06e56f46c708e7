package match_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/yamori-net/yamori/internal/match"
	"github.com/yamori-net/yamori/internal/packet"
	"github.com/yamori-net/yamori/internal/verdict"
)

// segments sends the parts of data in segments of their own and returns the
// index of the first that was dropped; -1: none.
func (c *conn) segments(d packet.Dir, parts ...string) int {
	for i, p := range parts {
		if p == "" {
			continue
		}
		c.segment(d, packet.ACK|packet.PSH, c.seq[d], c.seq[d.Reverse()], p)
		if c.r.last.Action >= verdict.Drop {
			return i
		}
		c.seq[d] += uint32(len(p))
	}
	return -1
}

// TestInlineSplit: whatever the segments that a match lies in, the one that
// completes it is dropped, and none before.
func TestInlineSplit(t *testing.T) {
	set := compile(t, `
drop tcp any any -> any 9999 (flow:established,to_server; content:"BEGIN of it"; content:"the end"; distance:0; sid:1;)
drop tcp any any -> any 9998 (flow:established,to_server; pcre:"/x[0-9]+yz/"; sid:2;)
drop http any any -> any any (flow:established,to_server; content:"GET /evil"; content:"late"; distance:0; sid:3;)
`, match.Options{})
	r := replay(t, set)
	port := uint16(2000)
	for _, k := range []struct {
		port          uint16
		before, match string
		after         string
	}{
		{9999, "some words ", "BEGIN of it, and then some; the end", " and more"},
		{9999, strings.Repeat("-", 2540), "BEGIN of it " + strings.Repeat("+", 60) + "the end", ""},
		{9998, "aaaa", "x0123456789yz", "bbb"},
		{80, "", "GET /evil HTTP/1.1\r\nHost: a.example\r\nX: late", "r\r\n\r\n"},
	} {
		for cut := 1; cut <= len(k.match); cut++ {
			c := r.open(port, k.port)
			port++
			parts := []string{k.before + k.match[:cut], k.match[cut:], k.after}
			want := 1
			if cut == len(k.match) {
				want = 0
			}
			if got := c.segments(toServer, parts...); got != want {
				t.Fatalf("port %d, split at %d: part %d was dropped, want %d", k.port, cut, got, want)
			}
		}
		// A byte at a time.
		c := r.open(port, k.port)
		port++
		parts := []string{k.before}
		parts = append(parts, strings.Split(k.match+k.after, "")...)
		if got := c.segments(toServer, parts...); got != len(k.match) {
			t.Errorf("port %d, by bytes: byte %d was dropped, want %d", k.port, got, len(k.match))
		}
		// Out of order: the segment that fills the hole completes it.
		c = r.open(port, k.port)
		port++
		n := len(k.match) / 2
		c.segments(toServer, k.before)
		at := c.seq[0]
		c.seq[0] += uint32(n)
		if got := c.segments(toServer, k.match[n:]); got >= 0 {
			t.Errorf("port %d: data ahead of their turn were dropped", k.port)
		}
		c.seq[0] = at
		if got := c.segments(toServer, k.match[:n]); got != 0 {
			t.Errorf("port %d: the segment that fills the hole passed", k.port)
		}
	}
	r.end()
}

// TestInlineWindow: a match is found as long as its begin is among the last
// 2,560 bytes that passed before the segment that ends it, wherever that is.
func TestInlineWindow(t *testing.T) {
	set := compile(t, `drop tcp any any -> any 9999 (content:"needle"; content:"thread"; distance:0; sid:1;)`, match.Options{})
	r := replay(t, set)
	port := uint16(2000)
	for _, size := range []int{1, 7, 100, 536, 1460, 2560, 4000} {
		for _, lead := range []int{0, 1, 2000, 2553, 2560, 5119, 9000} {
			for _, between := range []int{0, 1, 900, 1400, 2540} {
				if size == 1 && lead+between > 3000 {
					continue // slow, and no other
				}
				c := r.open(port, 9999)
				port++
				text := strings.Repeat(".", lead) + "needle" + strings.Repeat("_", between) + "thread"
				end := len(text)
				text += strings.Repeat(",", 600)
				var parts []string
				for len(text) > 0 {
					n := min(size, len(text))
					parts, text = append(parts, text[:n]), text[n:]
				}
				if got, want := c.segments(toServer, parts...), (end-1)/size; got != want {
					t.Errorf("segments of %d, %d bytes before and %d between: %d was dropped, want %d", size, lead, between, got, want)
				}
			}
		}
	}
	r.end()
}

// TestInlineOnce: what matched is told once, however small the segments that
// follow; the same again is told again.
func TestInlineOnce(t *testing.T) {
	set := compile(t, `
alert tcp any any -> any 9999 (flow:to_server; content:"needle"; sid:1;)
alert tcp any any -> any 9999 (flow:to_server; pcre:"/n[e]{2}dle/"; sid:2;)
alert tcp any any -> any 9999 (flow:to_server; content:"a"; content:"needle"; distance:0; sid:3;)
`, match.Options{})
	r := replay(t, set)
	c := r.open(2000, 9999)
	c.segments(toServer, strings.Split("a needle"+strings.Repeat(".", 300), "")...)
	c.segments(toServer, strings.Split(strings.Repeat("-", 2800)+"a needle-", "")...)
	want := []uint32{1, 2, 3, 1, 2, 3}
	same(t, r.end(), want)
}

// TestInlineManyRules: with more rules than a stream remembers, what completes a
// match is still stopped.
func TestInlineManyRules(t *testing.T) {
	var text, lead strings.Builder
	for i := range 200 {
		fmt.Fprintf(&text, "alert tcp any any -> any 9999 (content:\"word%03d\"; content:\"never\"; sid:%d;)\n", i, i+1)
		fmt.Fprintf(&lead, "word%03d ", i)
	}
	text.WriteString(`drop tcp any any -> any 9999 (content:"word150"; content:"thread"; distance:0; sid:999;)`)
	r := replay(t, compile(t, text.String(), match.Options{}))
	c := r.open(2000, 9999)
	if got := c.segments(toServer, lead.String(), "....", "thr", "ead"); got != 3 {
		t.Errorf("part %d was dropped, want 3", got)
	}
	same(t, r.end(), []uint32{999})
}
