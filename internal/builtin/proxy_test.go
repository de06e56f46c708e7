package builtin_test

import (
	"testing"

	"github.com/yamori-net/yamori/internal/builtin"
	"github.com/yamori-net/yamori/internal/engine"
	"github.com/yamori-net/yamori/internal/event"
)

// A miner behind a proxy: the finding names the pool that the proxy was asked
// for, and not the proxy.
func TestPoolBehindProxy(t *testing.T) {
	const (
		greet = "\x05\x01\x00"
		named = "\x05\x01\x00\x03\x0cpool.example\x0d\x05"
		addr  = "\x05\x01\x00\x01\xcb\x00\x71\x07\x0d\x05"
		ok    = "\x05\x00\x00\x01\x00\x00\x00\x00\x00\x00"
		login = `{"id":1,"jsonrpc":"2.0","method":"login","params":{"login":"x","pass":"x","agent":"XMRig/6.21.0 (Linux x86_64)"}}` + "\n"
		hello = "GET / HTTP/1.1\r\nHost: other.example\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
		agree = "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n"
	)
	frame := "\x81" + string([]byte{0x80 | byte(len(login)-1)}) + "\x00\x00\x00\x00" + login[:len(login)-1]
	for name, tt := range map[string]struct {
		says []say
		want string
	}{
		"socks 5":              {[]say{c(greet), s("\x05\x00"), c(named), s(ok), c(login)}, "pool.example:3333"},
		"socks 5, address":     {[]say{c(greet), s("\x05\x00"), c(addr), s(ok), c(login)}, "203.0.113.7:3333"},
		"socks 4a":             {[]say{c("\x04\x01\x0d\x05\x00\x00\x00\x01\x00pool.example\x00"), s("\x00\x5a\x00\x00\x00\x00\x00\x00"), c(login)}, "pool.example:3333"},
		"connect":              {[]say{c("CONNECT Pool.Example:3333 HTTP/1.1\r\nHost: h\r\n\r\n"), s("HTTP/1.1 200 OK\r\n\r\n"), c(login)}, "pool.example:3333"},
		"socks in connect":     {[]say{c("CONNECT proxy.example:1080 HTTP/1.1\r\n\r\n"), s("HTTP/1.1 200 OK\r\n\r\n"), c(greet), s("\x05\x00"), c(named), s(ok), c(login)}, "pool.example:3333"},
		"websocket in connect": {[]say{c("CONNECT pool.example:80 HTTP/1.1\r\n\r\n"), s("HTTP/1.1 200 OK\r\n\r\n"), c(hello), s(agree), c(frame)}, "pool.example:80"},
		"no proxy":             {[]say{c(login)}, "192.0.2.1:1080"},
	} {
		var pools []string
		e, err := engine.New(engine.Config{Protocols: builtin.Protocols(), Detectors: builtin.Detectors(), Seed: 1,
			Sink: func(int) event.Sink {
				return event.SinkFunc(func(ev *event.Event) {
					if ev.Finding != nil && ev.Finding.Mining != nil {
						pools = append(pools, ev.Finding.Mining.Pool)
					}
				})
			}})
		if err != nil {
			t.Fatal(err)
		}
		f := &flood{e: e, now: 1e18}
		f.tcp(1080, tt.says)
		e.Close()
		if len(pools) != 1 || pools[0] != tt.want {
			t.Errorf("%s: pools %q, want %q", name, pools, tt.want)
		}
	}
}
