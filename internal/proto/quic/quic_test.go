package quic

import (
	"strings"
	"testing"

	"github.com/yamori-net/yamori/internal/event"
	"github.com/yamori-net/yamori/internal/proto/prototest"
	"github.com/yamori-net/yamori/internal/proto/tls"
)

var update = prototest.UpdateFlag()

func TestGolden(t *testing.T) { prototest.GoldenUDP(t, Protocol, *update) }

func TestReadme(t *testing.T) { prototest.Readme(t, Protocol) }

// The extensions of a hello are told in its order, with what is known of them.
func TestExtensions(t *testing.T) {
	ext := func(typ int, data ...byte) []byte { return cat(u16(typ), u16(len(data)), data) }
	block := cat(ext(0, 0, 6, 0, 0, 3, 'c', 'a', 'm'), ext(16, 0, 3, 2, 'h', '3'), ext(43, 4, 3, 4, 0x0a, 0x0a), ext(13, 0, 2, 8, 4), ext(999), ext(51))
	hello := cat(u16(0x0303), make([]byte, 32), []byte{0}, u16(2), u16(0x1301), []byte{1, 0}, u16(len(block)), block)
	var h tls.ClientHello
	if err := tls.ParseClientHello(hello, &h); err != nil {
		t.Fatal(err)
	}
	var e event.Encoder
	e.Obj("")
	encodeExtensions(&e, h.Extensions, &h)
	e.EndObj()
	want := `{"extensions":[{"name":"server_name","type":0,"values":["cam"]},{"name":"alpn","type":16,"values":["h3"]},` +
		`{"name":"supported_versions","type":43,"values":["Tls13","TlsVersion(2570 / 0xa0a)"]},` +
		`{"name":"signature_algorithms","type":13,"values":["2052"]},{"type":999},{"name":"key_share","type":51}]}`
	if got := string(e.B); got != want {
		t.Errorf("%s\nnot %s", got, want)
	}
	// A hello with more than anybody sends is cut.
	block = nil
	for range maxExtensions + 5 {
		block = append(block, ext(999)...)
	}
	e.B = nil
	e.Obj("")
	encodeExtensions(&e, block, nil)
	e.EndObj()
	if n := strings.Count(string(e.B), "999"); n != maxExtensions {
		t.Errorf("%d extensions", n)
	}
}
