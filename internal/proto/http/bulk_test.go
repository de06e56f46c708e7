package http

import (
	"math"
	"strings"
	"testing"

	"github.com/yamori-net/yamori/internal/packet"
	"github.com/yamori-net/yamori/internal/proto"
)

// TestBulk: only the rest of a body that nobody looks at may go by.
func TestBulk(t *testing.T) {
	long := strings.Repeat("x", MaxBody)
	for _, tt := range []struct {
		name  string
		files bool
		parts []string // begin with > or <
		d     packet.Dir
		want  int64
	}{
		{"a length", false, []string{">" + get, "<HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n" + long}, 1, 100000 - MaxBody},
		{"the kept prefix is not full", false, []string{">" + get, "<HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n" + long[1:]}, 1, 0},
		{"the head", false, []string{">" + get, "<HTTP/1.1 200 OK\r\nContent-Le"}, 1, 0},
		{"between messages", false, []string{">" + get, "<HTTP/1.1 200 OK\r\nContent-Length: 16384\r\n\r\n" + long}, 1, 0},
		{"chunks", false, []string{">" + get, "<HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4001\r\n" + long}, 1, math.MaxInt64},
		{"until the end", false, []string{">" + get, "<HTTP/1.1 200 OK\r\n\r\n" + long}, 1, math.MaxInt64},
		{"two are awaited", false, []string{">" + get + get, "<HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n" + long}, 1, 0},
		{"a request is under way", false, []string{">" + get + "GET /", "<HTTP/1.1 200 OK\r\n\r\n" + long}, 1, math.MaxInt64},
		{"the next one's head", false, []string{">" + get + "GET / HTTP/1.1\r\nHost: ", "<HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n" + long}, 1, 0},
		{"an upload", false, []string{">POST / HTTP/1.1\r\nContent-Length: 100000\r\n\r\n" + long}, 0, 100000 - MaxBody},
		{"an upload in chunks", false, []string{">POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n5000\r\n" + long}, 0, 0x5000 - MaxBody},
		{"a file is followed", true, []string{">" + get, "<HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n" + long}, 1, 0},
	} {
		p, c := Protocol.New().(*parser), quiet()
		c.WantFiles, c.OnFile = tt.files, func(*proto.File) {}
		for _, s := range tt.parts {
			d := packet.ToServer
			if s[0] == '<' {
				d = packet.ToClient
			}
			_, _ = p.Parse(c, d, []byte(s[1:]))
		}
		if n := p.Bulk(tt.d); n != tt.want {
			t.Errorf("%s: %d, want %d", tt.name, n, tt.want)
		}
	}
}

// FuzzBulk lets parts of bodies go by wherever that may be, and holes come
// besides: each transaction is still told of once.
func FuzzBulk(f *testing.F) {
	long := strings.Repeat("x", MaxBody)
	f.Add([]byte(get+get), []byte("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4001\r\n"+long+"y\r\n7\r\nabcdefg\r\n0\r\n\r\n"), uint64(3))
	f.Add([]byte("POST / HTTP/1.1\r\nContent-Length: 20000\r\n\r\n"+long+long), []byte("HTTP/1.1 200 OK\r\n\r\n"+long+long), uint64(77))
	f.Add([]byte("GET / HTTP/1.1\r\nname\r\n :v\r\n w\r\n\r\n"), []byte(nil), uint64(1)) // its colon comes after a fold
	f.Fuzz(func(t *testing.T, a, b []byte, seed uint64) {
		p, c := Protocol.New(), quiet()
		done := map[proto.Tx]bool{}
		c.OnTx = func(tx proto.Tx, end bool) {
			if done[tx] {
				delete(done, tx) // its memory serves another one
			}
			if end {
				done[tx] = true
			}
		}
		data := [2][]byte{a, b}
		var held [2]int
		for len(data[0])+len(data[1]) > 0 {
			seed = seed*6364136223846793005 + 1442695040888963407
			d := packet.Dir(seed >> 63)
			if held[d] >= len(data[d]) {
				if d = d.Reverse(); held[d] >= len(data[d]) {
					break
				}
			}
			n := held[d] + 1 + int(seed>>40)%(len(data[d])-held[d])
			bulk := p.(proto.Bulk).Bulk(d)
			switch {
			case bulk < 0:
				t.Fatalf("%d bytes may go by", bulk)
			case held[d] == 0 && bulk > 0 && seed>>62&1 == 1:
				n = int(min(int64(n), bulk))
				p.(proto.Bulk).Pass(c, d, n)
			case held[d] == 0 && seed>>58&15 == 3:
				if p.Gap(c, d, n) != nil {
					return
				}
			default:
				k, err := p.Parse(c, d, data[d][:n])
				if err != nil || k < 0 || k > n {
					t.Fatalf("%d of %d bytes, %v", k, n, err)
				}
				data[d], held[d] = data[d][k:], n-k
				if _, ok := c.Switched(); ok {
					p.End(c)
					return
				}
				if c.Woken() {
					held = [2]int{}
				}
				continue
			}
			data[d] = data[d][n:]
		}
		p.End(c)
		p.Reset()
	})
}
