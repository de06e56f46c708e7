package stratum

import "github.com/yamori-net/yamori/internal/textline"

// agents are the names under which mining software introduces itself, lower
// case, up to the version. Sources: the programs' own --version output and
// user agents in recordings, ET Open's coin-miner rules, zeek-cryptomining.
var agents = [...]string{
	"antminer", "astrominer", "avalon", "beam-miner", "bfgminer", "bitaxe", "bitcoin-miner", "bitmonero", "bminer",
	"bmm", "bmminer", "bosminer", "braiins", "btccl", "btcminer", "bzminer", "cast_xmr", "castxmr", "ccminer", "cgminer",
	"ckb-miner", "claymore", "cortex-miner", "cpuminer", "cryptodredge", "cudaminer", "cudominer", "deepminer",
	"dero-miner", "deroluna", "dstm", "duino-coin", "epic-miner", "esp-miner", "espminer", "ethdcrminer64", "ethminer",
	"evrprogpowminer", "ewbf", "excavator", "finminer", "firominer", "gminer", "goldshell", "gominer", "grin-miner",
	"grin_miner", "gringoldminer", "grinpro", "han_solominer", "hathor-miner", "hellminer", "hs-miner", "iceriverminer",
	"innominer", "ironfish-pool-miner", "jceminer", "karlsen-miner", "kaspa-miner", "kawpowminer", "leafminer",
	"lolminer", "lolminerxmr", "luminousminer", "luxminer", "minerd", "minergate", "minerstat-miner", "minimal pc miner",
	"miniz", "mkxminer", "moneroocean", "multiminer", "mwc-miner", "nanominer", "nbminer", "nerdaxe", "nerdminer",
	"nerdoctaxe", "nerdqaxe", "nheqminer", "nicehash", "noncerpro", "nqminer", "nsgminer", "official avr miner",
	"official esp32 miner", "official esp8266 miner", "official i2c miner", "official pc miner", "official pico miner",
	"official web miner", "onezerominer", "optiminer", "phoenixminer", "poclbm", "progpowminer", "pwnminer",
	"quai-gpu-miner", "rhminer", "rigel", "rqiner", "sgminer", "sia-gpu-miner", "silentarmy", "skminer", "spectre-miner",
	"srbminer", "stratum-proxy", "sushi-miner", "t-rex", "tari_miner", "teamblackminer", "teamredminer", "tnn-miner",
	"trex", "ufasoft", "vecominer", "verthashminer", "vertminer", "whatsminer", "wildrig", "xelis-miner", "xlarig",
	"xmr-node-proxy", "xmr-stak", "xmrig", "xmrig-proxy", "xmrigcc", "xnp", "xtrgpuminer", "z-enemy", "zealotminer",
	"zecminer", "zm",
}

// IsMiner reports whether the text names mining software: one of the known
// names at its beginning, followed by something that is not a letter
// ("XMRig/6.26.0 (Linux…)", "ethminer-0.19.0", "SRBMiner-MULTI").
func IsMiner(t []byte) bool {
	for _, a := range agents {
		if textline.HasPrefix(t, a) && (len(t) == len(a) || !letter(t[len(a)])) {
			return true
		}
	}
	return false
}

// words are the names above that other programs could have as well.
var words = [...]string{"avalon", "bmm", "braiins", "claymore", "excavator", "rigel", "t-rex", "trex", "zm"}

// ordinary reports whether the text begins with such a name: beside a method
// that nothing but mining has it tells a miner, beside a login it does not.
func ordinary(t []byte) bool {
	for _, w := range words {
		if textline.HasPrefix(t, w) && (len(t) == len(w) || !letter(t[len(w)])) {
			return true
		}
	}
	return false
}

func letter(c byte) bool { return c|0x20 >= 'a' && c|0x20 <= 'z' }

// classify returns what an element says about the list it stands in.
func classify(t []byte) (f Flags) {
	if len(t) > 10 && string(t[:10]) == "mining.set" || string(t) == "mining.notify" {
		f |= HasNotification
	}
	if isAlgorithm(t) {
		f |= HasAlgorithm
	}
	return f
}

// families are the prefixes of xmrig's names of algorithms
// (https://xmrig.com/docs/algorithms).
var families = [...]string{"rx/", "cn/", "cn-lite", "cn-heavy", "cn-pico", "cryptonight", "randomx", "argon2/", "astrobwt", "ghostrider", "kawpow", "panthera"}

// isAlgorithm reports whether the text is the name of a proof-of-work
// algorithm as miners spell them.
func isAlgorithm(t []byte) bool {
	if len(t) < 3 || len(t) > 24 {
		return false
	}
	for _, p := range families {
		if textline.HasPrefix(t, p) {
			return true
		}
	}
	switch string(t) {
	case "ethash", "etchash", "autolykos2", "equihash", "kheavyhash", "cuckatoo32", "cuckaroo29", "firopow", "progpow", "verushash", "beamhash":
		return true
	}
	return false
}

// coinOfAlgorithm names the coin of an algorithm that one coin alone is known
// for, else "". For rx/0 that is Monero: the few other coins on it are mined
// with it too rarely to name them first.
func coinOfAlgorithm(t []byte) string {
	switch string(t) {
	case "rx/0":
		return "monero"
	case "rx/wow":
		return "wownero"
	case "rx/arq":
		return "arqma"
	case "rx/graft":
		return "graft"
	case "rx/yada":
		return "yadacoin"
	case "cn/ccx":
		return "conceal"
	case "cn-heavy/xhv":
		return "haven"
	case "kheavyhash":
		return "kaspa"
	case "autolykos2":
		return "ergo"
	case "verushash":
		return "verus"
	}
	return ""
}
