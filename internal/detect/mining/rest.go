package mining

import (
	"bytes"

	"github.com/yamori-net/yamori/internal/proto/stratum"
)

// rest is a request for work that is told by its path instead of by a method.
type rest uint8

const (
	restNone   rest = iota
	kadenaWork      // chainweb-node, "Mining API": GET …/mining/work, POST …/mining/solved, GET …/mining/updates
	kadenaDone
	ergoWork // Ergo node, /mining/candidate: {"msg":…,"b":…,"pk":…}; /mining/solution: {"pk":…,"w":…,"n":…}
	ergoDone
	siaWork // Sia, GET and POST /miner/header: target and header in 112 bytes, header in 80
	siaDone
	ccStatus    // XMRigCC, POST /client/setClientStatus: a miner tells its operator how it does
	daemonMines // Monero daemon, /start_mining: {"miner_address":…}
)

// restOf tells such a request by method and path.
func restOf(method, uri []byte) rest {
	if len(uri) < 13 || len(uri) > 128 {
		return restNone
	}
	path, _, _ := bytes.Cut(uri, []byte("?"))
	switch string(path) {
	case "/mining/candidate", "/mining/candidateWithTxs":
		return ergoWork
	case "/mining/solution":
		return ergoDone
	case "/miner/header":
		if string(method) == "POST" {
			return siaDone
		}
		return siaWork
	case "/start_mining":
		return daemonMines
	case "/client/setClientStatus":
		return ccStatus
	}
	if !bytes.HasPrefix(path, []byte("/chainweb/")) {
		return restNone
	}
	switch {
	case bytes.HasSuffix(path, []byte("/mining/work")), bytes.HasSuffix(path, []byte("/mining/updates")):
		return kadenaWork
	case bytes.HasSuffix(path, []byte("/mining/solved")):
		return kadenaDone
	}
	return restNone
}

// Lengths of the binary messages among them.
const (
	siaAnswer    = 112 // target and header
	siaHeader    = 80
	kadenaHeader = 286 // of a block; an answer has chain and target before it
	kadenaAnswer = 322
)

// rest judges such a request with its answer.
func (in *inline) rest(r rest, request, response []byte) {
	s := &in.session
	has := func(b []byte, keys ...string) bool {
		for _, k := range keys {
			if !bytes.Contains(b, []byte(k)) {
				return false
			}
		}
		return true
	}
	switch r {
	case kadenaWork, kadenaDone:
		s.Mark(stratum.MarkCall)
		if has(request, `"account"`, `"predicate"`, `"public-keys"`) || len(response) == kadenaAnswer {
			s.Mark(stratum.MarkTemplateAsk)
			s.Mark(stratum.MarkMethod)
		}
		if r == kadenaDone && len(request) == kadenaHeader {
			s.Mark(stratum.MarkBlock)
			s.Hand(1, 0)
		}
	case ergoWork, ergoDone:
		if r == ergoDone && has(request, `"n"`) || has(response, `"msg"`, `"b"`, `"pk"`) {
			s.Mark(stratum.MarkMethod)
			s.Mark(stratum.MarkTemplateAsk)
			s.Is(stratum.DialectErgo)
		}
		if r == ergoDone && has(request, `"n"`) {
			s.Hand(1, 0)
		}
	case siaWork, siaDone:
		if r == siaWork && len(response) == siaAnswer {
			s.Mark(stratum.MarkMethod)
			s.Mark(stratum.MarkWorkData)
		}
		if r == siaDone && len(request) == siaHeader {
			s.Mark(stratum.MarkMethod)
			s.Mark(stratum.MarkBlock)
			s.Hand(1, 0)
		}
	case ccStatus:
		if has(request, `"client_status"`, `"current_pool"`, `"hashrate_`) {
			s.Mark(stratum.MarkMethod)
			s.Mark(stratum.MarkEthRate)
			s.Is(stratum.DialectCryptoNote)
		}
		return
	case daemonMines:
		if n, st := stratum.ParseMessage(request, &in.msg); n > 0 && st == stratum.Complete && in.msg.Top.Get(stratum.KeyWalletAddress).Kind == stratum.String && has(request, `"miner_address"`) {
			a := in.msg.Text(in.msg.Top.Get(stratum.KeyWalletAddress))
			s.Login.Set(a)
			if stratum.FindAddress(a).Sure {
				s.Mark(stratum.MarkWallet)
			}
			s.Mark(stratum.MarkMethod)
			s.Mark(stratum.MarkTemplateAsk)
			s.Is(stratum.DialectTemplate)
			for range 2 { // who is asked is who mines
				s.Role(0, false)
			}
			return
		}
	}
	if s.Marks != 0 && r != ergoWork && r != ergoDone {
		s.Is(stratum.DialectGetwork)
	}
}
