// Command quicpair runs a QUIC server and a client of it over the loopback
// interface, for record.sh.
package main

import (
	"context"
	"crypto/tls"
	"flag"
	"fmt"
	"log"
	"time"

	"github.com/quic-go/quic-go"
)

func main() {
	v2 := flag.Bool("v2", false, "speak version 2")
	big := flag.Bool("big", false, "send a ClientHello too long for one datagram")
	flag.Parse()
	cert, err := tls.LoadX509KeyPair(flag.Arg(0), flag.Arg(1))
	if err != nil {
		log.Fatal(err)
	}
	conf := &quic.Config{}
	if *v2 {
		conf.Versions = []quic.Version{quic.Version2}
	}
	protos := []string{"hq-interop"}
	if *big {
		for i := range 60 {
			protos = append(protos, fmt.Sprintf("a-protocol-with-a-rather-long-name-%d", i))
		}
	}
	const addr = "127.0.0.1:7443"
	l, err := quic.ListenAddr(addr, &tls.Config{Certificates: []tls.Certificate{cert}, NextProtos: protos[:1]}, conf)
	if err != nil {
		log.Fatal(err)
	}
	go func() {
		for {
			if _, err := l.Accept(context.Background()); err != nil {
				return
			}
		}
	}()
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	c, err := quic.DialAddr(ctx, addr, &tls.Config{InsecureSkipVerify: true, ServerName: "cam.home.example", NextProtos: protos}, conf)
	if err != nil {
		log.Fatal(err)
	}
	time.Sleep(100 * time.Millisecond)
	c.CloseWithError(0, "")
	l.Close()
}
