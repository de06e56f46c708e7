package api

import (
	"encoding/json"
	"time"
)

// The shapes of the API. Their JSON names are stable. The tags doc, enum, min,
// max (of a number, a string's characters or a list's length), format and
// pattern become the schemas of openapi.yaml, and requests are held to them.

// Device is one thing in the home.
type Device struct {
	ID         string    `json:"id" doc:"stable identity" max:"128"`
	Name       string    `json:"name" doc:"what the owner or the device calls it"`
	Kind       string    `json:"kind" doc:"what it is" enum:"computer,phone,tablet,router,camera,recorder,nas,tv,console,printer,speaker,hub,plug,light,appliance,wearable,voip,server,unknown"`
	OS         string    `json:"os"`
	Maker      string    `json:"maker"`
	Model      string    `json:"model"`
	Confidence float64   `json:"confidence" doc:"in the kind, 0 to 1"`
	Person     string    `json:"person" doc:"whose it is"`
	MACs       []MAC     `json:"macs"`
	Addresses  []string  `json:"addresses" doc:"IPv4 and IPv6, as last seen"`
	Hostname   string    `json:"hostname"`
	Online     bool      `json:"online"`
	First      time.Time `json:"first"`
	Last       time.Time `json:"last"`
	Quarantine string    `json:"quarantine,omitempty" doc:"id of the block that holds it"`
	Pause      string    `json:"pause,omitempty" doc:"id of the pause that holds it"`
	Corrected  []string  `json:"corrected" doc:"fields that the owner set; they are never overwritten"`
	Clues      []Clue    `json:"clues" doc:"why it is thought to be what it is; empty in lists"`
}

// MAC is a link-layer address of a device.
type MAC struct {
	Address string    `json:"address"`
	Random  bool      `json:"random" doc:"locally administered: a private address"`
	Last    time.Time `json:"last"`
}

// Clue is one observation about a device.
type Clue struct {
	Code   string    `json:"code" doc:"stable code of the kind of clue"`
	Value  string    `json:"value"`
	Weight float64   `json:"weight"`
	Seen   time.Time `json:"seen"`
}

// DeviceChange is what may be changed of a device; what is left out stays. An
// empty string gives the field back to what the device says.
type DeviceChange struct {
	Name   *string `json:"name,omitempty" max:"64"`
	Kind   *string `json:"kind,omitempty" enum:",computer,phone,tablet,router,camera,recorder,nas,tv,console,printer,speaker,hub,plug,light,appliance,wearable,voip,server,unknown"`
	Person *string `json:"person,omitempty" max:"64"`
	OS     *string `json:"os,omitempty" max:"64"`
	Maker  *string `json:"maker,omitempty" max:"64"`
	Model  *string `json:"model,omitempty" max:"64"`
}

// Merge names the device that turned out to be the same.
type Merge struct {
	With string `json:"with" doc:"identity of the other device; it is gone afterwards" min:"1" max:"128"`
}

// Split names the addresses that belong to another device.
type Split struct {
	MACs []string `json:"macs" doc:"link-layer addresses that become a device of their own" min:"1" max:"32"`
}

// Record is everything stored about one device.
type Record struct {
	Device   Device          `json:"device"`
	Sections []RecordSection `json:"sections"`
}

// RecordSection is what one part of the program holds about a device.
type RecordSection struct {
	Kind   string            `json:"kind" doc:"clues, addresses, findings, evidence, entries, counters, presence…"`
	Count  int64             `json:"count" doc:"how many there are; rows may hold fewer"`
	Oldest time.Time         `json:"oldest,omitzero"`
	Until  time.Time         `json:"until,omitzero" doc:"when the oldest is forgotten by itself"`
	Rows   []json.RawMessage `json:"rows" doc:"as they are stored"`
}

// Erased says what was erased, by the kind of record.
type Erased struct {
	Counts map[string]int64 `json:"counts"`
}

// Finding is one judgement.
type Finding struct {
	ID         string          `json:"id" max:"64"`
	Time       time.Time       `json:"time" doc:"of the first"`
	Last       time.Time       `json:"last" doc:"of the latest repeat"`
	Count      int64           `json:"count"`
	Estimated  bool            `json:"estimated" doc:"the clock was not set; time is estimated"`
	Device     string          `json:"device" doc:"identity; empty: none"`
	DeviceName string          `json:"device_name"`
	DeviceKind string          `json:"device_kind"`
	Category   string          `json:"category" enum:"mining,botnet,exploit,malware,ransomware,scan,bruteforce,flood,webthreat,dns,tunnel,policy,anomaly"`
	Family     string          `json:"family"`
	Verdict    string          `json:"verdict" enum:"suspect,likely,confirmed"`
	Confidence float64         `json:"confidence"`
	Severity   int             `json:"severity" doc:"1 high, 2 medium, 3 low"`
	Action     string          `json:"action" enum:"blocked,allowed,would_block"`
	Direction  string          `json:"direction" enum:",outbound,inbound,local"`
	Remote     string          `json:"remote" doc:"address of the other side"`
	Country    string          `json:"country" doc:"two letters"`
	ASN        int64           `json:"asn"`
	Signature  int64           `json:"signature_id"`
	Title      string          `json:"signature"`
	State      string          `json:"state" enum:"new,seen,solved,ignored"`
	Until      time.Time       `json:"until,omitzero" doc:"of ignored"`
	Note       string          `json:"note"`
	Capture    bool            `json:"capture" doc:"a capture of the packets that prove it is kept"`
	Explain    Explain         `json:"explain"`
	Evidence   []Evidence      `json:"evidence" doc:"empty in lists"`
	EVE        json.RawMessage `json:"eve,omitempty" doc:"the record as it is exported; left out of lists" type:"object"`
}

// Explain is what to tell people, as a code with arguments.
type Explain struct {
	Code string            `json:"code"`
	Args map[string]string `json:"args"`
}

// Evidence is one observation behind a finding.
type Evidence struct {
	Code   string  `json:"code"`
	Value  string  `json:"value"`
	Weight float64 `json:"weight"`
}

// FindingChange is what the owner did about a finding.
type FindingChange struct {
	State *string    `json:"state,omitempty" enum:"new,seen,solved,ignored"`
	Until *time.Time `json:"until,omitempty" doc:"of ignored; left out: for good"`
	Note  *string    `json:"note,omitempty" max:"1000"`
}

// Flow is a connection that is open now.
type Flow struct {
	ID       string    `json:"id"`
	Device   string    `json:"device"`
	SrcIP    string    `json:"src_ip"`
	SrcPort  int       `json:"src_port"`
	DestIP   string    `json:"dest_ip"`
	DestPort int       `json:"dest_port"`
	Proto    string    `json:"proto"`
	AppProto string    `json:"app_proto"`
	Host     string    `json:"host" doc:"name of the other side, where it was seen"`
	Country  string    `json:"country"`
	First    time.Time `json:"first"`
	Last     time.Time `json:"last"`
	Sent     int64     `json:"bytes_toserver"`
	Received int64     `json:"bytes_toclient"`
}

// Moment is one line of the timeline.
type Moment struct {
	ID      string    `json:"id"`
	Time    time.Time `json:"time"`
	End     time.Time `json:"end,omitzero"`
	Kind    string    `json:"kind" enum:"finding,device,block,policy,system"`
	Device  string    `json:"device"`
	Code    string    `json:"code" doc:"what happened, as a stable code"`
	Args    []Pair    `json:"args"`
	Finding string    `json:"finding,omitempty" doc:"id, where it is one"`
}

// Pair is a name with its value.
type Pair struct {
	Name  string `json:"name"`
	Value string `json:"value"`
}

// Trends are the figures of a period.
type Trends struct {
	From          time.Time     `json:"from"`
	To            time.Time     `json:"to"`
	Demonstration bool          `json:"demonstration,omitempty"`
	Total         Figure        `json:"total"`
	Mining        Figure        `json:"mining"`
	MiningShare   float64       `json:"mining_share" doc:"of all events, 0 to 1"`
	Blocked       int64         `json:"blocked"`
	Outbound      int64         `json:"outbound"`
	BusiestMonth  string        `json:"busiest_month,omitempty"`
	Months        []TrendBucket `json:"months"`
	Weeks         []TrendBucket `json:"weeks"`
	Days          []TrendBucket `json:"days"`
	Categories    []TrendShare  `json:"categories"`
	Families      []TrendShare  `json:"families"`
	Kinds         []TrendShare  `json:"device_kinds"`
	Miners        []TrendShare  `json:"mining_device_kinds"`
	Devices       []TrendShare  `json:"devices"`
	Countries     []TrendShare  `json:"countries"`
	Networks      []TrendShare  `json:"networks"`
	Sources       []string      `json:"sources"`
	Notes         []string      `json:"notes"`
}

// Figure is a count and how it changed against the period before.
type Figure struct {
	Count  int64    `json:"count"`
	Before *int64   `json:"before" doc:"null: not known"`
	Growth *float64 `json:"growth" doc:"0.92 is +92 %; null: not known"`
}

// TrendBucket is one month, ISO week or day.
type TrendBucket struct {
	Key         string           `json:"key"`
	Start       time.Time        `json:"start"`
	Total       int64            `json:"total"`
	Mining      int64            `json:"mining"`
	MiningShare float64          `json:"mining_share"`
	Growth      *float64         `json:"growth"`
	Blocked     int64            `json:"blocked"`
	Categories  map[string]int64 `json:"categories"`
}

// TrendShare is one line of a table of parts.
type TrendShare struct {
	Name    string   `json:"name" doc:"empty: not known"`
	Label   string   `json:"label,omitempty"`
	Share   float64  `json:"share"`
	Blocked int64    `json:"blocked"`
	Count   int64    `json:"count"`
	Before  *int64   `json:"before"`
	Growth  *float64 `json:"growth"`
}

// Policy says whether findings may block by themselves.
type Policy struct {
	Mode string `json:"mode" enum:"watch,protect"`
	// A trial ends by itself unless the mode is set again without one.
	Trial int64     `json:"trial_seconds,omitempty" doc:"asks for protection for so long only, unless it is confirmed: set again without this" min:"0" max:"3600"`
	Until time.Time `json:"until,omitzero" doc:"when the trial ends; left out: there is none"`
	// Inline is set by the gateway alone.
	Inline bool `json:"inline,omitempty" doc:"packets pass through the gateway's inspection and can be stopped"`
	// Acts is set by the gateway alone.
	Acts string `json:"acts,omitempty" enum:"inline,after,reset,tell" doc:"how findings are stopped: before the packet leaves, by cutting the flow afterwards, by resets from a mirror port, or not at all"`
}

// Entry is one thing the owner said: an exception, a consent, a block, an
// address never to block, or from which level on findings block.
type Entry struct {
	ID       string    `json:"id"`
	Kind     string    `json:"kind" enum:"exception,consent,block,quarantine,pause,never,action"`
	Scope    Scope     `json:"scope"`
	Reason   string    `json:"reason"`
	Author   string    `json:"author"`
	At       string    `json:"at,omitempty" doc:"level from which on an action blocks" enum:"never,suspect,likely,confirmed"`
	Severity int       `json:"severity,omitempty" doc:"an action holds for findings at least this severe; 1 is the most severe"`
	Reject   bool      `json:"reject,omitempty" doc:"the sender is told"`
	Schedule *Schedule `json:"schedule,omitempty"`
	Created  time.Time `json:"created"`
	Until    time.Time `json:"until,omitzero" doc:"left out: until it is removed"`
	Active   bool      `json:"active"`
	Hits     int64     `json:"hits" doc:"how often it decided"`
	LastHit  time.Time `json:"last_hit,omitzero"`
	Fixed    bool      `json:"fixed,omitempty" doc:"cannot be removed"`
}

// PolicyChange is a change of the policy that can be undone.
type PolicyChange struct {
	ID     string    `json:"id"`
	At     time.Time `json:"at"`
	What   string    `json:"what" enum:"add,remove,mode,undo"`
	Entry  string    `json:"entry,omitempty" doc:"id of the entry"`
	Kind   string    `json:"kind,omitempty"`
	Author string    `json:"author"`
}

// Scope says what an entry is about. What is left out means any; all that is
// given must hold.
type Scope struct {
	Device   string `json:"device,omitempty" max:"255"`
	Kind     string `json:"kind,omitempty" doc:"of the device" max:"32"`
	Dest     string `json:"dest,omitempty" doc:"address or network of the other end" max:"64"`
	Host     string `json:"host,omitempty" doc:"its name, or any name under it" max:"255"`
	Port     int    `json:"port,omitempty" min:"0" max:"65535"`
	GID      int64  `json:"gid,omitempty" min:"0" max:"4294967295"`
	SID      int64  `json:"sid,omitempty" doc:"of a rule" min:"0" max:"4294967295"`
	Category string `json:"category,omitempty" enum:",mining,botnet,exploit,malware,ransomware,scan,bruteforce,flood,webthreat,dns,tunnel,policy,anomaly"`
	Family   string `json:"family,omitempty" max:"64"`
	Pool     string `json:"pool,omitempty" max:"255"`
	Wallet   string `json:"wallet,omitempty" max:"255"`
}

// Schedule says when a pause holds, by the home's local time.
type Schedule struct {
	Slots []Slot `json:"slots" min:"1" max:"32"`
}

// Slot is a stretch of time on some days; one whose end is not after its begin
// runs past midnight.
type Slot struct {
	Days int `json:"days" doc:"bit 0 Sunday to bit 6 Saturday" min:"1" max:"127"`
	From int `json:"from" doc:"minute of the day" min:"0" max:"1439"`
	To   int `json:"to" doc:"minute of the day, exclusive" min:"1" max:"1440"`
}

// EntryNew asks for an entry.
type EntryNew struct {
	Kind     string    `json:"kind,omitempty" doc:"of a block; left out: block" enum:"block,quarantine,pause"`
	Scope    Scope     `json:"scope"`
	Reason   string    `json:"reason,omitempty" max:"400"`
	At       string    `json:"at,omitempty" doc:"of an action" enum:"never,suspect,likely,confirmed"`
	Severity int       `json:"severity,omitempty" min:"0" max:"3"`
	Reject   bool      `json:"reject,omitempty"`
	Schedule *Schedule `json:"schedule,omitempty"`
	Seconds  int64     `json:"seconds,omitempty" doc:"how long it holds; left out: until it is removed" min:"0" max:"315360000"`
}

// Hold asks to quarantine or pause a device.
type Hold struct {
	Reason   string    `json:"reason,omitempty" max:"400"`
	Seconds  int64     `json:"seconds,omitempty" doc:"how long; left out: until it is lifted" min:"0" max:"315360000"`
	Schedule *Schedule `json:"schedule,omitempty" doc:"of a pause"`
}

// Settings are the owner's choices that are kept with the state.
type Settings struct {
	Language  string         `json:"language" enum:"auto,en,ja"`
	TimeZone  string         `json:"time_zone" doc:"IANA name; empty: the system's"`
	Evidence  bool           `json:"evidence" doc:"keep a small capture for each finding"`
	Presence  bool           `json:"presence" doc:"keep when devices were at home"`
	Names     bool           `json:"names" doc:"keep the names that devices ask for (browsing history); always false, none is kept"`
	Look      bool           `json:"look" doc:"allow asking devices for their description, when the owner wants it"`
	Retention map[string]int `json:"retention" doc:"days by kind of record"`
}

// SettingsChange is what may be changed of the settings; what is left out
// stays.
type SettingsChange struct {
	Language  *string        `json:"language,omitempty" enum:"auto,en,ja"`
	TimeZone  *string        `json:"time_zone,omitempty" max:"64"`
	Evidence  *bool          `json:"evidence,omitempty"`
	Presence  *bool          `json:"presence,omitempty"`
	Names     *bool          `json:"names,omitempty"`
	Look      *bool          `json:"look,omitempty"`
	Retention map[string]int `json:"retention,omitempty" doc:"days by kind of record" min:"0" max:"32"`
}

// Imported says what became of the lines of an import.
type Imported struct {
	Findings int64    `json:"findings" doc:"added"`
	Skipped  int64    `json:"skipped" doc:"lines of EVE that are no alerts"`
	Bad      int64    `json:"bad" doc:"lines that could not be read"`
	Problems []string `json:"problems" doc:"the first few of them"`
}

// Restored says what a backup brought back.
type Restored struct {
	Counts map[string]int64 `json:"counts"`
	Notes  []string         `json:"notes" doc:"codes of what was left out, and why"`
}

// Status is what the daemon says of itself.
type Status struct {
	Version       string    `json:"version"`
	Mode          string    `json:"mode" enum:"watch,protect"`
	Inspecting    bool      `json:"inspecting"`
	Interface     string    `json:"interface"`
	Since         time.Time `json:"since"`
	Packets       int64     `json:"packets"`
	Bytes         int64     `json:"bytes"`
	Dropped       int64     `json:"dropped" doc:"frames that the kernel could not keep"`
	Flows         int64     `json:"flows" doc:"open now"`
	Devices       int64     `json:"devices"`
	Online        int64     `json:"online"`
	Findings      int64     `json:"findings"`
	Open          int64     `json:"open" doc:"findings that wait for the owner"`
	Workers       int64     `json:"workers"`
	Alerts        int64     `json:"alerts" doc:"of rules"`
	EventsDropped int64     `json:"events_dropped"`
	EventErrors   int64     `json:"event_errors" doc:"writes to the event file that failed"`
	Lost          int64     `json:"lost" doc:"times the interface went away"`
	Evicted       int64     `json:"evicted" doc:"flows pushed out because the table was full"`
	Panics        int64     `json:"panics" doc:"packets that cost their flow"`
	Rules         int64     `json:"rules" doc:"loaded"`
	RulesFailed   int64     `json:"rules_failed"`
	RulesSince    time.Time `json:"rules_since,omitzero"`
	RulesRefused  string    `json:"rules_refused,omitempty" doc:"why the latest load was refused; the rules before it stay, after a start the project's own"`
	RefusedAt     time.Time `json:"rules_refused_at,omitzero"`
	StoreBytes    int64     `json:"store_bytes"`
	StoreLimit    int64     `json:"store_limit"`
	LastBackup    time.Time `json:"last_backup,omitzero"`
	Problems      []Problem `json:"problems" doc:"what keeps it from working fully"`

	Privileges *Privileges `json:"privileges,omitempty"`
	Plugin     *Plugin     `json:"plugin,omitempty" doc:"plug-in mode; absent: it is off"`
}

// Plugin says how plug-in mode goes.
type Plugin struct {
	Running bool     `json:"running"`
	Named   int64    `json:"named" doc:"devices that the owner named"`
	Led     []string `json:"led" doc:"hardware addresses of those whose traffic comes by"`
}

// Privileges say what the process that reads packets may do.
type Privileges struct {
	Parted   bool      `json:"parted" doc:"another process keeps the privileges"`
	User     string    `json:"user"`
	Seccomp  bool      `json:"seccomp"`
	Landlock int64     `json:"landlock" doc:"version; 0: absent"`
	Missing  []Problem `json:"missing" doc:"what is weaker than it could be"`
}

// Problem is something that needs attention, as a code.
type Problem struct {
	Code string `json:"code"`
	Args []Pair `json:"args"`
}

// Rules says which rules are loaded.
type Rules struct {
	Loaded   int64         `json:"loaded"`
	Failed   int64         `json:"failed"`
	Inert    int64         `json:"inert" doc:"loaded, and cannot match here"`
	Memory   int64         `json:"memory" doc:"bytes of the compiled rules"`
	Since    time.Time     `json:"since"`
	Problems []RuleProblem `json:"problems" doc:"the first hundred"`
}

// RuleProblem is a rule that could not be loaded.
type RuleProblem struct {
	File   string `json:"file"`
	Line   int    `json:"line"`
	Column int    `json:"column"`
	SID    int64  `json:"sid"`
	Reason string `json:"reason"`
}

// AuditLine is one line of the audit log.
type AuditLine struct {
	ID      string            `json:"id"`
	Time    time.Time         `json:"time"`
	Actor   string            `json:"actor" doc:"a user's name, token:prefix or uid:number"`
	Via     string            `json:"via" enum:",session,token,socket"`
	Addr    string            `json:"addr"`
	Action  string            `json:"action"`
	Target  string            `json:"target"`
	Outcome string            `json:"outcome"`
	Detail  map[string]string `json:"detail"`
}
