package mining

import (
	"bytes"
	"net/netip"
	"slices"

	"github.com/yamori-net/yamori/internal/detect"
	"github.com/yamori-net/yamori/internal/event"
	"github.com/yamori-net/yamori/internal/flow"
	"github.com/yamori-net/yamori/internal/proto"
	"github.com/yamori-net/yamori/internal/proto/http"
	"github.com/yamori-net/yamori/internal/proto/tls"
)

// Farming is the table entry of the detector of Chia farming: coins are won by
// filling disks instead of by reckoning, so it is a matter of the household's
// policy and not called mining.
var Farming = detect.Detector{
	Name: "mining-farming",
	Doc:  "Chia farming: requests to pools, and the certificates of its nodes",
	New:  func() detect.Inline { return farmer{} },
}

type farmer struct{}

// What every certificate of Chia's nodes has in subject and issuer
// (chia/ssl/create_ssl.py).
var (
	chiaUnit = []byte("Organic Farming Division")
	chiaName = []byte("Chia")
)

// Ports of farmers and harvesters (chia's initial-config.yaml). Wallets and
// full nodes have others, and the same certificates.
const (
	farmerPort    = 8447
	harvesterPort = 8448
)

// Inspect judges a request to a pool (Chia Pool Protocol 1.0), or the
// certificates of a connection between Chia's own programs.
func (farmer) Inspect(_ *flow.Flow, c *proto.Conn, tx proto.Tx) (f event.Finding, ok bool) {
	switch t := tx.(type) {
	case *http.Tx:
		if code := farmRequest(t); code != "" {
			return farming(event.Confirmed, host(c, t), event.Evidence{Code: code, Value: cut(string(t.URI)), Weight: 6}), true
		}
	case *tls.Tx:
		for d := range t.Certs {
			l := &t.Certs[d].Leaf
			if !bytes.Contains(l.Issuer, chiaUnit) || !bytes.Contains(l.Issuer, chiaName) {
				continue
			}
			cert := event.Evidence{Code: "farming.certificate", Value: "O=Chia, OU=Organic Farming Division", Weight: 5}
			pool := endpointOf(c)
			if c.ServerPort == farmerPort || c.ServerPort == harvesterPort {
				return farming(event.Likely, pool, cert, event.Evidence{Code: "farming.port", Value: pool, Weight: 2}), true
			}
			return farming(event.Suspect, pool, cert), true
		}
	}
	return f, false
}

// farmRequest returns the evidence that a request to a pool is, "" for others.
func farmRequest(t *http.Tx) string {
	path, query, _ := bytes.Cut(t.URI, []byte("?"))
	has := func(b []byte, keys ...string) bool {
		return len(b) > 0 && !slices.ContainsFunc(keys, func(k string) bool { return !bytes.Contains(b, []byte(k)) })
	}
	switch {
	case bytes.HasSuffix(path, []byte("/partial")):
		if has(t.RequestBody, `"launcher_id"`, `"proof_of_space"`, `"sp_hash"`) {
			return "farming.partial"
		}
	case bytes.HasSuffix(path, []byte("/farmer")):
		if has(t.RequestBody, `"launcher_id"`, `"authentication_public_key"`, `"payout_instructions"`) || has(query, "launcher_id=", "authentication_token=", "signature=") {
			return "farming.farmer"
		}
	case bytes.HasSuffix(path, []byte("/pool_info")):
		if has(t.ResponseBody, `"target_puzzle_hash"`, `"relative_lock_height"`, `"minimum_difficulty"`) {
			return "farming.pool_info"
		}
	}
	return ""
}

// endpointOf returns the server's address and port.
func endpointOf(c *proto.Conn) string {
	if t := c.Target(); len(t) > 0 {
		return readable(t)
	}
	return netip.AddrPortFrom(c.Server.Netip(), c.ServerPort).String()
}

func farming(level event.Level, pool string, ev ...event.Evidence) event.Finding {
	conf := map[event.Level]float64{event.Confirmed: 0.99, event.Likely: 0.9, event.Suspect: 0.5}[level]
	return event.Finding{
		Category: event.Policy, Family: "farming", Detector: Detector.Name, Level: level, Confidence: conf,
		SignatureID: 1031, Signature: "Cryptocurrency farming (Chia)", Severity: 3, Code: "mining.farming",
		Args:   []event.Arg{{Name: "coin", Value: "chia"}, {Name: "pool", Value: pool}},
		Mining: &event.MiningDetail{Dialect: "chia", Coin: "chia", Pool: pool}, Evidence: ev, FromClient: true,
	}
}
