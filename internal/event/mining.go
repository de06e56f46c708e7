package event

// MiningProgress is the type of the events that tell how mining goes on: a
// while after its finding, now and then, and when its connection ends.
const MiningProgress Type = "mining"

// MiningRun is what one connection's mining has come to so far.
type MiningRun struct {
	First, Last int64 // of its messages, ns since the Unix epoch
	Jobs        uint64
	Shares      uint64 // handed in
	Accepted    uint64
	Rejected    uint64
	Difficulty  string  // or target, as sent
	PerShare    float64 // hashes (or solutions) a share takes on average; 0: not known
	Work        float64 // the same of all shares
	Solutions   bool    // the algorithm finds solutions, not hashes
	Rate        float64 // hashes or solutions a second, from the shares; 0: not known
	RateError   float64 // of Rate, one standard deviation as a part of it
	Reported    float64 // a second, as the miner says
	Assumed     string  // algorithm that Rate takes for granted because none is named

	// What it may take, as a range: watts, and watt hours from First to Last.
	// It stands on Basis, the kind of machine and algorithm, which has a range
	// of joules for each hash or solution (Joules), or else of watts by itself.
	Power  [2]float64
	Energy [2]float64
	Joules [2]float64
	Least  float64 // watts that a machine of the kind takes at work: Power goes at least so far
	Basis  string  // "randomx", "sha256d-asic"…; empty: no estimate
}

// MiningUpdate is the body of an event of type MiningProgress. Its addresses
// are those of a finding: the miner is the source.
type MiningUpdate struct {
	Detail     MiningDetail
	Family     string // of the finding before it
	Final      bool   // the connection has ended
	FromClient bool   // the miner is the flow's client
	Device     DeviceRef
}

// EncodeEVE appends the member "mining".
func (u *MiningUpdate) EncodeEVE(e *Encoder) {
	e.Obj("mining")
	e.Str("state", map[bool]string{false: "running", true: "ended"}[u.Final])
	e.OptStr("family", u.Family)
	encodeMining(e, &u.Detail)
	if u.Device.ID != "" {
		e.Obj("device")
		e.Str("id", u.Device.ID)
		e.Str("kind", u.Device.Kind)
		e.Str("name", u.Device.Name)
		e.EndObj()
	}
	e.EndObj()
}

// EncodeMining appends the member "mining"; what was not seen is left out.
func EncodeMining(e *Encoder, m *MiningDetail) {
	e.Obj("mining")
	encodeMining(e, m)
	e.EndObj()
}

func encodeMining(e *Encoder, m *MiningDetail) {
	e.OptStr("dialect", m.Dialect)
	e.OptStr("coin", m.Coin)
	e.OptStr("algorithm", m.Algorithm)
	e.OptStr("agent", m.Agent)
	e.OptStr("worker", m.Worker)
	e.OptStr("wallet", m.Wallet)
	e.OptStr("pool", m.Pool)
	if len(m.Miners) > 0 {
		e.Arr("miners")
		for _, a := range m.Miners {
			e.Str("", a)
		}
		e.EndArr()
		e.Uint("miners_total", uint64(m.MinersTotal))
	}
	if m.Run != nil {
		m.Run.encode(e)
	}
}

func (r *MiningRun) encode(e *Encoder) {
	float := func(k string, v float64) {
		if v > 0 {
			e.Float(k, v, -1)
		}
	}
	if r.First != 0 {
		e.Time("first_seen", r.First)
		e.Time("last_seen", r.Last)
		e.Int("duration", max(0, r.Last-r.First)/1e9)
	}
	e.Uint("jobs", r.Jobs)
	e.Uint("shares", r.Shares)
	e.Uint("accepted", r.Accepted)
	e.Uint("rejected", r.Rejected)
	e.OptStr("difficulty", r.Difficulty)
	if r.PerShare > 0 || r.Reported > 0 {
		e.Str("work_unit", map[bool]string{false: "hash", true: "solution"}[r.Solutions])
	}
	float("work_per_share", r.PerShare)
	float("work", r.Work)
	float("hash_rate", r.Rate)
	float("hash_rate_error", r.RateError)
	float("hash_rate_reported", r.Reported)
	e.OptStr("hash_rate_assumes", r.Assumed)
	if r.Basis != "" {
		e.Str("energy_basis", r.Basis)
		float("joules_min", r.Joules[0])
		float("joules_max", r.Joules[1])
		float("power_min", r.Power[0])
		float("power_max", r.Power[1])
		float("energy_min", r.Energy[0])
		float("energy_max", r.Energy[1])
	}
}
