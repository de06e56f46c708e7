package stratum

// Mark is one observation that speaks for mining.
type Mark uint8

// Marks. The table below says what each stands on.
const (
	MarkMethod Mark = iota
	MarkCall
	MarkLogin
	MarkKeepalived
	MarkAgent
	MarkProto
	MarkWallet
	MarkAlgo
	MarkWorker

	MarkJobKeys
	MarkJobHex
	MarkShareKeys
	MarkShareHex
	MarkNotify
	MarkSubmit
	MarkAuthorize
	MarkSetting
	MarkSubscribed
	MarkExtranonce
	MarkWork
	MarkBoundary
	MarkWorkHeight
	MarkWorkAgain
	MarkEthShare
	MarkEthRate
	MarkAnswer
	MarkKeptAlive
	MarkTemplateAsk
	MarkTemplate
	MarkBlock
	MarkWorkData

	MarkSiteKey
	MarkSiteUser
	MarkSiteGoal
	MarkAuthed
	MarkAccepted
	MarkHandshake
	MarkGrinKeys
	MarkGrinHex
	MarkBeam
	MarkDeroKeys
	MarkDeroHex
	MarkExtensions
	MarkPoolHeader
	MarkHeightPoll
	MarkLongPoll
	MarkPolled
	MarkAskedAgain

	MarkV2Setup
	MarkV2Frame
	MarkV2Channel
	MarkNoise
	MarkNoiseSetup
	MarkNoiseShare
	MarkDucoAsk
	MarkDucoJob
	MarkDucoShare
	MarkPeer
	MarkShareChain

	NumMarks
)

// Group sets apart marks that speak for the same reason: two marks of one
// group are not independent.
type Group uint8

// Groups.
const (
	ByMethod Group = iota
	ByKeys
	ByShape
	ByAnswer
	ByAgent
	ByWallet
	ByAlgorithm
	ByHeader
	ByTime
)

// Kind of every mark: the code for evidence, the group, and the weight in
// natural-log odds. The weights are judgements, not fits: 4 and more for what
// was never seen outside mining in any capture at hand, 3 for what hardly
// fits anything else, less for what merely goes with it.
var marks = [NumMarks]struct {
	Code   string
	Group  Group
	Weight float32
	Doc    string
}{
	MarkMethod:     {"stratum.method", ByMethod, 4, "method that nothing but mining has"},
	MarkCall:       {"stratum.call", ByMethod, 2.5, "method that nodes have for miners"},
	MarkLogin:      {"stratum.login", ByMethod, 2, "login with a pass"},
	MarkKeepalived: {"stratum.keepalived", ByMethod, 3, "CryptoNote's keepalived"},
	MarkAgent:      {"stratum.agent", ByAgent, 5, "software names itself a miner"},
	MarkProto:      {"stratum.protocol", ByAgent, 5, "asks for EthereumStratum"},
	MarkWallet:     {"stratum.wallet", ByWallet, 4, "payout address as login"},
	MarkAlgo:       {"stratum.algorithm", ByAlgorithm, 4.5, "list of proof-of-work algorithms"},
	MarkWorker:     {"stratum.worker", ByKeys, 1.5, "worker named beside method and params"},

	MarkJobKeys:     {"stratum.job", ByKeys, 3, "job with blob, target and job_id"},
	MarkJobHex:      {"stratum.job_hex", ByShape, 3.5, "blob and target have the form of a block header and a difficulty"},
	MarkShareKeys:   {"stratum.share", ByKeys, 3, "share with job_id, nonce and result"},
	MarkShareHex:    {"stratum.share_hex", ByShape, 3.5, "nonce and result have the form of a nonce and a hash"},
	MarkNotify:      {"stratum.notify", ByShape, 4, "parameters have the form of a mining job"},
	MarkSubmit:      {"stratum.submit", ByShape, 3, "parameters have the form of a share"},
	MarkAuthorize:   {"stratum.authorize", ByShape, 2, "parameters are a worker and mostly a password"},
	MarkSetting:     {"stratum.setting", ByShape, 1.5, "parameters have the form of a difficulty, target or extranonce"},
	MarkSubscribed:  {"stratum.subscribed", ByKeys, 4, "answer subscribes to mining notifications"},
	MarkExtranonce:  {"stratum.extranonce", ByAnswer, 3, "answer assigns an extranonce"},
	MarkWork:        {"stratum.work", ByShape, 3, "work of three hashes"},
	MarkBoundary:    {"stratum.boundary", ByShape, 1.5, "the third hash is a boundary"},
	MarkWorkHeight:  {"stratum.work_height", ByKeys, 1.5, "a block number follows the work"},
	MarkWorkAgain:   {"stratum.work_again", ByAnswer, 3, "the same boundary in work after work"},
	MarkEthShare:    {"stratum.eth_share", ByShape, 3.5, "nonce, header and mix hash submitted"},
	MarkEthRate:     {"stratum.eth_hashrate", ByShape, 3.5, "hash rate reported"},
	MarkAnswer:      {"stratum.answer", ByAnswer, 3, "the server gives what the mining call asks for"},
	MarkKeptAlive:   {"stratum.kept_alive", ByAnswer, 4, "answer KEEPALIVED"},
	MarkTemplateAsk: {"stratum.template_ask", ByShape, 3.5, "asks for a block template with its capabilities or payout address"},
	MarkTemplate:    {"stratum.template", ByKeys, 4, "members of a block template"},
	MarkBlock:       {"stratum.block", ByShape, 3.5, "submits a block"},
	MarkWorkData:    {"stratum.work_data", ByShape, 4, "block header to work on"},

	MarkSiteKey:    {"stratum.site_key", ByKeys, 3, "auth with a site key"},
	MarkSiteUser:   {"stratum.site_user", ByShape, 2, "auth names a kind of user"},
	MarkSiteGoal:   {"stratum.site_goal", ByShape, 1, "auth names a goal of hashes"},
	MarkAuthed:     {"stratum.authed", ByAnswer, 3, "authed, with a token and hashes"},
	MarkAccepted:   {"stratum.accepted", ByAnswer, 3, "hash_accepted, with hashes"},
	MarkHandshake:  {"stratum.handshake", ByKeys, 4, "handshake with pool and login"},
	MarkGrinKeys:   {"stratum.grin", ByKeys, 3, "members of a Grin job or share"},
	MarkGrinHex:    {"stratum.grin_shape", ByShape, 3.5, "pre_pow or pow have the form of a header or a cycle of edges"},
	MarkBeam:       {"stratum.beam", ByShape, 4, "Beam job or solution"},
	MarkDeroKeys:   {"stratum.dero", ByKeys, 4, "members of a Dero job or mini block"},
	MarkDeroHex:    {"stratum.dero_hex", ByShape, 3, "mini block of 48 bytes"},
	MarkExtensions: {"stratum.mining_extensions", ByHeader, 4, "header X-Mining-Extensions"},
	MarkPoolHeader: {"stratum.pool_header", ByHeader, 3, "header of a getwork pool"},
	MarkHeightPoll: {"stratum.height_poll", ByKeys, 2.5, "polls a Monero daemon's height"},

	MarkLongPoll:   {"stratum.long_poll", ByTime, 3, "waits at the server until there is a new block to work on"},
	MarkPolled:     {"stratum.polled", ByTime, 3, "asks for work again and again, by a clock"},
	MarkAskedAgain: {"stratum.asked_again", ByTime, 1, "asks for work again"},

	MarkV2Setup:    {"stratum.v2_setup", ByMethod, 4, "sets up a connection for Stratum V2"},
	MarkV2Frame:    {"stratum.v2_frame", ByShape, 4, "messages have the types and lengths of Stratum V2"},
	MarkV2Channel:  {"stratum.v2_channel", ByKeys, 3.5, "a mining channel is opened or gives work"},
	MarkNoise:      {"stratum.v2_noise", ByShape, 3, "keys are exchanged in the lengths of Stratum V2"},
	MarkNoiseSetup: {"stratum.v2_noise_setup", ByAnswer, 3.5, "the first answer has the length of Stratum V2's"},
	MarkNoiseShare: {"stratum.v2_noise_share", ByKeys, 2, "messages and answers have the lengths of shares"},
	MarkDucoAsk:    {"stratum.duco_ask", ByMethod, 3.5, "asks for a Duino-Coin job"},
	MarkDucoJob:    {"stratum.duco_job", ByShape, 4, "job of two SHA-1 sums and a difficulty"},
	MarkPeer:       {"stratum.p2pool", ByShape, 4, "handshake of p2pool's peers"},
	MarkShareChain: {"stratum.share_chain", ByKeys, 4, "peers talk about the chain of shares"},
	MarkDucoShare:  {"stratum.duco_share", ByKeys, 3, "number with hash rate and name of the software, and its verdict"},
}

// Code returns the stable code of the mark in evidence.
func (m Mark) Code() string { return marks[m].Code }

// Doc says in a few words what the mark stands on.
func (m Mark) Doc() string { return marks[m].Doc }

// Weight returns what the mark adds to the odds, natural logarithm.
func (m Mark) Weight() float64 { return float64(marks[m].Weight) }

// Certain is the sum of weights from which, with marks of two groups, a flow
// is mining. A stream of JSON-RPC on a home network is taken to be mining one
// time in three, so six stands for odds of about 200 to 1.
const Certain = 6

// Marks is a set of marks.
type Marks uint64

const _ = Marks(1) << (NumMarks - 1) // NumMarks must stay within the bits of Marks

// Has reports whether m is in the set.
func (s Marks) Has(m Mark) bool { return s&(1<<m) != 0 }

// Sum returns the weights of the set together and the number of groups.
func (s Marks) Sum() (weight float64, groups int) {
	var seen uint16
	for m := range NumMarks {
		if s.Has(m) {
			weight += float64(marks[m].Weight)
			seen |= 1 << marks[m].Group
		}
	}
	for ; seen != 0; seen &= seen - 1 {
		groups++
	}
	return weight, groups
}
