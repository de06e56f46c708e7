package api

import (
	"io"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"time"

	"github.com/yamori-net/yamori/internal/auth"
)

func getPolicy(c *call) error {
	p, err := c.s.cfg.Backend.Rulebook.Policy(c.ctx())
	if err != nil {
		return err
	}
	return c.json(&p)
}

func putPolicy(c *call) error {
	var in Policy
	if err := c.decode(&in); err != nil {
		return err
	}
	c.note("mode", in.Mode)
	if !in.Until.IsZero() || in.Inline {
		return invalid("until", "is said by the gateway alone; ask for a trial with trial_seconds")
	}
	if in.Trial > 0 && in.Mode != "protect" {
		return invalid("trial_seconds", "only with the mode protect")
	}
	b := c.s.cfg.Backend.Rulebook
	if c.conditional() {
		now, err := b.Policy(c.ctx())
		if err != nil {
			return err
		}
		if err := c.ifMatch(&now); err != nil {
			return err
		}
	}
	if err := b.SetMode(c.ctx(), in.Mode, time.Duration(in.Trial)*time.Second); err != nil {
		return err
	}
	p, err := b.Policy(c.ctx())
	if err != nil {
		return err
	}
	c.s.cfg.Events.Publish(EventPolicy, &p)
	return c.json(&p)
}

func (k *collection) list(c *call) error {
	p, err := c.page()
	if err != nil {
		return err
	}
	all, err := c.s.cfg.Backend.Rulebook.Entries(c.ctx(), k.kinds...)
	if err != nil {
		return err
	}
	if dev := c.str("device"); dev != "" {
		kept := all[:0:0]
		for _, e := range all {
			if e.Scope.Device == dev {
				kept = append(kept, e)
			}
		}
		all = kept
	}
	items, next := cutPage(all, p)
	return list(c, items, next, nil)
}

// find looks an entry up among those of the collection.
func (k *collection) find(c *call) (Entry, error) {
	all, err := c.s.cfg.Backend.Rulebook.Entries(c.ctx(), k.kinds...)
	if err != nil {
		return Entry{}, err
	}
	for _, e := range all {
		if e.ID == c.id() && k.among(&e) {
			return e, nil
		}
	}
	return Entry{}, ErrNotFound
}

func (k *collection) get(c *call) error {
	e, err := k.find(c)
	if err != nil {
		return err
	}
	return c.json(&e)
}

func (k *collection) add(c *call) error {
	var in EntryNew
	if err := c.decode(&in); err != nil {
		return err
	}
	kind := k.kinds[0]
	if in.Kind != "" {
		if len(k.kinds) == 1 {
			return invalid("kind", "only of a block")
		}
		kind = in.Kind
	}
	if (kind == "action") != (in.At != "") {
		return invalid("at", "belongs to an action, and an action needs it")
	}
	if in.Schedule != nil && kind != "pause" {
		return invalid("schedule", "only of a pause")
	}
	if in.Scope == (Scope{}) && kind != "action" {
		return invalid("scope", "say what it is about")
	}
	return c.addEntry(kind, in)
}

// addEntry adds, tells those who listen, and answers.
func (c *call) addEntry(kind string, in EntryNew) error {
	c.note("kind", kind)
	for _, x := range [...]Pair{{"device", in.Scope.Device}, {"dest", in.Scope.Dest}, {"host", in.Scope.Host}, {"category", in.Scope.Category}, {"family", in.Scope.Family},
		{"pool", in.Scope.Pool}, {"wallet", in.Scope.Wallet}, {"of_kind", in.Scope.Kind}, {"at", in.At}} {
		if x.Value != "" {
			c.note(x.Name, x.Value)
		}
	}
	for _, x := range [...]struct {
		name string
		n    int64
	}{{"port", int64(in.Scope.Port)}, {"sid", in.Scope.SID}, {"seconds", in.Seconds}} {
		if x.n != 0 {
			c.note(x.name, strconv.FormatInt(x.n, 10))
		}
	}
	e, err := c.s.cfg.Backend.Rulebook.AddEntry(c.ctx(), kind, in, c.who.Name)
	if err != nil {
		return err
	}
	c.target = e.ID
	c.s.cfg.Events.Publish(EventPolicy, &e)
	return c.json(&e)
}

// mayLift: who is not an owner lifts only what they made.
func (c *call) mayLift(e *Entry) error {
	if c.who.Role < auth.Owner && e.Author != c.who.Name {
		return ErrNotYours
	}
	if e.Fixed {
		return refuse(http.StatusConflict, "fixed", "it cannot be removed")
	}
	return nil
}

// lift removes an entry.
func (c *call) lift(e *Entry) error {
	if err := c.mayLift(e); err != nil {
		return err
	}
	return c.s.cfg.Backend.Rulebook.RemoveEntry(c.ctx(), e.ID)
}

func (k *collection) remove(c *call) error {
	e, err := k.find(c)
	if err != nil {
		return err
	}
	if err := c.ifMatch(&e); err != nil {
		return err
	}
	if err := c.lift(&e); err != nil {
		return err
	}
	return c.none()
}

// hold is POST /devices/{id}/quarantine and /pause.
func hold(kind string) func(*call) error {
	return func(c *call) error {
		var in Hold
		if err := c.decode(&in); err != nil {
			return err
		}
		if in.Schedule != nil && kind != "pause" {
			return invalid("schedule", "only of a pause")
		}
		if d := c.s.cfg.Backend.Devices; d != nil {
			if _, err := d.Device(c.ctx(), c.id()); err != nil {
				return err
			}
		}
		return c.addEntry(kind, EntryNew{Scope: Scope{Device: c.id()}, Reason: in.Reason, Seconds: in.Seconds, Schedule: in.Schedule})
	}
}

// unhold is DELETE of the same: all holds of this kind on the device.
func unhold(kind string) func(*call) error {
	return func(c *call) error {
		all, err := c.s.cfg.Backend.Rulebook.Entries(c.ctx(), kind)
		if err != nil {
			return err
		}
		all = slices.DeleteFunc(all, func(e Entry) bool { return e.Scope.Device != c.id() })
		if len(all) == 0 {
			return ErrNotFound
		}
		for i := range all { // all of them or none
			if err := c.mayLift(&all[i]); err != nil {
				return err
			}
		}
		for i := range all {
			if err := c.lift(&all[i]); err != nil {
				return err
			}
		}
		return c.none()
	}
}

func getSettings(c *call) error {
	v, err := c.s.cfg.Backend.Choices.Settings(c.ctx())
	if err != nil {
		return err
	}
	return c.json(&v)
}

// noteSettings says in the audit log what was changed to what.
func (c *call) noteSettings(in *SettingsChange) {
	for _, x := range [...]struct {
		name  string
		value *string
	}{{"language", in.Language}, {"time_zone", in.TimeZone}} {
		if x.value != nil {
			c.note(x.name, *x.value)
		}
	}
	for _, x := range [...]struct {
		name  string
		value *bool
	}{{"evidence", in.Evidence}, {"presence", in.Presence}, {"names", in.Names}, {"look", in.Look}} {
		if x.value != nil {
			c.note(x.name, strconv.FormatBool(*x.value))
		}
	}
	for k, n := range in.Retention {
		c.note("retention."+k, strconv.Itoa(n))
	}
}

func patchSettings(c *call) error {
	var in SettingsChange
	if err := c.decode(&in); err != nil {
		return err
	}
	c.noteSettings(&in)
	b := c.s.cfg.Backend.Choices
	if c.conditional() {
		now, err := b.Settings(c.ctx())
		if err != nil {
			return err
		}
		if err := c.ifMatch(&now); err != nil {
			return err
		}
	}
	v, err := b.ChangeSettings(c.ctx(), in)
	if err != nil {
		return err
	}
	return c.json(&v)
}

func listChanges(c *call) error {
	p, err := c.page()
	if err != nil {
		return err
	}
	all, err := c.s.cfg.Backend.Rulebook.Changes(c.ctx())
	if err != nil {
		return err
	}
	items, next := cutPage(all, p)
	return list(c, items, next, nil)
}

func undoChange(c *call) error {
	v, err := c.s.cfg.Backend.Rulebook.Undo(c.ctx(), c.id())
	if err != nil {
		return err
	}
	return c.json(&v)
}

// passHeader carries the passphrase of a backup, percent-encoded: a query
// would end in logs.
const passHeader = "Yamori-Passphrase"

func (c *call) passphrase() (string, error) {
	s, err := url.PathUnescape(c.r.Header.Get(passHeader))
	if err != nil || len(s) > 1024 || !plain(s) {
		return "", refuse(http.StatusBadRequest, "passphrase", "send the header "+passHeader+" percent-encoded, at most 1024 bytes")
	}
	return s, nil
}

func getBackup(c *call) error {
	pass, err := c.passphrase()
	if err != nil {
		return err
	}
	o := BackupOptions{Passphrase: pass}
	if f := c.flag("findings"); f != nil {
		o.Findings = *f
		c.note("findings", strconv.FormatBool(*f))
	}
	c.note("secrets", strconv.FormatBool(pass != ""))
	return c.stream("yamori.backup", func(w io.Writer) error { return c.s.cfg.Backend.Safe.Backup(c.ctx(), o, w) })
}

func postRestore(c *call) error {
	if c.r.Header.Get("Content-Type") != c.route.BodyType {
		return refuse(http.StatusUnsupportedMediaType, "media-type", "send "+c.route.BodyType)
	}
	pass, err := c.passphrase()
	if err != nil {
		return err
	}
	v, err := c.s.cfg.Backend.Safe.Restore(c.ctx(), pass, c.r.Body)
	if err != nil {
		return err
	}
	return c.json(&v)
}

func getRules(c *call) error {
	v, err := c.s.cfg.Backend.RuleSets.Rules(c.ctx())
	if err != nil {
		return err
	}
	return c.json(&v)
}

func reloadRules(c *call) error {
	v, err := c.s.cfg.Backend.RuleSets.ReloadRules(c.ctx())
	if err != nil {
		return err
	}
	return c.json(&v)
}
