// Package mqtt tells an MQTT 5 broker, and by its discovery Home Assistant, how
// the home is: whether something needs attention, counts, and for devices that
// the owner named who is at home and whose internet is paused. Only the latest
// state is kept for sending, so that a broker that is slow or away costs
// nothing.
package mqtt

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net/url"
	"os"
	"strings"
)

// Config says where to send what. Zero values mean the defaults.
type Config struct {
	Server    string   `yaml:"server"`    // mqtt://host:1883 or mqtts://host:8883
	Username  string   `yaml:"username"`  //
	Password  string   `yaml:"password"`  //
	CA        string   `yaml:"ca"`        // PEM file of the authority that signed the broker's certificate; the system's
	Topic     string   `yaml:"topic"`     // under which everything is published; yamori
	Node      string   `yaml:"node"`      // of this gateway, when there are several; gateway
	Discovery string   `yaml:"discovery"` // prefix of Home Assistant; homeassistant; "none": no discovery
	Language  string   `yaml:"language"`  // of names shown in Home Assistant: en, ja; en
	Presence  []string `yaml:"presence"`  // identities of devices that are told as at home or away; none
	Pause     []string `yaml:"pause"`     // identities of devices whose internet can be paused from there; none
	Findings  bool     `yaml:"findings"`  // also publish each finding, as an EVE line
}

// MaxDevices bounds the devices named for presence and for the switch, each.
const MaxDevices = 128

// Check validates c and fills in the defaults. The error names the field and
// the cure.
func (c *Config) Check() error {
	def := func(s *string, d string) {
		if *s == "" {
			*s = d
		}
	}
	def(&c.Topic, "yamori")
	def(&c.Node, "gateway")
	def(&c.Discovery, "homeassistant")
	def(&c.Language, "en")
	if c.Server == "" {
		return errors.New("mqtt: server: empty; name the broker, such as mqtt://192.168.1.5:1883")
	}
	u, err := url.Parse(c.Server)
	if err != nil || u.Scheme != "mqtt" && u.Scheme != "mqtts" || u.Hostname() == "" || u.User != nil || u.RawQuery != "" || strings.Trim(u.Path, "/") != "" {
		return errors.New("mqtt: server: write mqtt://host:1883, or mqtts://host:8883 with TLS; user name and password have fields of their own")
	}
	if c.Password != "" && c.Username == "" {
		return errors.New("mqtt: username: empty though there is a password; give both, or neither")
	}
	if c.CA != "" && u.Scheme != "mqtts" {
		return errors.New("mqtt: ca: is for servers with TLS; write mqtts:// in server, or leave it out")
	}
	for _, f := range [...]struct{ name, v string }{{"topic", c.Topic}, {"discovery", c.Discovery}} {
		if len(f.v) > 128 || strings.ContainsAny(f.v, "+#\x00 ") || strings.HasPrefix(f.v, "/") || strings.HasPrefix(f.v, "$") || strings.HasSuffix(f.v, "/") {
			return fmt.Errorf("mqtt: %s %q: use plain levels such as home/yamori, without wildcards and without / at the ends", f.name, f.v)
		}
	}
	if c.Node != key(c.Node) || len(c.Node) > 64 {
		return fmt.Errorf("mqtt: node %q: use letters, digits, - and _", c.Node)
	}
	if c.Language != "en" && c.Language != "ja" {
		return fmt.Errorf("mqtt: language %q: use en or ja", c.Language)
	}
	for _, f := range [...]struct {
		name string
		v    []string
	}{{"presence", c.Presence}, {"pause", c.Pause}} {
		if len(f.v) > MaxDevices {
			return fmt.Errorf("mqtt: %s: %d devices, the limit is %d; name fewer", f.name, len(f.v), MaxDevices)
		}
		for _, d := range f.v {
			if d == "" || len(d) > 128 {
				return fmt.Errorf("mqtt: %s: %q is no identity of a device; list the devices to see them", f.name, d)
			}
		}
	}
	return nil
}

// CheckCA reads the authority's file, where there is one, and says what is wrong
// with it.
func (c *Config) CheckCA() error {
	u, err := url.Parse(c.Server)
	if err != nil {
		return nil // Check says so
	}
	_, err = c.tlsConfig(u)
	return err
}

// tlsConfig reads the authority's file.
func (c *Config) tlsConfig(u *url.URL) (*tls.Config, error) {
	if u.Scheme != "mqtts" {
		return nil, nil
	}
	t := &tls.Config{MinVersion: tls.VersionTLS12, ServerName: u.Hostname()}
	if c.CA != "" {
		b, err := os.ReadFile(c.CA)
		if err != nil {
			return nil, fmt.Errorf("mqtt: ca: %w; name a PEM file that this user can read", err)
		}
		t.RootCAs = x509.NewCertPool()
		if !t.RootCAs.AppendCertsFromPEM(b) {
			return nil, fmt.Errorf("mqtt: ca: %s holds no certificate in PEM form", c.CA)
		}
	}
	return t, nil
}
