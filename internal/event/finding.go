package event

// Category sorts findings for people and policy. The set is closed and part of
// the stable outside.
type Category string

// Categories.
const (
	Mining     Category = "mining"
	Botnet     Category = "botnet"
	Exploit    Category = "exploit"
	Malware    Category = "malware"
	Ransomware Category = "ransomware"
	Scan       Category = "scan"
	Bruteforce Category = "bruteforce"
	Flood      Category = "flood"
	WebThreat  Category = "webthreat"
	DNS        Category = "dns"
	Tunneled   Category = "tunnel"
	Policy     Category = "policy"
	Odd        Category = "anomaly"
)

// Level is how sure a finding is. Only Likely and Confirmed may ever lead to a
// block.
type Level uint8

// Levels.
const (
	Suspect Level = iota + 1
	Likely
	Confirmed
)

// String returns the word that events carry.
func (l Level) String() string {
	switch l {
	case Suspect:
		return "suspect"
	case Likely:
		return "likely"
	case Confirmed:
		return "confirmed"
	}
	return "none"
}

// Evidence is one observation behind a finding: a stable code
// ("stratum.login"), the value seen (already cut to a readable length) and the
// weight it carried, in natural-log odds.
type Evidence struct {
	Code   string
	Value  string
	Weight float64
}

// Arg is one named value of an explanation.
type Arg struct{ Name, Value string }

// MiningDetail is what a mining finding knows about the miner. Empty means not
// seen.
type MiningDetail struct {
	Dialect   string // "stratum-v1", "cryptonote", "ethproxy", "ethereumstratum-1.0", "getwork", "getblocktemplate", "coinhive"…
	Coin      string // "monero", "ethereum"…; only when the traffic names it
	Algorithm string // "rx/0", "ethash"…
	Agent     string // miner software as it names itself
	Worker    string
	Wallet    string
	Pool      string // host name if known, else address:port

	// Of a device that gathers miners: whom it serves, address by address, at
	// most so many as are shown, and how many there are.
	Miners      []string
	MinersTotal int

	Run *MiningRun // what it has come to; nil when nothing can be told
}

// DeviceRef names the device a finding is about.
type DeviceRef struct{ ID, Kind, Name string }

// Finding is one judgement about a flow or a device. Making one allocates;
// deciding that there is none does not.
type Finding struct {
	Category    Category
	Family      string // "stratum", "mirai"…
	Detector    string // package that judged: "mining"
	Level       Level
	Confidence  float64 // 0…1
	SignatureID uint32  // stable number of this kind of finding (gid 7411)
	Signature   string  // one English line for EVE readers
	Severity    uint8   // 1 high, 2 medium, 3 low, as in EVE
	Action      string  // "blocked", "allowed", "would_block"; set by policy, empty: allowed
	Why         string  // code of the reason for Action; empty: policy was not asked
	By          string  // identity of the owner's entry that decided
	Quiet       bool    // the owner asked not to be told
	Evidence    []Evidence
	Code        string // of the explanation shown to people; text lives with the reader
	Args        []Arg
	Mining      *MiningDetail
	Device      DeviceRef // filled in by the engine
	Rule        *Rule     // the rule that matched; nil for built-in detections
	Context     []byte    // what the rule took out of the traffic: members of a JSON object

	// Direction of the packet that showed it; the finding's source is always
	// the device that misbehaves, given by FromClient.
	FromClient bool // the misbehaving side is the flow's client
}

// Rule is what an alert tells of the rule that matched.
type Rule struct {
	GID, SID, Rev uint32
	Msg           string
	Class         string // classtype, empty when the rule has none
	Category      string // text of the class
	Severity      uint8
	Metadata      []Pair
	References    []string // "system,id"
	Target        string   // "src_ip", "dest_ip" or empty: which side is attacked
}

// Pair is a key of a rule's metadata with its value; keys may repeat.
type Pair struct{ Key, Value string }

// categories lists the closed set in the order of the documentation.
var categories = [...]Category{Mining, Botnet, Exploit, Malware, Ransomware, Scan, Bruteforce, Flood, WebThreat, DNS, Tunneled, Policy, Odd}

// KnownCategory reports whether c is one of the categories.
func KnownCategory(c Category) bool {
	for _, k := range categories {
		if k == c {
			return true
		}
	}
	return false
}

// CategoryNames lists the categories as words.
func CategoryNames() []string {
	var out []string
	for _, c := range categories {
		out = append(out, string(c))
	}
	return out
}
