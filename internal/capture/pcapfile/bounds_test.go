package pcapfile

import (
	"bytes"
	"errors"
	"io"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/yamori-net/yamori/internal/packet"
)

// synthetic makes a capture of n packets, 80 to 1500 bytes long.
func synthetic(create newFunc, n int) []byte {
	var out bytes.Buffer
	w, _ := create(&out, 1, 0)
	rng := rand.New(rand.NewPCG(3, 4))
	data := make([]byte, 1500)
	for i := range n {
		l := 80 + rng.IntN(1421)
		w.Write(&packet.Frame{Time: int64(i) * 1000, Data: data[:l], Len: l, Link: 1})
	}
	w.Flush()
	return out.Bytes()
}

func TestReaderAllocs(t *testing.T) {
	for name, create := range writers {
		file := synthetic(create, 5000)
		r := NewReader("x", bytes.NewReader(file))
		var f packet.Frame
		if err := r.Next(&f); err != nil { // opens and takes the buffer
			t.Fatal(err)
		}
		n := testing.AllocsPerRun(4900, func() {
			if err := r.Next(&f); err != nil {
				t.Fatal(err)
			}
		})
		if n != 0 {
			t.Errorf("%s: %v allocations per packet", name, n)
		}
	}
}

func FuzzReader(f *testing.F) {
	for _, v := range variants() {
		if len(v.file) < 4096 {
			f.Add(v.file)
		}
	}
	f.Fuzz(func(t *testing.T, file []byte) {
		r := NewReader("x", bytes.NewReader(file))
		defer r.Close()
		var fr packet.Frame
		// Every packet takes at least a header of 12 bytes, so the number is
		// bounded by the input; only decompression can make it large.
		for n := 0; n < 1<<20; n++ {
			err := r.Next(&fr)
			if err != nil {
				var d *Damage
				if err != io.EOF && !errors.As(err, &d) {
					t.Fatalf("error of another kind: %v", err)
				}
				break
			}
			if len(fr.Data) > MaxSnap || fr.Len < len(fr.Data) || fr.Time < 0 || fr.Time > MaxTime {
				t.Fatalf("frame out of bounds: %d bytes, length %d, time %d", len(fr.Data), fr.Len, fr.Time)
			}
		}
		if len(r.buf) > chunk && r.layers == "" && len(r.buf) > 2*len(file) || len(r.buf) > maxBlock {
			t.Fatalf("buffer of %d bytes for an input of %d", len(r.buf), len(file))
		}
	})
}

// corpus calls f for every capture under YAMORI_TESTDATA.
func corpus(t *testing.T, f func(path string)) {
	t.Helper()
	root := os.Getenv("YAMORI_TESTDATA")
	if root == "" {
		root = "../../../../shared"
	}
	root = filepath.Join(root, "captures")
	if _, err := os.Stat(root); err != nil {
		t.Skipf("skipped all captures (over 1000): no %s; set YAMORI_TESTDATA", root)
	}
	n := 0
	err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		for _, ext := range []string{".pcap", ".pcapng", ".cap", ".dmp", ".trace", ".gz", ".zst"} {
			if strings.HasSuffix(path, ext) {
				n++
				f(path)
				return nil
			}
		}
		return nil
	})
	if err != nil || n == 0 {
		t.Fatalf("%d captures under %s: %v", n, root, err)
	}
	t.Logf("%d captures", n)
}

// TestCorpus reads every capture, and each cut at ten offsets: an error or
// the end, and never more packets than the whole has.
func TestCorpus(t *testing.T) {
	rng := rand.New(rand.NewPCG(5, 6))
	// One buffer and its reader serve all: most captures are small, and
	// taking 256 kB ten thousand times would be the whole cost of the test.
	read := func(path string, in io.Reader, buf []byte) (n int, kept []byte, err error) {
		r := NewReader(path, in)
		r.buf = buf
		var f packet.Frame
		for err == nil {
			if err = r.Next(&f); err == nil {
				n++
			}
		}
		kept = r.buf
		r.Close()
		return n, kept, err
	}
	var buf []byte
	corpus(t, func(path string) {
		const most = 4 << 20 // bytes of a capture to cut; whole files are read whole
		fl, err := os.Open(path)
		if err != nil {
			t.Fatal(err)
		}
		defer fl.Close()
		st, err := fl.Stat()
		if err != nil {
			t.Fatal(err)
		}
		var total int
		total, buf, err = read(path, fl, buf)
		var d *Damage
		if err != io.EOF && !errors.As(err, &d) {
			t.Errorf("%s: %v", path, err)
		}
		if err != io.EOF {
			t.Logf("%d packets, then %v", total, err)
		}
		if total == 0 && err == io.EOF {
			t.Logf("%s: no packets", path)
		}
		if st.Size() == 0 {
			return
		}
		for range 10 {
			var n int
			cut := rng.Int64N(min(st.Size(), most))
			n, buf, err = read(path, io.NewSectionReader(fl, 0, cut), buf)
			if err != io.EOF && !errors.As(err, &d) || n > total {
				t.Errorf("%s cut at %d: %d packets of %d, %v", path, cut, n, total, err)
			}
		}
	})
}

func BenchmarkReader(b *testing.B) {
	files := map[string][]byte{}
	for name, create := range writers {
		files[name] = synthetic(create, 100_000)
	}
	files["zstd"], files["gzip"] = zst(files["ng"]), gz(files["ng"])
	for _, name := range []string{"pcap", "ng", "gzip", "zstd"} {
		b.Run(name, func(b *testing.B) {
			b.SetBytes(int64(len(files["ng"])))
			b.ReportAllocs()
			n := 0
			for b.Loop() {
				r := NewReader("x", bytes.NewReader(files[name]))
				var f packet.Frame
				for r.Next(&f) == nil {
					n++
				}
				r.Close()
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(n), "ns/packet")
		})
	}
}

// BenchmarkFile reads the file named by YAMORI_BENCH_PCAP.
func BenchmarkFile(b *testing.B) {
	path := os.Getenv("YAMORI_BENCH_PCAP")
	if path == "" {
		b.Skip("skipped: set YAMORI_BENCH_PCAP to a capture")
	}
	n := 0
	for b.Loop() {
		r, err := Open(path)
		if err != nil {
			b.Fatal(err)
		}
		b.SetBytes(r.Size())
		var f packet.Frame
		for r.Next(&f) == nil {
			n++
		}
		r.Close()
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(n), "ns/packet")
}
