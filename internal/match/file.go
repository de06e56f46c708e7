package match

import (
	"encoding/hex"
	"slices"
	"strings"

	"github.com/yamori-net/yamori/internal/packet"
	"github.com/yamori-net/yamori/internal/proto"
)

// File is what rules see of a file while it grows; package files has it.
type File interface {
	Window() (b []byte, offset uint64)
	Name() []byte
	Magic() string
	Size() uint64
	MD5() ([]byte, bool)
	SHA1() ([]byte, bool)
	SHA256() ([]byte, bool)
}

// fileKind is a buffer that comes from a file, not from its transaction.
type fileKind uint8

// Kinds of buffers of files.
const (
	notFile fileKind = iota
	fileData
	fileName
	fileMagic
	fileSize
	fileMD5
	fileSHA1
	fileSHA256
)

var fileBuffers = map[string]fileKind{"file.data": fileData, "file.name": fileName, "file.magic": fileMagic, "file.size": fileSize,
	"file.md5": fileMD5, "file.sha1": fileSHA1, "file.sha256": fileSHA256}

// fileProtocols are those whose parsers tell of files, with who can send them.
var fileProtocols = map[string][2]bool{"http": {true, true}, "http2": {true, true}, "smtp": {true, false}, "smb": {true, true},
	"ftp-data": {true, true}, "nfs": {true, true}, "imap": {true, true}, "pop3": {false, true}}

// WantsFiles says whether rules look into files, and whether they ask for
// hashes of them.
func (s *Set) WantsFiles() (data, hashes bool) {
	for _, k := range s.fileKind {
		data = data || k != notFile
		hashes = hashes || k >= fileMD5
	}
	for k := range s.events {
		// Told by who reads mails for their attachments, and by who follows the
		// files of a share.
		data = data || strings.HasPrefix(k.name, "mime_") || k.name == "file_overlap"
	}
	return data, hashes
}

// file is the file under inspection.
type file struct {
	f    File
	data []byte
	at   uint64
	done bool
	text []byte
}

// buffer returns a buffer of the file, false when it is not its time.
func (f *file) buffer(k fileKind, i int) ([]byte, bool) {
	if f.f == nil || i > 0 {
		return nil, false
	}
	sum := func(b []byte, ok bool) ([]byte, bool) {
		if !ok {
			return nil, false
		}
		f.text = hex.AppendEncode(f.text[:0], b)
		return f.text, true
	}
	switch k {
	case fileData:
		return f.data, len(f.data) > 0
	case fileName:
		b := f.f.Name()
		return b, len(b) > 0
	case fileMagic:
		f.text = append(f.text[:0], f.f.Magic()...)
		return f.text, len(f.text) > 0
	case fileSize:
		if !f.done {
			return nil, false
		}
		f.text = appendDecimal(f.text[:0], f.f.Size())
		return f.text, true
	case fileMD5:
		return sum(f.f.MD5())
	case fileSHA1:
		return sum(f.f.SHA1())
	case fileSHA256:
		return sum(f.f.SHA256())
	}
	return nil, false
}

func appendDecimal(dst []byte, n uint64) []byte {
	at := len(dst)
	for {
		dst = append(dst, byte('0'+n%10))
		if n /= 10; n == 0 {
			break
		}
	}
	slices.Reverse(dst[at:])
	return dst
}

// File inspects a file that transaction tx of protocol app carries in
// direction d, each time a piece of it is due or when it ends.
func (w *Worker) File(app int, tx proto.Tx, d packet.Dir, f File, done bool) {
	c := &w.c
	if !w.active || c.f == nil || w.set.txs[app][d].n == 0 || w.let() {
		return
	}
	if w.headless(c.f) {
		return
	}
	b, at := f.Window()
	if len(b) == 0 && !done {
		return
	}
	fs := c.flowState()
	c.app |= 1 << app
	w.packetRules()
	var one txState
	one.id = fs.next
	t := &one
	if tx != nil {
		if t = fs.tx(tx); t == nil {
			t = &one
		}
	}
	if td := &t.dir[d]; td.file != f {
		if td.file = f; len(td.matched) > 0 {
			w.another(&w.set.txs[app][d], td)
		}
		w.files++
	}
	if done {
		t.dir[d].file = nil // what keeps it may be lent to the next
	}
	kd, ks, kt, ksp, kdp := c.d, c.src, c.dst, c.sp, c.dp
	keep := w.tx
	w.tx = txAlert{id: t.id, on: true, tx: tx}
	w.file = file{f: f, data: b, at: at, done: done, text: w.file.text}
	w.setDir(d)
	w.inspectTx(&w.set.txs[app][d], app, d, tx, &t.dir[d], false)
	w.tx = keep
	c.d, c.src, c.dst, c.sp, c.dp = kd, ks, kt, ksp, kdp
	w.encode(t.id, tx)
	w.file = file{text: w.file.text}
}

// another lets rules on files match once more in a transaction of group g: it
// brings another file.
func (w *Worker) another(g *txGroup, t *txDir) {
	keep := t.matched[:0]
	for _, id := range t.matched {
		if !slices.ContainsFunc(w.set.rules[id].bufs, func(b bufCheck) bool { return w.set.fileKind[b.buf] != notFile }) {
			keep = append(keep, id)
		} else if _, always := slices.BinarySearch(g.always, id); !always {
			t.cand = append(t.cand, id) // what it was found by need not be seen again
		}
	}
	t.matched = keep
	slices.Sort(t.cand)
	t.cand = slices.Compact(t.cand)
}
