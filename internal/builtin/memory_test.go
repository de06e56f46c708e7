package builtin_test

import (
	"bytes"
	"compress/gzip"
	"crypto/aes"
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"math/rand/v2"
	"runtime"
	"strings"
	"testing"
)

// attack is a flow that makes its parser hold as much as it can.
type attack struct {
	name  string
	app   string // that it is recognised as
	port  uint16
	flows int
	says  []say
}

func attacks() []attack {
	long := strings.Repeat("x", 70000)
	lines := func(format string, n int) string {
		var b strings.Builder
		for i := range n {
			fmt.Fprintf(&b, format, i)
		}
		return b.String()
	}
	upgrade := []say{
		c("GET / HTTP/1.1\r\nHost: h\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"),
		s("HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n"),
	}
	wsFrame := "\x82\xff\x00\x00\x00\x00\x00\x01\x00\x00\x00\x00\x00\x00"
	// 40,000 bytes of noise do not compress: the window of the message is full.
	noise := make([]byte, 40000)
	for i, r := 0, rand.NewChaCha8([32]byte{}); i < len(noise); i += 8 {
		binary.LittleEndian.PutUint64(noise[i:], r.Uint64())
	}
	stored := "\x00\x00\x80\xff\x7f" + string(noise[:32768])
	return []attack{
		{"tls hello", "tls", 443, 2000, []say{c(tlsRecords(1, "\x03\x03"+long[:60000]))}},
		{"tls certificates", "tls", 443, 1200, []say{
			c("\x16\x03\x01\x00\x2d\x01\x00\x00\x29\x03\x03" + long[:32] + "\x00\x00\x02\x00\x2f\x01\x00"),
			s(tlsRecords(11, long[:65000])[:60000])}},
		{"http head", "http", 80, 2000, []say{c("POST / HTTP/1.1\r\nHost: h\r\n" + lines("X-%05d: "+long[:200]+"\r\n", 200))}},
		{"http pipeline", "http", 80, 600, []say{c(strings.Repeat("GET / HTTP/1.1\r\nHost: h\r\n"+lines("X-%05d: "+long[:200]+"\r\n", 40)+"\r\n", 30))}},
		{"http layers", "http", 80, 1000, []say{c("POST / HTTP/1.1\r\nHost: h\r\nContent-Encoding: gzip, gzip, gzip\r\nContent-Length: 999999\r\n\r\n" +
			zip(zip(zip(string(noise[:15000])))))}},
		{"http2 streams", "http2", 80, 400, []say{c(http2Streams(long[:3500]))}},
		{"http2 empty entries", "http2", 80, 1200, []say{c(http2Empty)}},
		{"websocket", "websocket", 80, 1500, append(upgrade[:2:2], c(wsFrame+long[:60000]))},
		{"websocket window", "websocket", 80, 1000, append(upgrade[:2:2], s("\xc1\x7f\x00\x00\x00\x00\x00\x01\x00\x00"+stored+stored[:30000]))},
		{"smb pipeline", "smb", 445, 1000, []say{c(smbTrees(70))}},
		{"ssh lists", "ssh", 22, 1200, []say{c("SSH-2.0-x\r\n" + sshKex(32000)), s("SSH-2.0-y\r\n")}},
		{"ftp pipeline", "ftp", 21, 1500, []say{s("220 FTP server ready\r\n"), c("USER anonymous\r\n"), s("331 ok\r\n"), c(lines("RETR %d"+long[:900]+"\r\n", 16))}},
		{"smtp recipients", "smtp", 25, 1500, []say{s("220 h ESMTP\r\n"), c("EHLO x\r\nMAIL FROM:<a@b>\r\n" + lines("RCPT TO:<%d"+long[:300]+"@x>\r\n", 99))}},
		{"imap pipeline", "imap", 143, 4000, []say{s("* OK IMAP4rev1 ready\r\n"), c(lines("a%d SELECT "+long[:250]+"\r\n", 16))}},
		{"pop3 pipeline", "pop3", 110, 4000, []say{s("+OK POP3 ready\r\n"), c("USER u\r\n" + lines("RETR %d"+long[:250]+"\r\n", 16))}},
		{"rtsp head", "rtsp", 554, 2500, []say{c("DESCRIBE rtsp://h/ RTSP/1.0\r\n" + lines("X-%d: "+long[:100]+"\r\n", 100))}},
		{"sip head", "sip", 5060, 2500, []say{c("INVITE sip:a@b SIP/2.0\r\n" + lines("X-%d: "+long[:100]+"\r\n", 100))}},
		{"mqtt connect", "mqtt", 1883, 3000, []say{c(mqttConnect(12000)), c("\x30\xff\xff\x03\x00\x01t" + long[:8000])}},
		{"stratum", "", 3333, 3000, []say{c(`{"id":1,"method":"mining.subscribe","params":["a","b"]}` + "\n" + `{"id":2,"method":"mining.authorize","params":["` + long[:8000])}},
		{"dns", "dns", 53, 1500, []say{c("\x00\x1d\x12\x34\x01\x00\x00\x01\x00\x00\x00\x00\x00\x00\x07example\x03com\x00\x00\x01\x00\x01\xff\xff\x12\x35\x01\x00\x00\x01\x00\x00\x00\x00\x00\x00" + long[:40000])}},
		{"unknown", "failed", 9999, 20000, []say{c("\x00\x01\x02\x03" + long[:1000])}},
	}
}

// tlsRecords puts the beginning of a handshake message of 65,530 bytes into
// records.
func tlsRecords(typ byte, body string) string {
	b := string([]byte{typ, 0, 0xff, 0xfa}) + body
	if typ == 11 {
		b = b[:4] + "\x00\xff\xf7\x00\xff\xf4" + b[10:]
	}
	var out strings.Builder
	for len(b) > 0 {
		n := min(len(b), 16000)
		out.Write([]byte{0x16, 3, 1, byte(n >> 8), byte(n)})
		out.WriteString(b[:n])
		b = b[n:]
	}
	return out.String()
}

func zip(s string) string {
	var b bytes.Buffer
	w, _ := gzip.NewWriterLevel(&b, gzip.NoCompression)
	_, _ = w.Write([]byte(s))
	_ = w.Flush()
	return b.String()
}

const http2Start = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\x00\x00\x00\x04\x00\x00\x00\x00\x00"

func http2Frame(typ, flags byte, stream int, payload string) string {
	b := []byte{byte(len(payload) >> 16), byte(len(payload) >> 8), byte(len(payload)), typ, flags}
	return string(binary.BigEndian.AppendUint32(b, uint32(stream))) + payload
}

// http2Streams enters one long field into the table; then each stream has it
// twice for two bytes.
func http2Streams(value string) string {
	var b strings.Builder
	b.WriteString(http2Start)
	b.WriteString(http2Frame(1, 4, 1, "\x40\x01x\x7f"+string([]byte{byte((len(value)-127)&0x7f | 0x80), byte((len(value) - 127) >> 7)})+value))
	for i := range 127 {
		b.WriteString(http2Frame(1, 4, 3+2*i, "\xbe\xbe"))
	}
	return b.String()
}

// http2Empty enters 10,000 fields without name and value.
var http2Empty = http2Start + strings.Repeat(http2Frame(1, 4, 1, strings.Repeat("\x40\x00\x00", 5000)), 2)

// smbTrees asks for n shares with long names.
func smbTrees(n int) string {
	name := strings.Repeat("s\x00", 400)
	var b strings.Builder
	for i := range n {
		m := make([]byte, 72)
		copy(m, "\xfeSMB\x40\x00")
		m[12] = 3 // tree connect
		binary.LittleEndian.PutUint64(m[24:], uint64(i))
		m[64], m[68] = 9, 72
		binary.LittleEndian.PutUint16(m[70:], uint16(len(name)))
		b.Write(binary.BigEndian.AppendUint32(nil, uint32(len(m)+len(name))))
		b.Write(m)
		b.WriteString(name)
	}
	return b.String()
}

// sshKex is a KEXINIT with a first list of n bytes.
func sshKex(n int) string {
	p := "\x14" + strings.Repeat("c", 16) + string(binary.BigEndian.AppendUint32(nil, uint32(n))) + strings.Repeat("a", n) + strings.Repeat("\x00\x00\x00\x00", 9) + "\x00\x00\x00\x00\x00"
	return string(binary.BigEndian.AppendUint32(nil, uint32(1+len(p)+4))) + "\x04" + p + "pppp"
}

// mqttConnect names a will of n bytes.
func mqttConnect(n int) string {
	body := "\x00\x04MQTT\x04\x06\x00\x3c\x00\x01c\x00\x01t" + string([]byte{byte(n >> 8), byte(n)}) + strings.Repeat("w", n)
	return "\x10" + string([]byte{byte(len(body)&0x7f | 0x80), byte(len(body) >> 7)}) + body
}

// Bounds of the heap that one worker uses with the limits that ship: for what
// parsers and streams hold (see engine.Config), the flows themselves, and what
// the heap's own division into sizes costs.
const (
	oneHeap = 80 << 20  // one kind of flow
	allHeap = 150 << 20 // all kinds, one after the other
	// idleHeap is for what waits for the next flows.
	idleHeap = 60 << 20
)

// A flood of connections that each make their parser hold what it can: the
// heap stays bounded, and every flow given up is counted.
func TestMemoryTCP(t *testing.T) {
	if raceEnabled {
		t.Skip("21 cases: the race detector changes the heap")
	}
	for _, a := range attacks() {
		t.Run(a.name, func(t *testing.T) {
			before := heap()
			f := newFlood(t)
			for range a.flows {
				f.tcp(a.port, a.says)
			}
			f.check(t, a, before, oneHeap)
		})
	}
}

func (f *flood) check(t *testing.T, a attack, before, most int) {
	t.Helper()
	used := heap() - before
	f.e.Workers[0].Tick(f.now)
	f.e.Close()
	after := f.e.Stats()
	left := heap() - before // free lists, tables
	runtime.KeepAlive(f)
	given := after.ParserLimit + after.HeldLimit + after.Shed
	t.Logf("%d flows: %d MB, after their end %d MB; given up: %d for parsers, %d for held bytes, %d shed", a.flows, used>>20, left>>20, after.ParserLimit, after.HeldLimit, after.Shed)
	if left > idleHeap {
		t.Errorf("%d MB of heap in use after the flows ended", left>>20)
	}
	if used > most {
		t.Errorf("%d MB of heap in use", used>>20)
	}
	if a.app != "" && after.Apps[a.app].Flows < uint64(a.flows)/2 {
		t.Errorf("recognised as %v", after.Apps)
	}
	if given == 0 {
		t.Error("no flow was given up")
	}
	if after.Panics != 0 {
		t.Errorf("%d panics", after.Panics)
	}
}

// quicInitial is a client's Initial, protected as RFC 9001 section 5 says,
// with a CRYPTO frame of the handshake's bytes from off on.
func quicInitial(off int, data string) string {
	dcid := "\x83\x94\xc8\xf0\x3e\x51\x57\x08"
	salt, _ := hex.DecodeString("38762cf7f55934b34d179ae6a4c80cadccbb7f0a")
	initial, _ := hkdf.Extract(sha256.New, []byte(dcid), salt)
	expand := func(secret []byte, label string, n int) []byte {
		label = "tls13 " + label
		out, _ := hkdf.Expand(sha256.New, secret, string([]byte{0, byte(n), byte(len(label))})+label+"\x00", n)
		return out
	}
	client := expand(initial, "client in", 32)
	key, iv, hp := expand(client, "quic key", 16), expand(client, "quic iv", 12), expand(client, "quic hp", 16)

	frames := []byte{6}
	frames = binary.BigEndian.AppendUint32(frames, uint32(off)|0x80000000)
	frames = binary.BigEndian.AppendUint16(frames, uint16(len(data))|0x4000)
	frames = append(frames, data...)
	frames = append(frames, make([]byte, max(0, 1160-len(frames)))...)
	head := []byte("\xc3\x00\x00\x00\x01\x08" + dcid + "\x00\x00")
	head = binary.BigEndian.AppendUint16(head, uint16(4+len(frames)+16)|0x4000)
	pn := len(head)
	head = append(head, 0, 0, 0, 0)
	block, _ := aes.NewCipher(key)
	aead, _ := cipher.NewGCM(block)
	b := aead.Seal(head, iv, frames, head)
	mask := make([]byte, 16)
	h, _ := aes.NewCipher(hp)
	h.Encrypt(mask, b[pn+4:pn+20])
	b[0] ^= mask[0] & 0x0f
	for i := range 4 {
		b[pn+i] ^= mask[1+i]
	}
	return string(b)
}

// dtlsFragment is the beginning of a handshake message of 60,000 bytes.
func dtlsFragment(seq byte, off int) string {
	m := []byte{1, 0, 0xea, 0x60, 0, seq, 0, byte(off >> 8), byte(off), 0, 0, 100}
	m = append(m, make([]byte, 100)...)
	return "\x16\xfe\xfd\x00\x00\x00\x00\x00\x00\x00" + string([]byte{seq, 0, byte(len(m))}) + string(m)
}

func datagrams() []attack {
	return []attack{
		{"quic crypto", "quic", 443, 3000, []say{c(quicInitial(60000, strings.Repeat("x", 1000)))}},
		{"quic hello begun", "quic", 443, 18000, []say{c(quicInitial(0, "\x01\x00\x40\x00"+strings.Repeat("x", 1000)))}},
		{"dtls fragments", "dtls", 4433, 3000, []say{c(dtlsFragment(0, 50000)), c(dtlsFragment(1, 50000)), c(dtlsFragment(2, 50000)), c(dtlsFragment(3, 50000))}},
		{"dns datagrams", "dns", 53, 40000, []say{c("\x12\x34\x01\x00\x00\x01\x00\x00\x00\x00\x00\x00\x07example\x03com\x00\x00\x01\x00\x01")}},
	}
}

func TestMemoryUDP(t *testing.T) {
	if raceEnabled {
		t.Skip("4 cases: the race detector changes the heap")
	}
	for _, a := range datagrams() {
		t.Run(a.name, func(t *testing.T) {
			before := heap()
			f := newFlood(t)
			for range a.flows {
				f.udp(a.port, a.says)
			}
			f.check(t, a, before, oneHeap)
		})
	}
}

// A flood of flows of one datagram each, whose content is noise.
func TestMemoryNoise(t *testing.T) {
	if raceEnabled {
		t.Skip("1 case: the race detector changes the heap")
	}
	before := heap()
	f := newFlood(t)
	r := rand.NewChaCha8([32]byte{1})
	b := make([]byte, 400)
	const flows = 100000
	for range flows {
		_, _ = r.Read(b)
		f.udp(uint16(b[0])<<8|uint16(b[1]), []say{c(string(b[2 : 10+int(b[2])]))})
	}
	f.check(t, attack{name: "noise", app: "failed", flows: flows}, before, oneHeap)
}

// All of it at once: nothing of it ends before the measurement.
func TestMemoryAll(t *testing.T) {
	if raceEnabled {
		t.Skip("1 case: the race detector changes the heap")
	}
	before := heap()
	f := newFlood(t)
	all := attack{name: "all"}
	for range 40 {
		for _, a := range attacks() {
			for range max(1, a.flows/400) {
				f.tcp(a.port, a.says)
				all.flows++
			}
		}
		for _, a := range datagrams() {
			for range a.flows / 100 {
				f.udp(a.port, a.says)
				all.flows++
			}
		}
	}
	f.check(t, all, before, allHeap)
}
