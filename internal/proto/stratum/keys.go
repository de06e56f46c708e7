package stratum

// Key numbers the member names that mining messages use.
type Key uint8

// Keys, named after the member. noKey stands for every other name.
const (
	KeyID Key = iota
	KeyJSONRPC
	KeyMethod
	KeyParams
	KeyResult
	KeyError
	KeyWorker
	KeyType       // Coinhive family: takes the place of method
	KeyIdentifier // webminerpool family: likewise

	KeyLogin
	KeyPass
	KeyAgent
	KeyAlgo
	KeyRigID
	KeySiteKey
	KeyUser
	KeyGoal
	KeyToken
	KeyHashes
	KeyPool
	KeyHost
	KeyPort
	KeyProto

	KeyJob
	KeyJobID
	KeyBlob
	KeyTarget
	KeyNonce
	KeyHeight
	KeySeedHash
	KeyStatus
	KeyDifficulty
	KeyEdgeBits
	KeyPow
	KeyPrePow
	KeyEpoch
	KeyExtranonce
	KeyInput
	KeyOutput

	KeyWalletAddress
	KeyReserveSize
	KeyTemplateBlob // blocktemplate_blob
	KeyHashingBlob  // blockhashing_blob
	KeyMiniblocks
	KeyMBLBlob

	KeyCapabilities
	KeyCoinbaseTxn
	KeyTransactions
	KeyLongPollID
	KeyPrevHash // previousblockhash
	KeyNonceRange
	KeyBits

	KeyData
	KeyMidstate

	KeyHeader
	KeyPublicAddress
	KeyTargetBlob // Alephium
	KeyHeaderBlob

	KeyMessage   // Nimiq: takes the place of method
	KeyDeviceID  // the same, and the computor that Qubic is mined for
	KeyNewJob    // XELIS' getwork: the job itself
	KeyMinerWork // the same, and a block by its template
	KeyWorkID    // CKB's template
	KeyNonceSize // Hathor

	numKeys
	noKey Key = 255
)

// keySet is a set of keys, one bit each.
type keySet uint64

const _ = keySet(1) << (numKeys - 1) // numKeys must stay within the bits of keySet

// set makes a keySet.
func set(keys ...Key) (s keySet) {
	for _, k := range keys {
		s |= 1 << k
	}
	return s
}

// keyOf looks a name up without regard to case: pools written in Go decode
// with encoding/json, which takes "Method" for "method".
func keyOf(t []byte) Key {
	if len(t) < 2 || len(t) > maxKey {
		return noKey
	}
	var low [maxKey]byte
	for i, c := range t {
		if c >= 'A' && c <= 'Z' {
			c |= 0x20
		}
		low[i] = c
	}
	switch string(low[:len(t)]) {
	case "id":
		return KeyID
	case "jsonrpc":
		return KeyJSONRPC
	case "method":
		return KeyMethod
	case "params", "body": // Iron Fish says body
		return KeyParams
	case "result":
		return KeyResult
	case "error":
		return KeyError
	case "worker":
		return KeyWorker
	case "type":
		return KeyType
	case "identifier":
		return KeyIdentifier
	case "login", "api_key": // Beam
		return KeyLogin
	case "pass":
		return KeyPass
	case "agent":
		return KeyAgent
	case "algo":
		return KeyAlgo
	case "rigid":
		return KeyRigID
	case "site_key":
		return KeySiteKey
	case "user":
		return KeyUser
	case "goal":
		return KeyGoal
	case "token":
		return KeyToken
	case "hashes", "hashrate":
		return KeyHashes
	case "pool":
		return KeyPool
	case "host":
		return KeyHost
	case "port":
		return KeyPort
	case "proto":
		return KeyProto
	case "job":
		return KeyJob
	case "job_id", "jobid", "miningrequestid":
		return KeyJobID
	case "blob", "bds": // Arweave
		return KeyBlob
	case "target", "target_pow":
		return KeyTarget
	case "nonce", "randomness":
		return KeyNonce
	case "height":
		return KeyHeight
	case "seed_hash", "seed":
		return KeySeedHash
	case "status":
		return KeyStatus
	case "difficulty", "weight":
		return KeyDifficulty
	case "edge_bits":
		return KeyEdgeBits
	case "pow":
		return KeyPow
	case "pre_pow":
		return KeyPrePow
	case "epoch":
		return KeyEpoch
	case "extranonce", "nonceprefix": // Beam
		return KeyExtranonce
	case "input":
		return KeyInput
	case "output", "hash": // Beam, Arweave
		return KeyOutput
	case "wallet_address", "address", "miner_address", "wallet":
		return KeyWalletAddress
	case "reserve_size", "extra_nonce":
		return KeyReserveSize
	case "blocktemplate_blob":
		return KeyTemplateBlob
	case "blockhashing_blob":
		return KeyHashingBlob
	case "miniblocks":
		return KeyMiniblocks
	case "mbl_blob":
		return KeyMBLBlob
	case "capabilities", "maxversion", "rules":
		return KeyCapabilities
	case "coinbasetxn", "coinbasevalue", "coinbase":
		return KeyCoinbaseTxn
	case "transactions":
		return KeyTransactions
	case "longpollid":
		return KeyLongPollID
	case "previousblockhash", "previous_block_hash", "parent_hash", "prevhash":
		return KeyPrevHash
	case "noncerange":
		return KeyNonceRange
	case "bits", "nbits", "compact_target":
		return KeyBits
	case "data":
		return KeyData
	case "midstate", "hash1":
		return KeyMidstate
	case "header":
		return KeyHeader
	case "publicaddress":
		return KeyPublicAddress
	case "targetblob":
		return KeyTargetBlob
	case "headerblob":
		return KeyHeaderBlob
	case "message":
		return KeyMessage
	case "deviceid", "devicename", "devicedata", "computorid":
		return KeyDeviceID
	case "new_job":
		return KeyNewJob
	case "miner_work", "block_template":
		return KeyMinerWork
	case "work_id":
		return KeyWorkID
	case "nonce_size":
		return KeyNonceSize
	}
	return noKey
}

// Method numbers the methods that mean something to mining, whatever the
// dialect; Other is every other one.
type Method uint8

// Methods.
const (
	NoMethod Method = iota
	Other

	// Names that only mining uses, sent by the miner.
	Subscribe
	Authorize
	Submit // mining.submit
	Configure
	SuggestDifficulty
	SuggestTarget
	ExtranonceSubscribe
	Hello
	Hashrate
	GetTransactions
	EthSubmitLogin // and every other *_submitLogin
	EthSubmitWork
	EthSubmitRate
	EthGetWork     // also a method of Ethereum nodes
	EthLogin       // of older pools, before eth_getWork
	Keepalived     // CryptoNote
	GetJobTemplate // Grin
	MiningOther    // mining.something

	// The same, sent by the pool.
	Notify
	SetDifficulty
	SetTarget
	SetExtranonce
	SetVersionMask
	Set

	// Names that say little by themselves.
	Login
	SubmitPlain
	GetJob
	Job
	Solution // Beam
	GetWork
	GetBlockTemplate
	SubmitBlock
	GetMinerData // Monero daemon, for p2pool
	AuxPow       // the same, and merge mining of other chains
	EthSubscribe
	EthSubscription
	ClientVersion // of the miner, asked by the pool
)

// methods lists the names. The short list is searched in order; the names
// differ in length and first letters, so a comparison costs little.
var methods = [...]struct {
	name   string
	method Method
}{
	{"mining.subscribe", Subscribe}, {"mining.authorize", Authorize}, {"mining.auth", Authorize}, {"mining.submit", Submit}, {"mining.notify", Notify},
	{"mining.set_difficulty", SetDifficulty}, {"mining.configure", Configure}, {"mining.suggest_difficulty", SuggestDifficulty},
	{"mining.suggest_target", SuggestTarget}, {"mining.extranonce.subscribe", ExtranonceSubscribe}, {"mining.hello", Hello},
	{"mining.hashrate", Hashrate}, {"mining.get_transactions", GetTransactions}, {"mining.set_target", SetTarget},
	{"mining.set_extranonce", SetExtranonce}, {"mining.set_version_mask", SetVersionMask}, {"mining.set", Set},
	{"login", Login}, {"submit", SubmitPlain}, {"job", Job}, {"getjob", GetJob}, {"getjobtemplate", GetJobTemplate},
	{"keepalived", Keepalived}, {"solution", Solution}, {"getwork", GetWork},
	{"getblocktemplate", GetBlockTemplate}, {"get_block_template", GetBlockTemplate}, {"submitblock", SubmitBlock}, {"submit_block", SubmitBlock},
	{"get_miner_data", GetMinerData}, {"getminerdata", GetMinerData}, {"add_aux_pow", AuxPow}, {"calc_pow", AuxPow},
	{"merge_mining_get_aux_block", AuxPow}, {"merge_mining_get_chain_id", AuxPow}, {"merge_mining_submit_solution", AuxPow},
	{"getBlockTemplate", GetBlockTemplate}, {"getblocktemplatelight", GetBlockTemplate}, {"getminingcandidate", GetBlockTemplate}, {"getmemorypool", GetBlockTemplate},
	{"submitBlock", SubmitBlock}, {"submitblocklight", SubmitBlock}, {"submitminingsolution", SubmitBlock}, {"pprpcsb", SubmitBlock}, {"quai_receiveMinedHeader", SubmitBlock},
	{"mnr_submitBitcoinBlock", SubmitBlock}, {"mnr_submitBitcoinBlockPartialMerkle", SubmitBlock}, {"mnr_submitBitcoinBlockTransactions", SubmitBlock},
	{"getWork", GetWork}, {"getworklp", GetWork}, {"getworkaux", GetWork},
	{"createauxblock", AuxPow}, {"getauxblock", AuxPow}, {"submitauxblock", AuxPow}, {"mnr_getWork", AuxPow}, {"quai_getPendingHeader", AuxPow},
	{"miner-notify", Notify}, {"miner-submit", Submit}, // PascalCoin
	{"client.get_version", ClientVersion}, {"client.show_message", MiningOther}, {"client.reconnect", MiningOther},
	{"eth_subscribe", EthSubscribe}, {"eth_subscription", EthSubscription},
	// Other prefixes than eth_ are seen to by methodOf.
	{"eth_submitLogin", EthSubmitLogin}, {"eth_submitWork", EthSubmitWork}, {"eth_submitHashrate", EthSubmitRate}, {"eth_getWork", EthGetWork}, {"eth_login", EthLogin}, // of qtminer
	{"mining.…", MiningOther},
}

// String returns the name of the method in the spelling seen most.
func (m Method) String() string {
	for i := range methods {
		if methods[i].method == m {
			return methods[i].name
		}
	}
	return ""
}

// methodOf looks up a method name. Method names are case-sensitive in every
// pool read for this table.
func methodOf(t []byte) Method {
	for i := range methods {
		if m := &methods[i]; m.name == string(t) {
			return m.method
		}
	}
	if len(t) > 7 && string(t[:7]) == "mining." {
		return MiningOther
	}
	// The work protocol of Ethereum nodes, taken over with their own prefix by
	// other coins' pools. Any prefix will not do: "auth_submitLogin" is somebody's
	// web application.
	for _, p := range [...]string{"etc_", "ckb_", "exp_", "ubq_", "clo_", "ae_", "alph_", "kaspa_", "aqua_", "quai_", "zil_", "etrue_", "ctxc_"} {
		if len(t) > len(p) && string(t[:len(p)]) == p {
			return methodAfter(string(t[len(p):]))
		}
	}
	return Other
}

func methodAfter(s string) Method {
	switch s {
	case "submitLogin":
		return EthSubmitLogin
	case "submitWork":
		return EthSubmitWork
	case "submitHashrate":
		return EthSubmitRate
	case "getWork", "requestWork": // Zilliqa
		return EthGetWork
	}
	return Other
}
