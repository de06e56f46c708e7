package api

import (
	"context"
	"errors"
	"io"
	"time"
)

// Actor says who asked for what a part is called for: a user's name, a token's
// prefix or "uid:" and a number, as in the audit log. Empty: the program.
func Actor(ctx context.Context) string { s, _ := ctx.Value(actorKey{}).(string); return s }

type actorKey struct{}

// OwnOnly says that who asks may change only what they made themselves.
func OwnOnly(ctx context.Context) bool { b, _ := ctx.Value(ownKey{}).(bool); return b }

type ownKey struct{}

// What the API asks of the rest of the program. Each part is an interface of
// its own, so that adapters stay thin. A nil part answers 503 with the code
// "unavailable". All are called from many goroutines. Positions (Page.After)
// come back from clients and must be checked like any input.
//
// Errors: ErrNotFound → 404, ErrNotYours → 403, ErrConflict → 409, ErrBusy → 503 with Retry-After, ErrInvalid (or
// *InvalidError, which names the field) → 422; anything else → 500, logged
// and shown only by a number.

// Errors that parts return, alone or wrapped.
var (
	ErrNotFound = errors.New("no such thing")
	ErrConflict = errors.New("it is not in a state for this")
	ErrInvalid  = errors.New("the request cannot be")
	ErrBusy     = errors.New("busy")
	ErrNotYours = errors.New("an owner, or who made it, may change this")
)

// InvalidError says which field of a request cannot be, and why.
type InvalidError struct{ Field, Text string }

// Error is shown to the client.
func (e *InvalidError) Error() string { return e.Field + ": " + e.Text }

// Is makes it an ErrInvalid.
func (e *InvalidError) Is(target error) bool { return target == ErrInvalid }

// Page is a place in a list.
type Page struct {
	Limit int    // 1 … MaxLimit
	After string // the part's own position; empty: the begin
}

// Devices is the inventory.
type Devices interface {
	// Devices lists by the time last seen, latest first; next is the position
	// after the last one, empty at the end.
	Devices(ctx context.Context, q DeviceQuery, p Page) (list []Device, next string, err error)
	Device(ctx context.Context, id string) (Device, error)
	ChangeDevice(ctx context.Context, id string, c DeviceChange) (Device, error)
	MergeDevices(ctx context.Context, id, with string) (Device, error)
	SplitDevice(ctx context.Context, id string, macs []string) (Device, error)
	LookAt(ctx context.Context, id string) error // starts an active look; ErrConflict when the owner switched it off
}

// DeviceQuery filters devices; zero values filter nothing.
type DeviceQuery struct {
	Kind, Person, Text string
	Online             *bool
}

// Records shows and erases what is stored about a device, in every part.
type Records interface {
	Record(ctx context.Context, id string) (Record, error)
	Erase(ctx context.Context, id string) (Erased, error)
}

// Findings are kept judgements, the latest first.
type Findings interface {
	Findings(ctx context.Context, q FindingQuery, p Page) (list []Finding, next string, err error)
	Finding(ctx context.Context, id string) (Finding, error)
	ChangeFinding(ctx context.Context, id string, c FindingChange) (Finding, error)
	Capture(ctx context.Context, id string) (io.ReadCloser, error) // pcapng
	// Export writes findings as "eve", "csv" or "json" until the end or the
	// first error of w.
	Export(ctx context.Context, q FindingQuery, format string, w io.Writer) error
	// Import adds what an export as "eve" or "json" holds, and alerts of
	// Suricata. Lines that cannot be read are counted and left out.
	Import(ctx context.Context, r io.Reader) (Imported, error)
}

// FindingQuery filters findings; zero values filter nothing.
type FindingQuery struct {
	Device, Category, Family, Verdict, Action, State string
	Since, Until                                     time.Time
}

// Flows are the connections open now.
type Flows interface {
	Flows(ctx context.Context, device, appProto string, p Page) (list []Flow, next string, err error)
}

// Timeline is what happened, the latest first.
type Timeline interface {
	Timeline(ctx context.Context, device, kind string, since, until time.Time, p Page) (list []Moment, next string, err error)
}

// Figures are the trends of a period.
type Figures interface {
	Trends(ctx context.Context, from, to time.Time) (Trends, error)
}

// Rulebook is the policy with its entries.
type Rulebook interface {
	Policy(ctx context.Context) (Policy, error)
	// SetMode sets the mode; with a trial it goes back to watch after that time
	// unless it is set again without.
	SetMode(ctx context.Context, mode string, trial time.Duration) error
	// Entries lists those of these kinds, the oldest first. There are few
	// thousand at most; the API pages.
	Entries(ctx context.Context, kinds ...string) ([]Entry, error)
	AddEntry(ctx context.Context, kind string, e EntryNew, author string) (Entry, error)
	RemoveEntry(ctx context.Context, id string) error
	// Changes lists the latest changes that can be undone, the oldest first.
	Changes(ctx context.Context) ([]PolicyChange, error)
	Undo(ctx context.Context, id string) (PolicyChange, error)
}

// Choices are the owner's settings.
type Choices interface {
	Settings(ctx context.Context) (Settings, error)
	ChangeSettings(ctx context.Context, c SettingsChange) (Settings, error)
}

// Safe makes backups and takes them back.
type Safe interface {
	Backup(ctx context.Context, o BackupOptions, w io.Writer) error
	// Restore takes a backup back. Whoever holds copies of what it brings reads
	// them again (auth.Service.Reload).
	Restore(ctx context.Context, passphrase string, r io.Reader) (Restored, error)
}

// BackupOptions say what a backup holds.
type BackupOptions struct {
	Passphrase string // encrypts the secrets; empty: they are left out
	Findings   bool   // findings too
}

// RuleSets are the loaded rules.
type RuleSets interface {
	Rules(ctx context.Context) (Rules, error)
	ReloadRules(ctx context.Context) (Rules, error)
}

// State is the daemon.
type State interface {
	Status(ctx context.Context) (Status, error)
	// Ready lists what keeps it from doing its work; none: ready.
	Ready(ctx context.Context) []Problem
	// Metrics gives the samples of /metrics (see metrics.go for their names).
	Metrics(ctx context.Context) []Sample
}

// Logbook reads the audit log, the latest first. It is written through
// auth.Auditor.
type Logbook interface {
	AuditLog(ctx context.Context, actor, action string, since, until time.Time, p Page) (list []AuditLine, next string, err error)
}

// Backend is all of it.
type Backend struct {
	Devices  Devices
	Records  Records
	Findings Findings
	Flows    Flows
	Timeline Timeline
	Figures  Figures
	Rulebook Rulebook
	Choices  Choices
	Safe     Safe
	RuleSets RuleSets
	State    State
	Logbook  Logbook

	// Zone is where the home is: days without a time begin at its midnight. nil:
	// UTC.
	Zone func() *time.Location
}
