package main

import (
	"fmt"
	"net/netip"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/goccy/go-yaml"

	"github.com/yamori-net/yamori/internal/engine"
	"github.com/yamori-net/yamori/internal/files"
	"github.com/yamori-net/yamori/internal/reassembly"
)

// Settings is what of a test's arguments and suricata.yaml makes sense here.
type Settings struct {
	IPS           bool // drops take effect
	Midstream     bool // streams without a handshake feed the rules
	PassMidstream bool // no rule looks at them
	Async         bool
	MaxAlerts     int               // packet-alert-max
	Addrs         map[string]string // HOME_NET and the like
	Ports         map[string]string
	Threshold     string            // file
	Classes       string            // file
	References    string            // file
	Categories    string            // reputation-categories-file
	Reputation    []string          // reputation-files
	Values        map[string]string // everything set by --set, by its dotted name
	Unknown       []string          // what is not understood
	Policies      []engine.HostPolicy
	Hashes        files.Want // forced for all files
}

// settings reads them. Without own, the stock configuration stands, as in the
// run that made the list of tests that Suricata passes.
func (t *Test) settings() Settings {
	s := Settings{Addrs: map[string]string{}, Ports: map[string]string{}, Values: map[string]string{}}
	s.config(filepath.Join(t.Dir, "suricata.yaml"))
	subst := strings.NewReplacer("${TEST_DIR}", t.Dir, "$TEST_DIR", t.Dir)
	for i := 0; i < len(t.Args); i++ {
		a := t.Args[i]
		switch {
		case a == "--simulate-ips":
			s.IPS = true
		case a == "-k":
			i++ // never checked here
		case strings.HasPrefix(a, "--runmode"):
			if a == "--runmode" {
				i++
			}
		case a == "--set" && i+1 < len(t.Args):
			i++
			k, v, _ := strings.Cut(t.Args[i], "=")
			s.set(k, subst.Replace(v))
		default:
			s.Unknown = append(s.Unknown, a)
		}
	}
	return s
}

func (s *Settings) set(k, v string) {
	s.Values[k] = v
	on := v == "true" || v == "yes" || v == "1"
	switch {
	case k == "stream.midstream":
		s.Midstream = on
	case k == "stream.midstream-policy":
		s.PassMidstream = passes(v)
	case k == "exception-policy" && s.Values["stream.midstream-policy"] == "":
		s.PassMidstream = passes(v)
	case k == "stream.async-oneside":
		s.Async = on
	case strings.Contains(k, "force-hash"):
		s.Hashes |= map[string]files.Want{"md5": files.MD5, "sha1": files.SHA1, "sha256": files.SHA256}[v]
	case strings.HasSuffix(k, "force-filestore") && on:
		s.Hashes |= files.SHA256 // files are stored by it
	case k == "packet-alert-max":
		s.MaxAlerts, _ = strconv.Atoi(v)
	case k == "threshold-file":
		s.Threshold = v
	case k == "classification-file":
		s.Classes = v
	case k == "reputation-categories-file":
		s.Categories = v
	case strings.HasPrefix(k, "reputation-files."):
		s.Reputation = append(s.Reputation, v)
	case strings.HasPrefix(k, "host-os-policy."):
		s.policy(strings.TrimPrefix(k, "host-os-policy."), v)
	case strings.HasPrefix(k, "vars.address-groups."):
		s.Addrs[strings.TrimPrefix(k, "vars.address-groups.")] = v
	case strings.HasPrefix(k, "vars.port-groups."):
		s.Ports[strings.TrimPrefix(k, "vars.port-groups.")] = v
	}
}

// passes reports whether a policy of exceptions lets a flow go unseen.
func passes(policy string) bool { return policy == "bypass" || policy == "pass-flow" }

// policy reads a host of the list of one system, "old-linux.0".
func (s *Settings) policy(k, v string) {
	system, _, _ := strings.Cut(k, ".")
	p, ok := reassembly.PolicyOf(system)
	net, err := netip.ParsePrefix(v)
	if err != nil {
		var a netip.Addr
		if a, err = netip.ParseAddr(v); err == nil {
			net = netip.PrefixFrom(a, a.BitLen())
		}
	}
	if !ok || err != nil {
		s.Unknown = append(s.Unknown, "host-os-policy."+k)
		return
	}
	s.Policies = append(s.Policies, engine.HostPolicy{Prefix: net, Policy: p})
}

// config reads a test's own configuration, leaf by leaf. A file that is not
// YAML for this reader says nothing.
func (s *Settings) config(name string) {
	b, err := os.ReadFile(name)
	if err != nil {
		return
	}
	var m map[string]any
	if yaml.Unmarshal(b, &m) == nil {
		s.leaves("", m)
	}
}

func (s *Settings) leaves(prefix string, m map[string]any) {
	for k, v := range m {
		if sub, ok := v.(map[string]any); ok {
			s.leaves(prefix+k+".", sub)
			continue
		}
		if list, ok := v.([]any); ok {
			for i, v := range list {
				if sub, ok := v.(map[string]any); ok {
					s.leaves(fmt.Sprintf("%s%s.%d.", prefix, k, i), sub)
				} else if v != nil {
					s.set(fmt.Sprintf("%s%s.%d", prefix, k, i), text(v))
				}
			}
		} else if v != nil {
			s.set(prefix+k, text(v))
		}
	}
}
