package upstream

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/binary"
	"io"
	"math/big"
	"net"
	"net/netip"
	"sync/atomic"
	"testing"
	"time"

	"github.com/miekg/dns"
)

// fake is a server on loopback, on one port over UDP and TCP. It answers with
// what reply gives: any number of messages, byte for byte.
type fake struct {
	at    netip.AddrPort
	udp   atomic.Int64 // questions
	tcp   atomic.Int64
	conns atomic.Int64
}

type reply func(network string, q *dns.Msg) [][]byte

func serve(t testing.TB, conf *tls.Config, r reply) *fake {
	t.Helper()
	var ln net.Listener
	var pc net.PacketConn
	for i := 0; ; i++ {
		var err error
		if ln, err = net.Listen("tcp", "127.0.0.1:0"); err != nil {
			t.Fatal(err)
		}
		if pc, err = net.ListenPacket("udp", ln.Addr().String()); err == nil {
			break
		}
		ln.Close()
		if i == 20 {
			t.Fatal(err)
		}
	}
	f := &fake{at: ln.Addr().(*net.TCPAddr).AddrPort()}
	t.Cleanup(func() { ln.Close(); pc.Close() })
	go func() {
		buf := make([]byte, 65536)
		for {
			n, from, err := pc.ReadFrom(buf)
			if err != nil {
				return
			}
			f.udp.Add(1)
			q := new(dns.Msg)
			if q.Unpack(buf[:n]) != nil {
				continue
			}
			go func() {
				for _, b := range r("udp", q) {
					_, _ = pc.WriteTo(b, from)
				}
			}()
		}
	}()
	go func() {
		for {
			c, err := ln.Accept()
			if err != nil {
				return
			}
			f.conns.Add(1)
			if conf != nil {
				c = tls.Server(c, conf)
			}
			go func() {
				defer c.Close()
				for {
					var h [2]byte
					if _, err := io.ReadFull(c, h[:]); err != nil {
						return
					}
					b := make([]byte, binary.BigEndian.Uint16(h[:]))
					if _, err := io.ReadFull(c, b); err != nil {
						return
					}
					f.tcp.Add(1)
					q := new(dns.Msg)
					if q.Unpack(b) != nil {
						return
					}
					out := r("tcp", q)
					if out == nil {
						return
					}
					for _, b := range out {
						_, _ = c.Write(append(binary.BigEndian.AppendUint16(nil, uint16(len(b))), b...))
					}
				}
			}()
		}
	}()
	return f
}

// a is the usual answer.
func a(q *dns.Msg, addr string) *dns.Msg {
	m := new(dns.Msg)
	m.SetReply(q)
	m.Answer = []dns.RR{&dns.A{Hdr: dns.RR_Header{Name: q.Question[0].Name, Rrtype: dns.TypeA, Class: dns.ClassINET, Ttl: 300}, A: net.ParseIP(addr)}}
	return m
}

func pack(m *dns.Msg) []byte {
	b, err := m.Pack()
	if err != nil {
		panic(err)
	}
	return b
}

func good(_ string, q *dns.Msg) [][]byte { return [][]byte{pack(a(q, "192.0.2.1"))} }

func rcode(code int) reply {
	return func(_ string, q *dns.Msg) [][]byte { return [][]byte{pack(new(dns.Msg).SetRcode(q, code))} }
}

func silent(string, *dns.Msg) [][]byte { return nil }

func slow(d time.Duration, r reply) reply {
	return func(n string, q *dns.Msg) [][]byte { time.Sleep(d); return r(n, q) }
}

func question() *dns.Msg {
	q := new(dns.Msg)
	q.SetQuestion("www.example.", dns.TypeA)
	q.SetEdns0(UDPSize, false)
	return q
}

func soon(t testing.TB, d time.Duration) context.Context {
	ctx, cancel := context.WithTimeout(context.Background(), d)
	t.Cleanup(cancel)
	return ctx
}

// authority makes an own authority and a server certificate for a name.
func authority(t testing.TB, name string) (*tls.Config, *x509.CertPool) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	ca := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "test authority"}, NotBefore: time.Now().Add(-time.Hour),
		NotAfter: time.Now().Add(time.Hour), IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign}
	caDER, err := x509.CreateCertificate(rand.Reader, ca, ca, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	leaf := &x509.Certificate{SerialNumber: big.NewInt(2), Subject: pkix.Name{CommonName: name}, NotBefore: ca.NotBefore, NotAfter: ca.NotAfter,
		DNSNames: []string{name}, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth}}
	leafDER, err := x509.CreateCertificate(rand.Reader, leaf, ca, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	pool := x509.NewCertPool()
	parsed, err := x509.ParseCertificate(caDER)
	if err != nil {
		t.Fatal(err)
	}
	pool.AddCert(parsed)
	return &tls.Config{Certificates: []tls.Certificate{{Certificate: [][]byte{leafDER}, PrivateKey: key}}, NextProtos: []string{"dot"}}, pool
}
