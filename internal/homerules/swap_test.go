package homerules_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/yamori-net/yamori/internal/builtin"
	"github.com/yamori-net/yamori/internal/match"
	"github.com/yamori-net/yamori/internal/packet"
	"github.com/yamori-net/yamori/internal/rules"
)

// after compiles text as the successor of prev.
func after(t *testing.T, prev *match.Set, text string) *match.Set {
	t.Helper()
	rs, problems := rules.Parse("t.rules", strings.NewReader(text), rules.ParseConfig{Vars: rules.DefaultVars()})
	s, more := match.Compile(rs, match.Options{Protocols: builtin.Protocols(), Previous: prev})
	for _, p := range append(problems, more...) {
		t.Fatal(p)
	}
	return s
}

// The project's own rules look into no files; public ones that come later do,
// and then files are followed.
func TestSwapBringsFiles(t *testing.T) {
	first := compile(t, load(t))
	h := newHome(t, first)
	fetch := &talk{from: pc, to: web, port: 80, say: []string{get("/a.sh"), "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n#!/bin/sh\n"}}
	h.play(fetch, 0)
	if err := h.e.Swap(after(t, first, `alert http any any -> any any (msg:"a script"; flow:to_client; file.data; content:"#!/bin/sh"; startswith; sid:7;)`+"\n"+
		`alert http any any -> any any (msg:"a sum"; filesize:10; sid:8;)`)); err != nil {
		t.Fatal(err)
	}
	h.play(fetch, 0)
	if got := h.got(); !slices.Equal(got, []uint32{7, 8}) {
		t.Errorf("alerts %v", got)
	}
}

// What of an open transaction was told is not told again after a swap, and
// what was not told yet is.
func TestSwapInsideTransaction(t *testing.T) {
	const (
		uri  = `alert http any any -> any any (msg:"uri"; flow:to_server; http.uri; content:"/form"; sid:1;)` + "\n"
		body = `alert http any any -> any any (msg:"body"; flow:to_server; http.request_body; content:"secret"; sid:2;)` + "\n"
	)
	first := after(t, nil, uri)
	h := newHome(t, first)
	c := &talk{from: pc, to: cam, port: 80}
	text := post("POST", "/form", "a=1&word=secret")
	cut := strings.Index(text, "&word")
	h.port++
	h.segment(c, false, packet.SYN, 999, 0, "")
	h.segment(c, true, packet.SYN|packet.ACK, 4999, 1000, "")
	h.segment(c, false, packet.ACK, 1000, 5000, "")
	h.segment(c, false, packet.ACK|packet.PSH, 1000, 5000, text[:cut])
	h.segment(c, true, packet.ACK, 5000, 1000+uint32(cut), "")
	before := len(h.sids)
	if err := h.e.Swap(after(t, first, body+uri)); err != nil {
		t.Fatal(err)
	}
	h.segment(c, false, packet.ACK|packet.PSH, 1000+uint32(cut), 5000, text[cut:])
	h.segment(c, true, packet.ACK|packet.PSH, 5000, 1000+uint32(len(text)), ok)
	h.e.Close()
	slices.Sort(h.sids)
	if before != 1 || !slices.Equal(h.sids, []uint32{1, 2}) {
		t.Errorf("%d alerts before; alerts %v, want 1 and 2 once each", before, h.sids)
	}
}
