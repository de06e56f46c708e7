package main

import (
	"bufio"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	crand "crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"math/big"
	"math/rand/v2"
	"net"
	"sync"
	"time"
)

// message is what a talk is made of: a line that begins with a tag.
type message struct {
	tag byte
	at  time.Time // when it may be looked at
}

// Tags: '0'… hello, 'A'… calls, 'a'… pushes; a reply has the tag of its call.
const filler = "0123456789abcdef"

type peer struct {
	conn net.Conn
	mu   sync.Mutex
	r    *rand.Rand
	n    [128]int
	sent [8]time.Time // each push, the latest
	last time.Time    // something was received
	in   chan message
	done chan struct{}
	once sync.Once
}

func newPeer(c net.Conn, seed uint64, late time.Duration) *peer {
	p := &peer{conn: c, r: rand.New(rand.NewPCG(seed, 77)), in: make(chan message, 4096), done: make(chan struct{}), last: time.Now()}
	go func() {
		defer p.close()
		br := bufio.NewReaderSize(c, 1<<16)
		start := true
		var tag byte
		for {
			line, err := br.ReadSlice('\n')
			if start && len(line) > 0 {
				tag = line[0]
			}
			if err == bufio.ErrBufferFull {
				start = false
				continue
			}
			if err != nil {
				return
			}
			start = true
			select {
			case p.in <- message{tag, time.Now().Add(late)}:
			case <-p.done:
				return
			}
		}
	}()
	return p
}

func (p *peer) close() { p.once.Do(func() { close(p.done); p.conn.Close() }) }

// next waits for a message; false at the end.
func (p *peer) next() (byte, bool) {
	select {
	case m := <-p.in:
		if !p.sleep(time.Until(m.at)) {
			return 0, false
		}
		p.mu.Lock()
		p.last = time.Now()
		p.mu.Unlock()
		return m.tag, true
	case <-p.done:
		return 0, false
	}
}

func (p *peer) sleep(d time.Duration) bool {
	if d <= 0 {
		return true
	}
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return true
	case <-p.done:
		return false
	}
}

func (p *peer) draw(d dist) time.Duration {
	if d == nil {
		return 0
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	return d(p.r)
}

func (p *peer) say(tag byte, s sizer) {
	p.mu.Lock()
	n := s(p.r, p.n[tag])
	p.n[tag]++
	p.mu.Unlock()
	p.write(tag, n)
}

func (p *peer) write(tag byte, n int) {
	b := make([]byte, max(2, n))
	for i := range b {
		b[i] = filler[i&15]
	}
	b[0], b[len(b)-1] = tag, '\n'
	if _, err := p.conn.Write(b); err != nil {
		p.close()
	}
}

// serveTalk plays the server.
func (p *peer) serveTalk(t *talk) {
	defer p.close()
	started := false
	start := func() {
		if started || t.short {
			return
		}
		started = true
		for i := range t.pushes {
			go p.pushing(t, i)
		}
	}
	if len(t.hello) == 0 {
		start()
	}
	for {
		tag, ok := p.next()
		if !ok {
			return
		}
		switch {
		case tag >= '0' && tag <= '9':
			h := t.hello[tag-'0']
			if !p.sleep(p.draw(h.think)) {
				return
			}
			if h.s > 0 {
				p.write(tag, h.s)
			}
			if b := &t.behind; int(tag-'0') == b.hello && len(b.lines) > 0 {
				if !p.sleep(p.draw(b.late)) {
					return
				}
				for _, n := range b.lines {
					p.write('!', n)
				}
			}
			if int(tag-'0') == len(t.hello)-1 {
				start()
			}
		case tag >= 'A' && tag <= 'Z':
			c := &t.calls[tag-'A']
			if c.again > 0 {
				go func() {
					if p.sleep(p.draw(c.think)) {
						p.push(t, c.again-1)
					}
				}()
			}
			if c.reply == nil {
				continue
			}
			go func() {
				if !p.sleep(p.draw(c.think)) {
					return
				}
				if c.head > 0 {
					p.write('!', c.head)
				}
				p.say(tag, c.reply)
				if c.after > 0 && p.chance(c.then) {
					p.push(t, c.after-1)
				}
			}()
		}
	}
}

func (p *peer) chance(x float64) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.r.Float64() < x
}

func (p *peer) push(t *talk, i int) {
	if pre := t.pushes[i].pre; pre > 0 {
		p.write('!', pre)
	}
	p.mu.Lock()
	p.sent[i] = time.Now()
	p.mu.Unlock()
	p.say('a'+byte(i), t.pushes[i].size)
}

func (p *peer) pushing(t *talk, i int) {
	if t.pushes[i].gap == nil {
		return
	}
	for {
		d := p.draw(t.pushes[i].gap)
		if !p.sleep(d) {
			return
		}
		for { // as long again as another push of this number came since
			p.mu.Lock()
			left := d - time.Since(p.sent[i])
			p.mu.Unlock()
			if left <= 0 || !t.restarts(i) {
				break
			}
			if !p.sleep(left) {
				return
			}
		}
		p.push(t, i)
	}
}

// restarts reports whether a call is answered by push i.
func (t *talk) restarts(i int) bool {
	for k := range t.calls {
		if t.calls[k].again == i+1 {
			return true
		}
	}
	return false
}

// dialTalk plays the client.
func (p *peer) dialTalk(t *talk) {
	defer p.close()
	for i, h := range t.hello {
		p.write('0'+byte(i), h.c)
		for h.s > 0 {
			tag, ok := p.next()
			if !ok {
				return
			}
			if tag == '0'+byte(i) {
				break
			}
		}
	}
	replies := make([]chan struct{}, len(t.calls))
	for i := range t.calls {
		replies[i] = make(chan struct{}, 1)
		if t.calls[i].react == 0 {
			go p.calling(t, i, replies[i])
		}
	}
	for {
		tag, ok := p.next()
		if !ok {
			return
		}
		switch {
		case tag >= 'A' && tag <= 'Z':
			select {
			case replies[tag-'A'] <- struct{}{}:
			default:
			}
		case tag >= 'a' && tag <= 'z':
			for i := range t.calls {
				if t.calls[i].react == int(tag-'a')+1 {
					go func() {
						if p.sleep(p.draw(t.calls[i].gap)) {
							p.say('A'+byte(i), t.calls[i].size)
						}
					}()
				}
			}
		}
	}
}

func (p *peer) calling(t *talk, i int, reply chan struct{}) {
	c := &t.calls[i]
	for {
		d := p.draw(c.gap)
		if !p.sleep(d) {
			return
		}
		for c.idle {
			p.mu.Lock()
			left := d - time.Since(p.last)
			p.mu.Unlock()
			if left <= 0 {
				break
			}
			if !p.sleep(left) {
				return
			}
		}
		p.say('A'+byte(i), c.size)
		if c.wait {
			select {
			case <-reply:
			case <-p.done:
				return
			}
		}
	}
}

func certificate() tls.Certificate {
	key, err := ecdsa.GenerateKey(elliptic.P256(), crand.Reader)
	if err != nil {
		panic(err)
	}
	tmpl := &x509.Certificate{SerialNumber: big.NewInt(time.Now().UnixNano()), Subject: pkix.Name{CommonName: "lab.example"},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(9000 * time.Hour), DNSNames: []string{"lab.example"}}
	der, err := x509.CreateCertificate(crand.Reader, tmpl, tmpl, &key.PublicKey, key)
	if err != nil {
		panic(err)
	}
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}
}

// serve listens on every row's address until the time is over.
func serve(rows []row, d time.Duration) error {
	cert := certificate()
	ctx, stop := context.WithTimeout(context.Background(), d)
	defer stop()
	for _, rw := range rows {
		cfg := &tls.Config{Certificates: []tls.Certificate{cert}, MinVersion: tls.VersionTLS12}
		if rw.tls12 {
			cfg.MaxVersion = tls.VersionTLS12
		}
		l, err := rw.listen(cfg)
		if err != nil {
			return err
		}
		t := rw.talk()
		go func() {
			for n := uint64(0); ; n++ {
				c, err := l.Accept()
				if err != nil {
					return
				}
				go newPeer(c, rw.seed+2+n<<20, rw.rtt).serveTalk(t)
			}
		}()
	}
	<-ctx.Done()
	return nil
}

// dial runs every row's client until the time is over; one whose connection
// breaks dials again.
func dial(rows []row, d time.Duration) error {
	end := time.Now().Add(d)
	var wg sync.WaitGroup
	for _, rw := range rows {
		wg.Add(1)
		go func() {
			defer wg.Done()
			t := rw.talk()
			r := rand.New(rand.NewPCG(rw.seed, 5))
			time.Sleep(sec(uni(r, 0, 20))) // not all at once
			for n := uint64(0); time.Now().Before(end); n++ {
				c, err := rw.connect()
				if err != nil {
					time.Sleep(2 * time.Second)
					continue
				}
				p := newPeer(c, rw.seed+1+n<<20, 0)
				timer := time.AfterFunc(time.Until(end), p.close)
				if t.short {
					p.oneCall(t, r, n)
				} else {
					p.dialTalk(t)
				}
				timer.Stop()
				if t.short {
					time.Sleep(min(t.calls[0].gap(r), time.Until(end)))
				} else {
					time.Sleep(time.Second)
				}
			}
		}()
	}
	wg.Wait()
	return nil
}

// oneCall is a connection for one call: the first of the talk or, by its
// chance or its count, another.
func (p *peer) oneCall(t *talk, r *rand.Rand, n uint64) {
	defer p.close()
	i := 0
	for k := 1; k < len(t.calls); k++ {
		if e := uint64(t.calls[k].every); r.Float64() < t.calls[k].then || e > 0 && n%e == 0 {
			i = k
		}
	}
	p.say('A'+byte(i), t.calls[i].size)
	for {
		tag, ok := p.next()
		if !ok || tag == 'A'+byte(i) {
			return
		}
	}
}

// listen takes the row's clients: where the plan says, or behind the carrier.
func (rw *row) listen(cfg *tls.Config) (net.Listener, error) {
	if rw.carried() {
		return net.Listen("tcp", rw.behind())
	}
	return tls.Listen("tcp", rw.server, cfg)
}

func (rw *row) connect() (net.Conn, error) {
	d := net.Dialer{Timeout: 10 * time.Second}
	if rw.stack == "openssl" || rw.carried() {
		return d.Dial("tcp", rw.local())
	}
	d.LocalAddr = &net.TCPAddr{IP: net.ParseIP(rw.client)}
	cfg := &tls.Config{InsecureSkipVerify: true, ServerName: rw.sni} // a lab's own certificates, judged by nobody
	return tls.DialWithDialer(&d, "tcp", rw.server, cfg)
}
