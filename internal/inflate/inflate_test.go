package inflate

import (
	"bytes"
	"compress/flate"
	"io"
	"math/rand/v2"
	"strings"
	"testing"
)

const limit = 1 << 20

// inflateIn decodes data in pieces of at most n bytes.
func inflateIn(z *Stream, data []byte, n int) (out, rest []byte, err error) {
	z.Reset(0)
	for len(data) > 0 && !z.Ended() {
		piece := data[:min(n, len(data))]
		var used int
		if out, used, err = z.Inflate(out, piece, limit); err != nil {
			return out, nil, err
		}
		data = data[used:]
	}
	return out, data, nil
}

func compress(t testing.TB, level int, b []byte) []byte {
	var w bytes.Buffer
	z, err := flate.NewWriter(&w, level)
	if err != nil {
		t.Fatal(err)
	}
	z.Write(b)
	z.Close()
	return w.Bytes()
}

// The standard library compresses, this package must give back, whatever the
// level, the kind of data and the pieces.
func TestAgainstStandardLibrary(t *testing.T) {
	rnd := rand.New(rand.NewPCG(1, 2))
	random := make([]byte, 70000)
	skewed := make([]byte, 70000)
	for i := range random {
		random[i] = byte(rnd.Uint32())
		skewed[i] = byte(rnd.ExpFloat64() * 9) // long codes
	}
	for _, data := range [][]byte{nil, []byte("a"), []byte(strings.Repeat("abc", 30000)), random, skewed} {
		for _, level := range []int{flate.NoCompression, 1, 6, 9, flate.HuffmanOnly} {
			packed := compress(t, level, data)
			for _, n := range []int{1, 2, 7, 1400, len(packed) + 9} {
				var z Stream
				out, rest, err := inflateIn(&z, append(packed[:len(packed):len(packed)], "tail"...), n)
				if err != nil || !z.Ended() || !bytes.Equal(out, data) || string(rest) != "tail" {
					t.Fatalf("%d bytes, level %d, pieces of %d: %d bytes, rest %q, ended %v, %v",
						len(data), level, n, len(out), rest, z.Ended(), err)
				}
			}
		}
	}
}

func TestInvalid(t *testing.T) {
	for name, in := range map[string]string{
		"block type 3":        "\x07",
		"stored length wrong": "\x01\x05\x00\x00\x00",
		"distance too far":    "\x03\x42\x00\x00", // a match before any output
		"repeat of nothing":   "\x05\x00\x80\x40\xff\xff\xff",
		"codes of ones":       "\x05" + strings.Repeat("\xff", 20),
	} {
		var z Stream
		if out, _, err := inflateIn(&z, []byte(in), 1); err == nil {
			t.Errorf("%s: no error, %q", name, out)
		}
	}
}

func TestLimit(t *testing.T) {
	var z Stream
	z.Reset(0)
	out, _, err := z.Inflate(nil, compress(t, 9, make([]byte, 100000)), 1000)
	if err != nil || len(out) != 1000 {
		t.Errorf("%d bytes, %v", len(out), err)
	}
}

func TestAllocs(t *testing.T) {
	packed := compress(t, 6, []byte(strings.Repeat("hello world ", 500)))
	var z Stream
	out := make([]byte, 0, 8192)
	if n := testing.AllocsPerRun(100, func() {
		z.Reset(0)
		out, _, _ = z.Inflate(out[:0], packed, 8192)
	}); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

func BenchmarkInflate(b *testing.B) {
	text := []byte(strings.Repeat("The quick brown fox jumps over the lazy dog. 0123456789\n", 1000))
	packed := compress(b, 6, text)
	var z Stream
	out := make([]byte, 0, len(text))
	b.SetBytes(int64(len(text)))
	for b.Loop() {
		z.Reset(0)
		out, _, _ = z.Inflate(out[:0], packed, len(text)+1)
	}
}

// FuzzInflate compares with the standard library, whole and in pieces.
func FuzzInflate(f *testing.F) {
	f.Add(compress(f, 6, []byte("hello hello hello")), uint8(3))
	f.Add(compress(f, 0, []byte("hello")), uint8(1))
	f.Fuzz(func(t *testing.T, data []byte, n uint8) {
		var a, b Stream
		whole, _, err1 := inflateIn(&a, data, len(data)+1)
		cut, _, err2 := inflateIn(&b, data, int(n)+1)
		if !bytes.Equal(whole, cut) || (err1 == nil) != (err2 == nil) {
			t.Fatalf("whole %d bytes %v, cut %d bytes %v", len(whole), err1, len(cut), err2)
		}
		std, err := io.ReadAll(io.LimitReader(flate.NewReader(bytes.NewReader(data)), limit))
		if err == nil && len(std) < limit && !bytes.Equal(std, whole) {
			t.Fatalf("standard library %d bytes, here %d bytes, %v", len(std), len(whole), err1)
		}
	})
}
