package talks

import (
	"bytes"
	"strings"
)

// Twin is a conversation like t that has nothing to do with mining: the same
// port, the same order, sizes and form of messages, and most of the words. Only
// what no other program says is something else of the same length.
func Twin(t Talk) Talk {
	t.Name, t.Mining, t.Dialect, t.At = t.Name+"-twin", false, "", -1
	steps := make([]Step, len(t.Steps))
	for i, s := range t.Steps {
		steps[i] = s
		if i < t.Skip || t.Skip == 0 || s.FromServer {
			steps[i].Data = tame(bytes.Clone(s.Data))
			continue
		}
		// A masked frame of WebSocket: the mask lies before the text.
		b := bytes.Clone(s.Data)
		at := 6
		if b[1]&0x7f == 126 {
			at = 8
		}
		mask, text := b[at-4:at], b[at:]
		xor(text, mask)
		copy(text, tame(bytes.Clone(text)))
		xor(text, mask)
		steps[i].Data = b
	}
	t.Steps = steps
	return t
}

func xor(b, mask []byte) {
	for i := range b {
		b[i] ^= mask[i%4]
	}
}

// tame replaces what only miners and pools say.
func tame(b []byte) []byte {
	if len(b) > 5 && b[0] == 0 && b[1] == 0 || len(b) > 5 && b[1] == 0x80 && b[0] == 0 {
		b[0] = 0x77 // another protocol with binary frames
		return b
	}
	return []byte(tamer.Replace(string(b)))
}

// filler is a text of n bytes.
func filler(n int) string { return strings.Repeat("garden path ", n/12+1)[:n] }

var tamer = func() *strings.Replacer {
	var pairs []string
	for _, key := range []string{"$XMR", "$BTC", "$ETH", "$ERG", "$XEL", "$KAS", "$CKB", "$NIM", "$BLOB", "$COINB", "$HEADER", "$SOLN", "$CYCLE"} {
		v := words.Replace(key)
		pairs = append(pairs, v, filler(len(v)))
	}
	for _, p := range [][2]string{
		{"mining.", "museum."}, {"XMRig/", "Visit/"}, {"miner", "meter"}, {"Miner", "Meter"}, {"X-Mining-", "X-Museum-"},
		{"getwork", "getword"}, {"getblocktemplate", "getclocktemplate"}, {"get_miner_data", "get_meter_data"}, {"blocktemplate_blob", "clocktemplate_blob"},
		{"eth_", "ext_"}, {"EthereumStratum", "ElectricStratum"}, {"AleoStratum", "AutoStratum"}, {"ckb_", "cab_"}, {"newWork", "newWord"},
		{"getjobtemplate", "getjabtemplate"}, {"nonce", "notes"}, {"api_key", "app_key"}, {`"input"`, `"ideas"`},
		{"midstate", "midscene"}, {"coinbasevalue", "coinlessvalue"}, {"coinbasetxn", "coinlesstxn"}, {"previousblockhash", "previousclockhash"},
		{"blockhashing_blob", "blockhanging_blob"}, {"mbl_blob", "mbl_blog"}, {"site_key", "side_key"}, {"hashes", "dashes"},
		{"KEEPALIVED", "KEEPLIVING"}, {"keepalived", "keepliving"}, {"rx/0", "mono"}, {"cn/r", "duet"}, {"argon2/", "organ2/"}, {"userid", "usorid"}, {"targetBlob", "targetBlog"}, {"wallet_address", "ballet_address"},
		{"a9b3f5c2d4000000", "the second shelf"}, {"mine_txs", "mind_txs"}, {"nonce_size", "notes_size"}, {"sha3x", "waltz"}, {"get_block_template", "get_clock_template"}, {"getminingcandidate", "getdiningcandidate"},
		{"createauxblock", "createarxblock"}, {"chainid", "chairid"}, {"genesisHash", "genesisDash"}, {"targetCompact", "targetConcert"}, {"compact_target", "concert_target"}, {"epic-", "epos-"},
		{"previous_block_hash", "previous_clock_hash"}, {"randomx", "rondeau"}, {"xel/v2", "bus/v2"}, {"prevhash", "prevdash"}, {"nBits", "nBets"},
		{"JOB,", "GET,"}, {"GOOD", "DONE"}, {"DUCOID", "SENSOR"}, {"seed_hash", "seat_hash"}, {"grin-", "grim-"},
	} {
		if len(p[0]) != len(p[1]) {
			panic("talks: " + p[0] + " and " + p[1] + " differ in length")
		}
		pairs = append(pairs, p[0], p[1])
	}
	return strings.NewReplacer(pairs...)
}()
