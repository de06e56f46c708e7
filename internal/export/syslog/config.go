// Package syslog sends findings, and other events when asked, to a syslog
// server: RFC 5424 messages with structured data over UDP (RFC 5426), TCP
// (RFC 6587, octet counting) or TLS (RFC 5425). Behind a bounded queue: a
// server that is slow or away delays no packet.
package syslog

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"os"
	"slices"
	"strconv"
	"strings"

	"github.com/yamori-net/yamori/internal/event"
)

// Config says where to send what. Zero values mean the defaults.
type Config struct {
	Network  string   `yaml:"network"`  // udp, tcp, tls; udp
	Address  string   `yaml:"address"`  // host:port; the port may be left out: 514, with TLS 6514
	Facility string   `yaml:"facility"` // daemon, auth, local0 … local7; daemon
	Format   string   `yaml:"format"`   // text: a sentence and structured data; eve: the EVE line; text
	Types    []string `yaml:"types"`    // event types; alert
	Host     string   `yaml:"host"`     // HOSTNAME of messages; that of the machine
	CA       string   `yaml:"ca"`       // PEM file of the authority that signed the server's certificate; the system's
	Name     string   `yaml:"name"`     // the server's name in its certificate; that of Address
	Queue    int      `yaml:"queue"`    // messages that wait at most; 1,024
}

// Bounds and defaults.
const (
	defaultQueue = 1024
	maxQueue     = 65536
	// maxDatagram is what RFC 5426 section 3.2 says receivers should take.
	maxDatagram = 2048
	// maxMessage bounds a message over a stream; common servers take 8 KiB.
	maxMessage = 8192
)

var facilities = map[string]int{"kern": 0, "user": 1, "daemon": 3, "auth": 4, "syslog": 5, "authpriv": 10,
	"local0": 16, "local1": 17, "local2": 18, "local3": 19, "local4": 20, "local5": 21, "local6": 22, "local7": 23}

// Check validates c and fills in the defaults. The error names the field and
// the cure.
func (c *Config) Check() error {
	def := func(s *string, d string) {
		if *s == "" {
			*s = d
		}
	}
	def(&c.Network, "udp")
	def(&c.Facility, "daemon")
	def(&c.Format, "text")
	if !slices.Contains([]string{"udp", "tcp", "tls"}, c.Network) {
		return fmt.Errorf("syslog: network %q: use udp, tcp or tls", c.Network)
	}
	if c.Address == "" {
		return errors.New("syslog: address: empty; name the server, such as 192.168.1.5:514")
	}
	if _, _, err := net.SplitHostPort(c.Address); err != nil {
		port := "514"
		if c.Network == "tls" {
			port = "6514" // RFC 5425 section 4.1
		}
		c.Address = net.JoinHostPort(strings.Trim(c.Address, "[]"), port)
	}
	host, port, err := net.SplitHostPort(c.Address)
	if n, perr := strconv.ParseUint(port, 10, 16); err != nil || host == "" || strings.ContainsAny(host, " /") || perr != nil || n == 0 {
		return fmt.Errorf("syslog: address %q: write host:port, such as 192.168.1.5:514 or [2001:db8::5]:514", c.Address)
	}
	if _, ok := facilities[c.Facility]; !ok {
		return fmt.Errorf("syslog: facility %q: use daemon, auth, user or local0 to local7", c.Facility)
	}
	if c.Format != "text" && c.Format != "eve" {
		return fmt.Errorf("syslog: format %q: use text or eve", c.Format)
	}
	if len(c.Types) == 0 {
		c.Types = []string{string(event.Alert)}
	}
	for _, t := range c.Types {
		if t == "" || len(t) > 32 || strings.ContainsFunc(t, func(r rune) bool { return r <= ' ' || r > '~' }) {
			return fmt.Errorf("syslog: types: %q is no event type; use alert, dns, tls, http…", t)
		}
		if c.Format == "text" && t != string(event.Alert) {
			return fmt.Errorf("syslog: types: %q has no sentence; use format eve for events other than alert", t)
		}
	}
	if (c.CA != "" || c.Name != "") && c.Network != "tls" {
		return errors.New("syslog: ca and name are for network tls; set that, or leave them out")
	}
	if c.Queue == 0 {
		c.Queue = defaultQueue
	}
	if c.Queue < 1 || c.Queue > maxQueue {
		return fmt.Errorf("syslog: queue %d: use 1 to %d, or 0 for %d", c.Queue, maxQueue, defaultQueue)
	}
	if c.Host == "" {
		c.Host, _ = os.Hostname()
	}
	if c.Host == "" {
		c.Host = "-"
	}
	if len(c.Host) > 255 || strings.ContainsFunc(c.Host, func(r rune) bool { return r <= ' ' || r > '~' }) {
		return fmt.Errorf("syslog: host %q: use a plain host name", c.Host)
	}
	return nil
}

// CheckCA reads the authority's file, where there is one, and says what is wrong
// with it.
func (c *Config) CheckCA() error {
	_, err := c.tlsConfig()
	return err
}

// tlsConfig reads the authority's file.
func (c *Config) tlsConfig() (*tls.Config, error) {
	if c.Network != "tls" {
		return nil, nil
	}
	t := &tls.Config{MinVersion: tls.VersionTLS12, ServerName: c.Name}
	if t.ServerName == "" {
		t.ServerName, _, _ = net.SplitHostPort(c.Address)
	}
	if c.CA != "" {
		b, err := os.ReadFile(c.CA)
		if err != nil {
			return nil, fmt.Errorf("syslog: ca: %w; name a PEM file that this user can read", err)
		}
		t.RootCAs = x509.NewCertPool()
		if !t.RootCAs.AppendCertsFromPEM(b) {
			return nil, fmt.Errorf("syslog: ca: %s holds no certificate in PEM form", c.CA)
		}
	}
	return t, nil
}
