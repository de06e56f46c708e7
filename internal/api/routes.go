package api

import (
	"net/http"

	"github.com/yamori-net/yamori/internal/auth"
)

// Access is what a route needs.
type Access uint8

// Accesses. A session needs the role, a token the scope of the same rank.
const (
	Public Access = iota
	Read          // viewer, scope read
	Act           // member, scope act
	Admin         // owner, scope admin
)

func (a Access) role() auth.Role { return auth.Role(a) }

// String returns the word of the scope; empty for Public.
func (a Access) String() string { return auth.ScopeName(a.role()) }

// route is one line of the table.
type route struct {
	Method, Pattern string
	Name            string // operationId, and the action in the audit log
	Need            Access
	Doc             string
	Query           []param
	Body            any    // zero value of the request's shape; nil: none
	BodyType        string // of a body that is not JSON
	Body0           int64  // limit of the body; 0: maxBody
	Result          any    // zero value of the answer's shape; nil: none or not JSON
	Type            string // of an answer that is not JSON
	Status          int    // of success
	Cond            bool   // looks at If-Match
	SessionOnly     bool   // a person in a session
	NoToken         bool   // a session or the socket
	Grave           bool   // in the audit log though it only reads
	Stream          bool   // no time-out, no compression
	Part            func(*Backend) bool
	Handle          func(*call) error
}

// param is a parameter of a query.
type param struct {
	Name, Type, Doc string
	Enum            []string
}

var (
	paging = []param{
		{"limit", "integer", "how many, 1 to 200; 50 when left out", nil},
		{"cursor", "string", "next of the page before", nil},
	}
	since        = param{"since", "date-time", "not before this time or day; a day begins at midnight at home", nil}
	until        = param{"until", "date-time", "before this time or day; a day begins at midnight at home", nil}
	ofDevice     = param{"device", "string", "identity of a device", nil}
	findingQuery = []param{ofDevice, since, until,
		{"category", "string", "", []string{"mining", "botnet", "exploit", "malware", "ransomware", "scan", "bruteforce", "flood", "webthreat", "dns", "tunnel", "policy", "anomaly"}},
		{"family", "string", "such as stratum or mirai", nil},
		{"verdict", "string", "", []string{"suspect", "likely", "confirmed"}},
		{"action", "string", "", []string{"blocked", "allowed", "would_block"}},
		{"state", "string", "what the owner did about it", []string{"new", "seen", "solved", "ignored"}},
	}
	kindsOfDevice = []string{"computer", "phone", "tablet", "router", "camera", "recorder", "nas", "tv", "console", "printer", "speaker", "hub", "plug", "light", "appliance", "wearable", "voip", "server", "unknown"}
)

func with(p []param, more ...param) []param { return append(append([]param{}, more...), p...) }

// table lists every route.
func table() []route {
	t := []route{
		{Method: "GET", Pattern: "/healthz", Name: "healthz", Doc: "The process answers.", Result: Health{}, Handle: getHealth},
		{Method: "GET", Pattern: "/readyz", Name: "readyz", Doc: "It does its work; 503 with reasons when not.", Result: Health{}, Handle: getReady},
		{Method: "GET", Pattern: "/metrics", Name: "metrics", Need: Read, Doc: "Figures in the text format of Prometheus.", Type: "text/plain", Handle: getMetrics},
		{Method: "GET", Pattern: "/api/openapi.yaml", Name: "openapi", Doc: "This description.", Type: "application/yaml", Handle: getOpenAPI},
		{Method: "GET", Pattern: "/home", Name: "home.page", Doc: "Page with what was found lately and the devices.", Type: "text/html", Handle: pageHome},
		{Method: "GET", Pattern: "/setup", Name: "setup.page", Doc: "Page of the one-time set-up link.", Type: "text/html", Handle: pageSetup},
		{Method: "GET", Pattern: "/login", Name: "login.page", Doc: "Page to log in.", Type: "text/html", Handle: pageLogin},
		{Method: "GET", Pattern: "/assets/{id}", Name: "assets", Doc: "Style and script of the pages.", Type: "text/plain", Handle: getAsset},
		{Method: "GET", Pattern: "/devices/{id}/record", Name: "record.page", Need: Admin, Grave: true, Doc: "Page with everything stored about a device, to print or erase.", Type: "text/html",
			Part: func(b *Backend) bool { return b.Records != nil }, Handle: pageRecord},

		{Method: "POST", Pattern: "/api/v1/setup", Name: "setup", Doc: "Make the first owner with the one-time link; logs in.", Body: Setup{}, Body0: maxPublicBody, Result: Me{}, Status: 201, Handle: postSetup},
		{Method: "POST", Pattern: "/api/v1/session", Name: "session.login", Doc: "Log in; the answer sets the cookie.", Body: Login{}, Body0: maxPublicBody, Result: Me{}, Status: 201, Handle: postLogin},
		{Method: "GET", Pattern: "/api/v1/session", Name: "session.get", Need: Read, Doc: "Who is asking.", Result: Me{}, Handle: getMe},
		{Method: "DELETE", Pattern: "/api/v1/session", Name: "session.logout", Need: Read, SessionOnly: true, Doc: "Log out.", Status: 204, Handle: logout},
		{Method: "POST", Pattern: "/api/v1/session/password", Name: "session.password", Need: Read, SessionOnly: true, Doc: "Change the own password; other sessions end.", Body: Password{}, Status: 204, Handle: postPassword},
		{Method: "POST", Pattern: "/api/v1/session/totp", Name: "totp.enrol", Need: Read, SessionOnly: true, Doc: "Begin with a second factor.", Body: Confirm{}, Result: TOTPSecret{}, Status: 201, Handle: enrolTOTP},
		{Method: "PUT", Pattern: "/api/v1/session/totp", Name: "totp.confirm", Need: Read, SessionOnly: true, Doc: "Put the second factor in force.", Body: TOTPCode{}, Result: RecoveryCodes{}, Handle: confirmTOTP},
		{Method: "POST", Pattern: "/api/v1/session/totp/remove", Name: "totp.remove", Need: Read, SessionOnly: true, Doc: "Remove the own second factor.", Body: Confirm{}, Status: 204, Handle: removeTOTP},
		{Method: "GET", Pattern: "/api/v1/sessions", Name: "sessions.list", Need: Read, NoToken: true, Doc: "The own sessions; over the socket all.", Result: List[Session]{}, Query: paging, Handle: listSessions},
		{Method: "DELETE", Pattern: "/api/v1/sessions/{id}", Name: "sessions.end", Need: Read, NoToken: true, Doc: "End an own session; over the socket any.", Status: 204, Handle: endSession},
		{Method: "GET", Pattern: "/api/v1/users", Name: "users.list", Need: Admin, NoToken: true, Doc: "Everybody.", Result: List[User]{}, Query: paging, Handle: listUsers},
		{Method: "POST", Pattern: "/api/v1/users", Name: "users.add", Need: Admin, NoToken: true, Doc: "Add a user.", Body: UserNew{}, Result: User{}, Status: 201, Handle: addUser},
		{Method: "GET", Pattern: "/api/v1/users/{id}", Name: "users.get", Need: Admin, NoToken: true, Doc: "One user.", Result: User{}, Handle: getUser},
		{Method: "PATCH", Pattern: "/api/v1/users/{id}", Name: "users.change", Need: Admin, NoToken: true, Cond: true, Doc: "Change name, role or password, or remove a lost second factor.", Body: UserChange{}, Result: User{}, Handle: changeUser},
		{Method: "DELETE", Pattern: "/api/v1/users/{id}", Name: "users.delete", Need: Admin, NoToken: true, Cond: true, Doc: "Remove a user with sessions and tokens.", Status: 204, Handle: deleteUser},
		{Method: "GET", Pattern: "/api/v1/tokens", Name: "tokens.list", Need: Read, NoToken: true, Doc: "The own tokens; for owners all.", Result: List[Token]{}, Query: paging, Handle: listTokens},
		{Method: "POST", Pattern: "/api/v1/tokens", Name: "tokens.add", Need: Read, NoToken: true, Doc: "Make a token; the secret is in this answer alone.", Body: TokenNew{}, Result: Token{}, Status: 201, Handle: addToken},
		{Method: "DELETE", Pattern: "/api/v1/tokens/{id}", Name: "tokens.delete", Need: Read, NoToken: true, Doc: "End a token.", Status: 204, Handle: deleteToken},

		{Method: "GET", Pattern: "/api/v1/status", Name: "status", Need: Read, Doc: "How the gateway does.", Result: Status{}, Part: hasState, Handle: getStatus},
		{Method: "GET", Pattern: "/api/v1/events", Name: "events", Need: Read, Stream: true, Doc: "Live events (SSE): finding, device, status, policy; reset when events were missed.", Type: "text/event-stream",
			Query: []param{{"type", "string", "only this type", eventTypes}, {"last_event_id", "string", "where the header Last-Event-ID cannot be set", nil}}, Handle: serveEvents},

		{Method: "GET", Pattern: "/api/v1/devices", Name: "devices.list", Need: Read, Doc: "Devices, the latest seen first.", Result: List[Device]{}, Part: hasDevices,
			Query: with(paging, param{"kind", "string", "", kindsOfDevice}, param{"person", "string", "whose it is", nil}, param{"online", "boolean", "", nil}, param{"q", "string", "part of a name, maker or address", nil}), Handle: listDevices},
		{Method: "GET", Pattern: "/api/v1/devices/{id}", Name: "devices.get", Need: Read, Doc: "One device, with the clues.", Result: Device{}, Part: hasDevices, Handle: getDevice},
		{Method: "PATCH", Pattern: "/api/v1/devices/{id}", Name: "devices.change", Need: Act, Cond: true, Doc: "Correct name, kind, person and so on; the correction stays.", Body: DeviceChange{}, Result: Device{}, Part: hasDevices, Handle: changeDevice},
		{Method: "DELETE", Pattern: "/api/v1/devices/{id}", Name: "devices.erase", Need: Admin, Cond: true, Doc: "Erase everything stored about a device.", Result: Erased{}, Part: hasRecords, Handle: eraseDevice},
		{Method: "GET", Pattern: "/api/v1/devices/{id}/record", Name: "devices.record", Need: Admin, Grave: true, Doc: "Everything stored about a device.", Result: Record{}, Part: hasRecords, Handle: getRecord},
		{Method: "POST", Pattern: "/api/v1/devices/{id}/merge", Name: "devices.merge", Need: Admin, Cond: true, Doc: "Two entries are one device.", Body: Merge{}, Result: Device{}, Part: hasDevices, Handle: mergeDevices},
		{Method: "POST", Pattern: "/api/v1/devices/{id}/split", Name: "devices.split", Need: Admin, Cond: true, Doc: "Some addresses are another device; answers with that one.", Body: Split{}, Result: Device{}, Status: 201, Part: hasDevices, Handle: splitDevice},
		{Method: "POST", Pattern: "/api/v1/devices/{id}/look", Name: "devices.look", Need: Act, Doc: "Ask the device for its description, now.", Status: 202, Part: hasDevices, Handle: lookAt},
		{Method: "POST", Pattern: "/api/v1/devices/{id}/quarantine", Name: "devices.quarantine", Need: Act, Doc: "Cut the device off.", Body: Hold{}, Result: Entry{}, Status: 201, Part: hasRulebook, Handle: hold("quarantine")},
		{Method: "DELETE", Pattern: "/api/v1/devices/{id}/quarantine", Name: "devices.unquarantine", Need: Act, Doc: "Let the device back.", Status: 204, Part: hasRulebook, Handle: unhold("quarantine")},
		{Method: "POST", Pattern: "/api/v1/devices/{id}/pause", Name: "devices.pause", Need: Act, Doc: "No internet for the device, for a while.", Body: Hold{}, Result: Entry{}, Status: 201, Part: hasRulebook, Handle: hold("pause")},
		{Method: "DELETE", Pattern: "/api/v1/devices/{id}/pause", Name: "devices.unpause", Need: Act, Doc: "Internet again.", Status: 204, Part: hasRulebook, Handle: unhold("pause")},

		{Method: "GET", Pattern: "/api/v1/findings", Name: "findings.list", Need: Read, Doc: "Findings, the latest first.", Result: List[Finding]{}, Query: with(paging, findingQuery...), Part: hasFindings, Handle: listFindings},
		{Method: "GET", Pattern: "/api/v1/findings/{id}", Name: "findings.get", Need: Read, Doc: "One finding, with the evidence.", Result: Finding{}, Part: hasFindings, Handle: getFinding},
		{Method: "PATCH", Pattern: "/api/v1/findings/{id}", Name: "findings.change", Need: Act, Cond: true, Doc: "Seen, solved, ignored; a note.", Body: FindingChange{}, Result: Finding{}, Part: hasFindings, Handle: changeFinding},
		{Method: "GET", Pattern: "/api/v1/findings/{id}/evidence", Name: "findings.evidence", Need: Admin, Grave: true, Stream: true, Doc: "The packets that prove it (pcapng).", Type: "application/x-pcapng", Part: hasFindings, Handle: getCapture},
		{Method: "GET", Pattern: "/api/v1/export", Name: "export", Need: Admin, Grave: true, Stream: true, Doc: "Findings as EVE lines, CSV or JSON.", Type: "application/octet-stream",
			Query: with(findingQuery, param{"format", "string", "eve when left out", []string{"eve", "csv", "json"}}), Part: hasFindings, Handle: export},
		{Method: "POST", Pattern: "/api/v1/import", Name: "import", Need: Admin, NoToken: true, Stream: true, Doc: "Add findings: lines of an export as EVE or JSON, or of Suricata's alerts.", BodyType: "application/x-ndjson", Body0: maxRestore, Result: Imported{},
			Part: hasFindings, Handle: postImport},
		{Method: "GET", Pattern: "/api/v1/flows", Name: "flows.list", Need: Admin, Grave: true, Doc: "Connections open now.", Result: List[Flow]{}, Query: with(paging, ofDevice, param{"app_proto", "string", "", nil}),
			Part: func(b *Backend) bool { return b.Flows != nil }, Handle: listFlows},
		{Method: "GET", Pattern: "/api/v1/timeline", Name: "timeline", Need: Read, Doc: "What happened, the latest first.", Result: List[Moment]{},
			Query: with(paging, ofDevice, since, until, param{"kind", "string", "", []string{"finding", "device", "block", "policy", "system"}}), Part: func(b *Backend) bool { return b.Timeline != nil }, Handle: listTimeline},
		{Method: "GET", Pattern: "/api/v1/trends", Name: "trends", Need: Read, Doc: "The figures of a period, beside those of the one before.", Result: Trends{},
			Query: []param{{"from", "date-time", "30 days before to when left out", nil}, {"to", "date-time", "exclusive; now when left out", nil}}, Part: func(b *Backend) bool { return b.Figures != nil }, Handle: getTrends},

		{Method: "GET", Pattern: "/api/v1/policy", Name: "policy.get", Need: Read, Doc: "Whether findings may block.", Result: Policy{}, Part: hasRulebook, Handle: getPolicy},
		{Method: "PUT", Pattern: "/api/v1/policy", Name: "policy.set", Need: Admin, Cond: true, Doc: "Watch or protect.", Body: Policy{}, Result: Policy{}, Part: hasRulebook, Handle: putPolicy},
		{Method: "GET", Pattern: "/api/v1/policy/changes", Name: "policy.changes", Need: Admin, Doc: "The latest changes that can be undone, the oldest first.", Result: List[PolicyChange]{}, Query: paging, Part: hasRulebook, Handle: listChanges},
		{Method: "POST", Pattern: "/api/v1/policy/changes/{id}/undo", Name: "policy.undo", Need: Admin, Doc: "Take a change back.", Result: PolicyChange{}, Part: hasRulebook, Handle: undoChange},
		{Method: "GET", Pattern: "/api/v1/settings", Name: "settings.get", Need: Admin, Doc: "The owner's choices.", Result: Settings{}, Part: hasChoices, Handle: getSettings},
		{Method: "PATCH", Pattern: "/api/v1/settings", Name: "settings.change", Need: Admin, Cond: true, Doc: "Change some of them.", Body: SettingsChange{}, Result: Settings{}, Part: hasChoices, Handle: patchSettings},
		{Method: "GET", Pattern: "/api/v1/backup", Name: "backup", Need: Admin, NoToken: true, Grave: true, Stream: true, Doc: "What is the owner's, as one file; with the header Yamori-Passphrase also the secrets, encrypted.", Type: "application/octet-stream",
			Query: []param{{"findings", "boolean", "findings too", nil}}, Part: hasSafe, Handle: getBackup},
		{Method: "POST", Pattern: "/api/v1/restore", Name: "restore", Need: Admin, NoToken: true, Stream: true, Doc: "Take such a file back.", BodyType: "application/octet-stream", Body0: maxRestore, Result: Restored{}, Part: hasSafe, Handle: postRestore},
		{Method: "GET", Pattern: "/api/v1/rules", Name: "rules.get", Need: Read, Doc: "Which rules are loaded.", Result: Rules{}, Part: hasRuleSets, Handle: getRules},
		{Method: "POST", Pattern: "/api/v1/rules/reload", Name: "rules.reload", Need: Admin, Stream: true, Doc: "Read the rules again.", Result: Rules{}, Part: hasRuleSets, Handle: reloadRules},
		{Method: "GET", Pattern: "/api/v1/audit", Name: "audit.list", Need: Admin, Doc: "Who changed what, the latest first.", Result: List[AuditLine]{},
			Query: with(paging, since, until, param{"actor", "string", "", nil}, param{"action", "string", "operationId of a route", nil}), Part: func(b *Backend) bool { return b.Logbook != nil }, Handle: listAudit},
	}
	for _, k := range collections {
		t = append(t,
			route{Method: "GET", Pattern: "/api/v1/" + k.path, Name: k.path + ".list", Need: Read, Doc: k.doc + ", the oldest first.", Result: List[Entry]{}, Query: with(paging, ofDevice), Part: hasRulebook, Handle: k.list},
			route{Method: "POST", Pattern: "/api/v1/" + k.path, Name: k.path + ".add", Need: k.change, Doc: "Add one.", Body: EntryNew{}, Result: Entry{}, Status: 201, Part: hasRulebook, Handle: k.add},
			route{Method: "GET", Pattern: "/api/v1/" + k.path + "/{id}", Name: k.path + ".get", Need: Read, Doc: "One of them.", Result: Entry{}, Part: hasRulebook, Handle: k.get},
			route{Method: "DELETE", Pattern: "/api/v1/" + k.path + "/{id}", Name: k.path + ".remove", Need: k.change, Cond: true, Doc: "Undo it.", Status: 204, Part: hasRulebook, Handle: k.remove})
	}
	for i := range t {
		if t[i].Status == 0 {
			t[i].Status = http.StatusOK
		}
	}
	return t
}

// collection is a list of entries of the policy.
type collection struct {
	path   string
	kinds  []string // the first is what a new one is
	change Access
	doc    string
}

// What weakens the guard is the owner's to change; what strengthens it for a
// while, a member's too.
var collections = []collection{
	{"exceptions", []string{"exception"}, Admin, "What is not told and not blocked"},
	{"consents", []string{"consent"}, Admin, "Mining that is the owner's own"},
	{"blocks", []string{"block", "quarantine", "pause"}, Act, "What is stopped: blocks, quarantines, pauses"},
	{"never", []string{"never"}, Admin, "What is never blocked"},
	{"actions", []string{"action"}, Admin, "From which level on findings block"},
}

func hasState(b *Backend) bool    { return b.State != nil }
func hasDevices(b *Backend) bool  { return b.Devices != nil }
func hasRecords(b *Backend) bool  { return b.Records != nil }
func hasFindings(b *Backend) bool { return b.Findings != nil }
func hasRulebook(b *Backend) bool { return b.Rulebook != nil }
func hasChoices(b *Backend) bool  { return b.Choices != nil }
func hasSafe(b *Backend) bool     { return b.Safe != nil }
func hasRuleSets(b *Backend) bool { return b.RuleSets != nil }
