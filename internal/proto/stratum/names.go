package stratum

import "github.com/yamori-net/yamori/internal/textline"

// agents are the names under which mining software introduces itself, lower
// case, up to the version. Sources: the programs' own --version output and
// user agents in recordings, ET Open's coin-miner rules, zeek-cryptomining.
var agents = [...]string{
	"antminer", "astrominer", "avalon", "bfgminer", "bitaxe", "bminer", "bmminer", "bosminer", "braiins",
	"btccl", "bzminer", "cast_xmr", "castxmr", "ccminer", "cgminer", "claymore", "cpuminer", "cryptodredge", "cudominer",
	"deepminer", "duino-coin", "official avr miner", "official esp32 miner", "official esp8266 miner", "official i2c miner", "official pc miner",
	"official pico miner", "official web miner", "minimal pc miner", "dero-miner", "dstm", "esp-miner", "ethminer", "ewbf", "excavator", "gminer",
	"goldshell", "grin-miner", "hellminer", "iceriverminer", "innominer", "jceminer", "kawpowminer", "leafminer", "lolminer",
	"luminousminer", "minerd", "minergate", "miniz", "mkxminer", "multiminer", "nanominer", "nbminer", "nerdminer",
	"nheqminer", "nicehash", "noncerpro", "nsgminer", "onezerominer", "optiminer", "phoenixminer", "poclbm",
	"rhminer", "rigel", "sgminer", "silentarmy", "srbminer", "stratum-proxy", "t-rex", "teamredminer", "tnn-miner",
	"trex", "ufasoft", "vertminer", "whatsminer", "wildrig", "xlarig", "xmr-node-proxy", "xmr-stak", "xmrig", "xmrigcc", "xnp", "zecminer", "zm",
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
	}
	return ""
}
