package store

import (
	"bufio"
	"bytes"
	"context"
	"crypto/aes"
	"crypto/cipher"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"time"

	"golang.org/x/crypto/argon2"

	"github.com/yamori-net/yamori/internal/event"
)

// backupVersion is the form of a backup; a later program reads all earlier.
const backupVersion = 1

// HostBucket holds documents about the machine itself (addresses it listens
// on, names of its interfaces). They are in no backup, so that one can be
// restored on other hardware.
const HostBucket = "host"

// Backup bounds what is read.
const (
	maxBackupLine  = 4 << 20
	maxBackupBytes = 64 << 20
	// maxBackupFindings bounds the findings that a backup holds, so that it can
	// be read again: the latest of them.
	maxBackupFindings = 40 << 20
)

// Parameters of the key that a passphrase gives (RFC 9106, section 4, the
// second choice, with less memory: a router has 128 MB).
const (
	argonTime   = 3
	argonMemory = 19 << 10 // KiB
)

// BackupOptions say what a backup holds beside documents and devices.
type BackupOptions struct {
	// Secrets names the buckets that hold secrets (users, tokens, notifiers).
	// Without a Passphrase they are left out; with one they are encrypted.
	Secrets    []string
	Passphrase string
	Findings   bool // findings too
}

// Lines of a backup, one JSON object each: the head, records, the sum.
type (
	backupHead struct {
		Backup  int       `json:"yamori_backup"`
		Created time.Time `json:"created"`
	}
	backupLine struct {
		Document *Document     `json:"document,omitempty"`
		Device   *DeviceRecord `json:"device,omitempty"`
		Finding  *record       `json:"finding,omitempty"`
		Secret   *sealed       `json:"secret,omitempty"`
		SHA256   string        `json:"sha256,omitempty"`
	}
	// sealed is a JSON array of documents under AES-256-GCM.
	sealed struct {
		Salt, Nonce, Box []byte
		Time, MemoryKiB  uint32
	}
)

// Backup writes what is the owner's: documents (but those of HostBucket) and
// device records, one file with a checksum at its end.
func (s *Store) Backup(ctx context.Context, w io.Writer, opt BackupOptions) error {
	if err := s.Flush(ctx); err != nil {
		return err
	}
	sum := sha256.New()
	bw := bufio.NewWriter(w)
	enc := json.NewEncoder(io.MultiWriter(bw, sum))
	enc.SetEscapeHTML(false)
	if err := enc.Encode(backupHead{backupVersion, s.cfg.Clock().UTC().Round(0)}); err != nil {
		return err
	}
	docs, err := s.List(ctx, "")
	if err != nil {
		return err
	}
	var secret []Document
	for _, d := range docs {
		switch {
		case d.Bucket == HostBucket:
		case slices.Contains(opt.Secrets, d.Bucket):
			secret = append(secret, d)
		default:
			if err := enc.Encode(backupLine{Document: &d}); err != nil {
				return err
			}
		}
	}
	if opt.Passphrase != "" && len(secret) > 0 {
		box, err := seal(secret, opt.Passphrase)
		if err != nil {
			return err
		}
		if err := enc.Encode(backupLine{Secret: box}); err != nil {
			return err
		}
	}
	devices, err := s.Devices(ctx)
	if err != nil {
		return err
	}
	for _, d := range devices {
		if err := enc.Encode(backupLine{Device: &d}); err != nil {
			return err
		}
	}
	if opt.Findings {
		after, err := s.backupFrom(ctx)
		if err != nil {
			return err
		}
		err = s.eachFinding(ctx, after, func(_ int64, l *backupLine) error { return enc.Encode(l) })
		if err != nil {
			return err
		}
	}
	end, err := json.Marshal(backupLine{SHA256: hex.EncodeToString(sum.Sum(nil))})
	if err != nil {
		return err
	}
	_, _ = bw.Write(append(end, '\n'))
	return bw.Flush()
}

// eachFinding calls f with the lines of all findings after an id, the oldest
// first, and the id that each look at the database began after.
func (s *Store) eachFinding(ctx context.Context, after int64, f func(began int64, l *backupLine) error) error {
	for {
		var items []Item
		began := after
		err := s.read(ctx, func(rd *reader) (err error) {
			items, after, err = rd.ascending(Filter{}, after)
			return err
		})
		if err != nil {
			return err
		}
		for _, it := range items {
			r := exported(it)
			if err := f(began, &backupLine{Finding: &r}); err != nil {
				return err
			}
		}
		if after == 0 {
			return nil
		}
	}
}

// backupFrom is the id after which the findings fit into a backup.
func (s *Store) backupFrom(ctx context.Context) (int64, error) {
	type look struct{ began, bytes int64 }
	var looks []look
	var total int64
	err := s.eachFinding(ctx, 0, func(began int64, l *backupLine) error {
		b, err := json.Marshal(l)
		if err != nil {
			return err
		}
		if n := len(looks); n == 0 || looks[n-1].began != began {
			looks = append(looks, look{began: began})
		}
		looks[len(looks)-1].bytes += int64(len(b)) + 1
		total += int64(len(b)) + 1
		return nil
	})
	if err != nil || total <= s.lim.backup {
		return 0, err
	}
	for i := range looks {
		if total <= s.lim.backup {
			s.cfg.Log.Warn("the backup holds the latest findings only; export them to have all", "bytes", total)
			return looks[i].began, nil
		}
		total -= looks[i].bytes
	}
	return 1 << 62, nil
}

func passKey(pass string, b *sealed) (cipher.AEAD, error) {
	if b.Time == 0 || b.Time > 16 || b.MemoryKiB < 8 || b.MemoryKiB > 128<<10 || len(b.Salt) < 16 {
		return nil, errors.New("store: the backup's secrets are sealed in a way this program does not know")
	}
	block, err := aes.NewCipher(argon2.IDKey([]byte(pass), b.Salt, b.Time, b.MemoryKiB, 1, 32))
	if err != nil {
		return nil, err
	}
	return cipher.NewGCM(block)
}

func seal(docs []Document, pass string) (*sealed, error) {
	b := &sealed{Salt: make([]byte, 16), Nonce: make([]byte, 12), Time: argonTime, MemoryKiB: argonMemory}
	_, _ = rand.Read(b.Salt) // never fails (Go 1.24)
	_, _ = rand.Read(b.Nonce)
	plain, err := json.Marshal(docs)
	if err != nil {
		return nil, err
	}
	aead, err := passKey(pass, b)
	if err != nil {
		return nil, err
	}
	b.Box = aead.Seal(nil, b.Nonce, plain, nil)
	return b, nil
}

// ErrPassphrase says that a backup holds secrets and the passphrase is not
// theirs.
var ErrPassphrase = errors.New("store: the backup's secrets need their passphrase")

// Restored says what a restore put back.
type Restored struct {
	Created                      time.Time
	Documents, Devices, Findings int
	// SecretsLeft: the backup holds secrets, and no passphrase was given.
	SecretsLeft bool
}

// Restore reads a backup whole, checks it, and only then replaces the
// documents of every bucket that is in it, in one durable step that the audit
// log notes. Device records are put back; findings that are not
// there yet are added. Secrets names the buckets that Backup seals: in the open
// they are refused, since whoever may write a file could make themselves owner
// with it.
func (s *Store) Restore(ctx context.Context, who string, r io.Reader, passphrase string, secrets ...string) (Restored, error) {
	b, err := readBackup(r, passphrase, secrets...)
	if err != nil {
		return Restored{}, err
	}
	buckets := map[string]bool{}
	var total int64
	for _, d := range b.documents {
		if err := checkOp(Op{Bucket: d.Bucket, Key: d.Key, Value: d.Value}); err != nil {
			return Restored{}, fmt.Errorf("store: the backup's document %s/%s: %w", cut(d.Bucket, 40), cut(d.Key, 40), err)
		}
		buckets[d.Bucket] = true
		total += int64(len(d.Value))
	}
	if total > s.lim.documents {
		return Restored{}, fmt.Errorf("%w: the backup's documents", ErrTooBig)
	}
	err = s.do(ctx, &request{durable: true, run: func() error {
		for bucket := range buckets {
			if err := s.w.exec("DELETE FROM documents WHERE bucket=?", bucket); err != nil {
				return err
			}
		}
		now := s.clk.estimate().UnixMilli()
		for _, d := range b.documents {
			s.seq++
			err := s.w.exec("INSERT OR REPLACE INTO documents(bucket, key, version, updated, value) VALUES(?,?,?,?,?)", d.Bucket, d.Key, s.seq, now, []byte(d.Value))
			if err != nil {
				return err
			}
		}
		for _, d := range b.devices {
			if err := s.w.exec("INSERT OR REPLACE INTO devices(id, updated, value) VALUES(?,?,?)", d.ID, now, []byte(d.Value)); err != nil {
				return err
			}
		}
		detail, err := json.Marshal(map[string]any{"created": b.Created, "documents": len(b.documents), "devices": len(b.devices), "findings": len(b.findings)})
		if err != nil {
			return err
		}
		return s.audit(who, "backup.restore", "", "", nil, detail)
	}})
	if err != nil {
		return Restored{}, err
	}
	b.Documents, b.Devices = len(b.documents), len(b.devices)
	fresh, err := s.unknown(ctx, b.findings)
	if err != nil {
		return b.Restored, err
	}
	got, err := s.addFindings(ctx, fresh, true)
	b.Findings = len(got)
	return b.Restored, err
}

// likeness is what makes a finding of a backup one that is there already.
type likeness struct {
	time                   int64
	device, family, remote string
	category               event.Category
	level                  event.Level
	signature              uint32
}

func likenessOf(f *Finding) likeness {
	l := likeness{time: f.Time.UnixMilli(), device: f.Device, family: f.Family, category: f.Category, level: f.Level, signature: f.Signature}
	if f.Remote.IsValid() {
		l.remote = f.Remote.String()
	}
	return l
}

// unknown leaves out what is there already: a backup that is taken back where
// it came from must not make everything twice.
func (s *Store) unknown(ctx context.Context, list []Finding) ([]Finding, error) {
	if len(list) == 0 {
		return nil, nil
	}
	in := make(map[likeness]bool, len(list))
	for i := range list {
		in[likenessOf(&list[i])] = false
	}
	err := s.eachFinding(ctx, 0, func(_ int64, l *backupLine) error {
		r := l.Finding
		k := likeness{time: r.Time.UnixMilli(), device: r.Device, family: r.Family, category: r.Category, level: levelOf(r.Level), signature: r.Signature}
		if r.Remote != nil {
			k.remote = r.Remote.String()
		}
		if _, ok := in[k]; ok {
			in[k] = true
		}
		return nil
	})
	return slices.DeleteFunc(list, func(f Finding) bool { return in[likenessOf(&f)] }), err
}

type backup struct {
	Restored
	documents []Document
	devices   []DeviceRecord
	findings  []Finding
}

// readBackup checks all there is to check without the store.
func readBackup(r io.Reader, pass string, secrets ...string) (*backup, error) {
	br := bufio.NewReader(io.LimitReader(r, maxBackupBytes+1))
	sum := sha256.New()
	b := &backup{}
	for num, read := 1, 0; ; num++ {
		line, err := readLine(br)
		if err != nil {
			return nil, fmt.Errorf("store: the backup ends in line %d, before its checksum (%w); choose another copy of it", num, err)
		}
		if read += len(line); read > maxBackupBytes {
			return nil, fmt.Errorf("%w: the backup", ErrTooBig)
		}
		if num == 1 {
			var h backupHead
			if err := json.Unmarshal(line, &h); err != nil || h.Backup == 0 {
				return nil, errors.New("store: this is no backup of Yamori; choose a file that yamori backup wrote")
			}
			if h.Backup > backupVersion {
				return nil, fmt.Errorf("store: the backup is of version %d and this program reads up to %d; update Yamori first", h.Backup, backupVersion)
			}
			b.Created = h.Created
			sum.Write(line)
			continue
		}
		var l backupLine
		if err := json.Unmarshal(line, &l); err != nil {
			return nil, fmt.Errorf("store: the backup's line %d: %w", num, err)
		}
		if l.SHA256 != "" {
			if l.SHA256 != hex.EncodeToString(sum.Sum(nil)) {
				return nil, errors.New("store: the backup was changed or cut, its checksum is wrong; choose another copy of it")
			}
			if _, err := br.ReadByte(); err != io.EOF {
				return nil, errors.New("store: the backup goes on after its checksum")
			}
			return b, nil
		}
		sum.Write(line)
		if l.Document != nil && slices.Contains(secrets, l.Document.Bucket) {
			return nil, fmt.Errorf("store: the backup's line %d holds a secret in the open; choose a file that yamori backup wrote", num)
		}
		if err := b.add(&l, pass); err != nil {
			return nil, fmt.Errorf("store: the backup's line %d: %w", num, err)
		}
	}
}

func (b *backup) add(l *backupLine, pass string) error {
	switch {
	case l.Document != nil:
		if l.Document.Bucket == HostBucket {
			return nil
		}
		b.documents = append(b.documents, *l.Document)
	case l.Device != nil:
		if d := l.Device; d.ID == "" || len(d.ID) > maxWord || len(d.Value) > MaxDevice {
			return errors.New("a device record that cannot be")
		}
		b.devices = append(b.devices, *l.Device)
	case l.Finding != nil:
		line, err := json.Marshal(l.Finding)
		if err != nil {
			return err
		}
		f, _, err := parseRecord(line, nil)
		if err != nil || f == nil {
			return fmt.Errorf("a finding that cannot be: %v", err)
		}
		b.findings = append(b.findings, *f)
	case l.Secret != nil:
		if pass == "" {
			b.SecretsLeft = true
			return nil
		}
		aead, err := passKey(pass, l.Secret)
		if err != nil {
			return err
		}
		if len(l.Secret.Nonce) != aead.NonceSize() {
			return ErrPassphrase
		}
		plain, err := aead.Open(nil, l.Secret.Nonce, l.Secret.Box, nil)
		if err != nil {
			return ErrPassphrase
		}
		var docs []Document
		if err := json.Unmarshal(plain, &docs); err != nil {
			return err
		}
		for _, d := range docs {
			if err := b.add(&backupLine{Document: &d}, ""); err != nil {
				return err
			}
		}
	default:
		return errors.New("nothing this program knows")
	}
	return nil
}

func readLine(br *bufio.Reader) ([]byte, error) {
	var out bytes.Buffer
	for {
		part, err := br.ReadSlice('\n')
		out.Write(part)
		switch {
		case err == nil:
			return out.Bytes(), nil
		case !errors.Is(err, bufio.ErrBufferFull):
			return nil, err
		case out.Len() > maxBackupLine:
			return nil, ErrTooBig
		}
	}
}
