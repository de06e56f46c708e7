package api

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"fmt"
	"io/fs"
	"math/big"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"
)

// Life of the local certificate. Browsers refuse more than 398 days of public
// ones and 825 days of all (Apple, HT210176).
const (
	certLife  = 397 * 24 * time.Hour
	certRenew = 30 * 24 * time.Hour // before its end
	certSlack = 24 * time.Hour      // of clocks in the home that are behind
)

// Certificate is a certificate made here, for the addresses and names of this
// host, kept in a folder and renewed by itself. Its key stays.
type Certificate struct {
	Dir   string // of yamori.crt and yamori.key
	Names []string
	Addrs func() []netip.Addr // nil: those of the interfaces

	mu      sync.Mutex
	cert    *tls.Certificate
	checked time.Time
}

// certEvery is how often the certificate is compared with the addresses.
const certEvery = time.Minute

// Get returns the certificate, making or renewing it when it is missing, near
// its end, not yet valid (the clock was set back), or lacks an address.
func (c *Certificate) Get() (*tls.Certificate, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	now := time.Now()
	if c.cert != nil && now.Sub(c.checked) < certEvery && now.After(c.checked) {
		return c.cert, nil
	}
	if c.cert == nil {
		cert, err := c.load()
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return nil, err
		}
		c.cert = cert
	}
	c.checked = now
	if c.cert != nil && c.good(c.cert.Leaf, now) {
		return c.cert, nil
	}
	cert, err := c.renew(now)
	if err != nil {
		if c.cert != nil {
			return c.cert, nil // an old one lets people in, with a warning
		}
		return nil, err
	}
	c.cert = cert
	return cert, nil
}

// Fingerprint is the SHA-256 of the certificate, as browsers show it.
func (c *Certificate) Fingerprint() (string, error) {
	cert, err := c.Get()
	if err != nil {
		return "", err
	}
	sum := sha256.Sum256(cert.Certificate[0])
	parts := make([]string, len(sum))
	for i, b := range sum {
		parts[i] = fmt.Sprintf("%02X", b)
	}
	return strings.Join(parts, ":"), nil
}

// TLS is the configuration of a listener: TLS 1.2 and newer.
func (c *Certificate) TLS() *tls.Config {
	return &tls.Config{MinVersion: tls.VersionTLS12, NextProtos: []string{"h2", "http/1.1"},
		GetCertificate: func(*tls.ClientHelloInfo) (*tls.Certificate, error) { return c.Get() }}
}

func (c *Certificate) good(leaf *x509.Certificate, now time.Time) bool {
	if now.Before(leaf.NotBefore) || now.Add(certRenew).After(leaf.NotAfter) {
		return false
	}
	for _, ip := range c.addrs() {
		if !slices.ContainsFunc(leaf.IPAddresses, func(x net.IP) bool { return x.Equal(ip) }) {
			return false
		}
	}
	for _, n := range c.names() {
		if !slices.Contains(leaf.DNSNames, n) {
			return false
		}
	}
	return true
}

// maxSAN bounds the addresses of a certificate: IPv6 privacy addresses come and
// go.
const maxSAN = 32

// addrs are the stable addresses: loopback and private ones (RFC 1918, RFC
// 4193).
func (c *Certificate) addrs() []net.IP {
	f := c.Addrs
	if f == nil {
		f = interfaceAddrs
	}
	out := []net.IP{net.IPv4(127, 0, 0, 1), net.IPv6loopback}
	for _, a := range f() {
		if a = a.Unmap(); a.IsPrivate() && len(out) < maxSAN {
			out = append(out, net.IP(a.AsSlice()))
		}
	}
	return out
}

func (c *Certificate) names() []string { return append([]string{"localhost"}, c.Names...) }

func (c *Certificate) crt() string { return filepath.Join(c.Dir, "yamori.crt") }
func (c *Certificate) key() string { return filepath.Join(c.Dir, "yamori.key") }

func (c *Certificate) load() (*tls.Certificate, error) {
	cert, err := tls.LoadX509KeyPair(c.crt(), c.key())
	if err != nil {
		return nil, fmt.Errorf("certificate: %w", err)
	}
	return &cert, nil
}

// renew makes a certificate with the key that is there, or a new one.
func (c *Certificate) renew(now time.Time) (*tls.Certificate, error) {
	var key *ecdsa.PrivateKey
	if c.cert != nil {
		key, _ = c.cert.PrivateKey.(*ecdsa.PrivateKey)
	}
	if key == nil {
		k, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
		if err != nil {
			return nil, fmt.Errorf("certificate: %w", err)
		}
		key = k
	}
	serial, err := rand.Int(rand.Reader, new(big.Int).Lsh(big.NewInt(1), 120))
	if err != nil {
		return nil, fmt.Errorf("certificate: %w", err)
	}
	t := &x509.Certificate{SerialNumber: serial, Subject: pkix.Name{CommonName: "Yamori", Organization: []string{"Yamori, made on this gateway"}},
		NotBefore: now.Add(-certSlack), NotAfter: now.Add(certLife - certSlack), KeyUsage: x509.KeyUsageDigitalSignature,
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth}, BasicConstraintsValid: true, DNSNames: c.names(), IPAddresses: c.addrs()}
	der, err := x509.CreateCertificate(rand.Reader, t, t, &key.PublicKey, key)
	if err != nil {
		return nil, fmt.Errorf("certificate: %w", err)
	}
	keyDER, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return nil, fmt.Errorf("certificate: %w", err)
	}
	if err := os.MkdirAll(c.Dir, 0o700); err != nil {
		return nil, fmt.Errorf("certificate: %w", err)
	}
	crt := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})
	pk := pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: keyDER})
	// The key first: a certificate never stands there without its key.
	for _, f := range []struct {
		path string
		data []byte
		mode fs.FileMode
	}{{c.key(), pk, 0o600}, {c.crt(), crt, 0o644}} {
		if err := writeFile(f.path, f.data, f.mode); err != nil {
			return nil, fmt.Errorf("certificate: %w", err)
		}
	}
	cert, err := tls.X509KeyPair(crt, pk)
	if err != nil {
		return nil, fmt.Errorf("certificate: %w", err)
	}
	return &cert, nil
}

// writeFile replaces a file as a whole.
func writeFile(path string, b []byte, mode fs.FileMode) error {
	tmp := path + ".new"
	if err := os.Remove(tmp); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	f, err := os.OpenFile(tmp, os.O_WRONLY|os.O_CREATE|os.O_EXCL, mode)
	if err != nil {
		return err
	}
	_, err = f.Write(b)
	if err == nil {
		err = f.Sync()
	}
	if e := f.Close(); err == nil {
		err = e
	}
	if err != nil {
		return err
	}
	return os.Rename(tmp, path)
}
