// Command quicpipe carries connections of TCP inside QUIC, as stunnel does in
// TLS: a stream for each, with the library that most programs in Go have QUIC
// from. It is a module of its own, so that nothing of it becomes part of
// Yamori; record.sh builds it when a plan has rows of QUIC.
//
//	quicpipe client < lines     local address, own address, server, …
//	quicpipe server < lines     …, …, server, target
//
// A line is one of minelab tunnels -stack quic.
package main

import (
	"bufio"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"io"
	"math/big"
	"net"
	"os"
	"strings"
	"time"

	"github.com/quic-go/quic-go"
)

func main() {
	if len(os.Args) != 2 {
		fmt.Fprintln(os.Stderr, "usage: quicpipe client|server")
		os.Exit(2)
	}
	cert, err := certificate()
	if err != nil {
		fmt.Fprintln(os.Stderr, "quicpipe:", err)
		os.Exit(1)
	}
	for sc := bufio.NewScanner(os.Stdin); sc.Scan(); {
		w := strings.Fields(sc.Text())
		if len(w) < 5 {
			continue
		}
		p := pipe{local: w[0], own: w[1], server: w[2], target: w[3]}
		if w[4] != "0" {
			p.alive, _ = time.ParseDuration(w[4] + "s") // 0: never
		}
		go func() {
			var err error
			if os.Args[1] == "client" {
				err = p.client()
			} else {
				err = p.serve(cert)
			}
			fmt.Fprintln(os.Stderr, "quicpipe:", p.server, err)
		}()
	}
	select {}
}

type pipe struct {
	local, own, server, target string
	alive                      time.Duration
}

const proto = "pipe"

func (p *pipe) config() *quic.Config {
	return &quic.Config{MaxIdleTimeout: time.Hour, KeepAlivePeriod: p.alive}
}

func (p *pipe) serve(cert tls.Certificate) error {
	l, err := quic.ListenAddr(p.server, &tls.Config{Certificates: []tls.Certificate{cert}, NextProtos: []string{proto}, MinVersion: tls.VersionTLS13}, p.config())
	if err != nil {
		return err
	}
	for {
		c, err := l.Accept(context.Background())
		if err != nil {
			return err
		}
		go func() {
			for {
				s, err := c.AcceptStream(context.Background())
				if err != nil {
					return
				}
				go func() {
					t, err := net.Dial("tcp", p.target)
					if err != nil {
						s.CancelRead(1)
						s.Close()
						return
					}
					join(s, t)
				}()
			}
		}()
	}
}

func (p *pipe) client() error {
	l, err := net.Listen("tcp", p.local)
	if err != nil {
		return err
	}
	u, err := net.ListenUDP("udp", &net.UDPAddr{IP: net.ParseIP(p.own)})
	if err != nil {
		return err
	}
	to, err := net.ResolveUDPAddr("udp", p.server)
	if err != nil {
		return err
	}
	var c *quic.Conn
	for {
		t, err := l.Accept()
		if err != nil {
			return err
		}
		if c == nil || c.Context().Err() != nil {
			ctx, stop := context.WithTimeout(context.Background(), 10*time.Second)
			c, err = quic.Dial(ctx, u, to, &tls.Config{InsecureSkipVerify: true, NextProtos: []string{proto}, MinVersion: tls.VersionTLS13}, p.config()) // a lab's own certificates
			stop()
			if err != nil {
				c = nil
				t.Close()
				continue
			}
		}
		s, err := c.OpenStreamSync(context.Background())
		if err != nil {
			t.Close()
			continue
		}
		go join(s, t)
	}
}

func join(s *quic.Stream, t net.Conn) {
	go func() {
		_, _ = io.Copy(t, s)
		t.Close()
	}()
	_, _ = io.Copy(s, t)
	s.Close()
	s.CancelRead(0)
	t.Close()
}

func certificate() (tls.Certificate, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return tls.Certificate{}, err
	}
	tmpl := &x509.Certificate{SerialNumber: big.NewInt(1), NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(9000 * time.Hour), DNSNames: []string{"lab.example"}}
	der, err := x509.CreateCertificate(rand.Reader, tmpl, tmpl, &key.PublicKey, key)
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}, err
}
