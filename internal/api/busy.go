package api

import (
	"net"
	"net/http"
	"sync"
)

// Limits of what is under way at once, over the network. With HTTP/2 one
// connection asks many things: without a limit of its own each would cost a
// stack and a body, for whoever asks, and the gateway has little memory.
const (
	maxBusy       = 128 // requests and live events
	maxBusyOf     = 24  // of one address, so that one device does not take all
	maxConnsOf    = 32  // connections of one address to a listener
	maxStreams    = 16  // requests at once on a connection (RFC 9113, section 5.1.2)
	maxPublicBody = 8 << 10
)

// busy counts by address.
type busy struct {
	mu  sync.Mutex
	all int
	of  map[string]int
}

// take counts one more of addr, unless it or all are at their limit.
func (b *busy) take(addr string, most, mostOf int) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.all >= most || b.of[addr] >= mostOf {
		return false
	}
	if b.of == nil {
		b.of = map[string]int{}
	}
	b.all++
	b.of[addr]++
	return true
}

func (b *busy) give(addr string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.all--
	if b.of[addr]--; b.of[addr] <= 0 {
		delete(b.of, addr)
	}
}

// hostOf is the address of a peer without its port; empty of a Unix socket.
func hostOf(a net.Addr) string {
	if a == nil {
		return ""
	}
	host, _, err := net.SplitHostPort(a.String())
	if err != nil {
		return ""
	}
	return host
}

// http2Limits are those of a connection.
func http2Limits() *http.HTTP2Config { return &http.HTTP2Config{MaxConcurrentStreams: maxStreams} }
