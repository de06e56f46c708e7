package app

import (
	"encoding/json"
	"net/netip"
	"strings"

	"github.com/yamori-net/yamori/internal/event"
)

// nameOf says by which name the finding's server was wanted: that of the mining
// pool, of TLS, QUIC or HTTP, all of which only the device claims, or the one in
// a question for names (asked). Empty: none is known.
func nameOf(ev *event.Event) (name string, asked bool) {
	if m := ev.Finding.Mining; m != nil {
		if name = hostOf(m.Pool); name != "" {
			return name, false
		}
	}
	if ev.Body == nil {
		return "", false
	}
	var e event.Encoder
	e.B = append(e.B, '{')
	ev.Body.EncodeEVE(&e)
	e.B = append(e.B, '}')
	var t struct {
		DNS struct {
			Name    string `json:"rrname"`
			Queries []struct {
				Name string `json:"rrname"`
			} `json:"query"`
		} `json:"dns"`
		TLS, QUIC struct {
			Name string `json:"sni"`
		}
		HTTP struct {
			Name string `json:"hostname"`
		}
	}
	if json.Unmarshal(e.B, &t) != nil {
		return "", false
	}
	if len(t.DNS.Queries) == 1 && t.DNS.Name == "" {
		t.DNS.Name = t.DNS.Queries[0].Name
	}
	if name = cleanName(t.DNS.Name); name != "" {
		return name, true
	}
	for _, s := range [...]string{t.TLS.Name, t.QUIC.Name, t.HTTP.Name} {
		if name = hostOf(s); name != "" {
			return name, false
		}
	}
	return "", false
}

// hostOf is the name in "name:port"; empty: it is an address, or none.
func hostOf(s string) string {
	if _, err := netip.ParseAddrPort(s); err == nil {
		return ""
	}
	if i := strings.LastIndexByte(s, ':'); i >= 0 && strings.Count(s, ":") == 1 {
		s = s[:i]
	}
	return cleanName(s)
}

// cleanName is a name in the form in which names are compared; empty: it is an
// address, a single word, or no name.
func cleanName(s string) string {
	s = strings.ToLower(strings.TrimSuffix(s, "."))
	if len(s) == 0 || len(s) > 253 || !strings.Contains(s, ".") || strings.Contains(s, "..") || s[0] == '.' {
		return ""
	}
	digits := true
	for i := range len(s) {
		c := s[i]
		switch {
		case c >= '0' && c <= '9', c == '.':
		case c >= 'a' && c <= 'z', c == '-', c == '_':
			digits = false
		default:
			return ""
		}
	}
	if digits {
		return ""
	}
	return s
}
