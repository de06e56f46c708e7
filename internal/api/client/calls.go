package client

import (
	"context"
	"fmt"
	"io"
	"iter"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"github.com/yamori-net/yamori/internal/api"
)

const (
	get    = http.MethodGet
	post   = http.MethodPost
	put    = http.MethodPut
	patch  = http.MethodPatch
	remove = http.MethodDelete

	v1 = "/api/v1/"
)

func at(list, id string, more ...string) string {
	p := v1 + list + "/" + url.PathEscape(id)
	for _, m := range more {
		p += "/" + m
	}
	return p
}

func stamp(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.UTC().Format(time.RFC3339)
}

// Me says who the gateway takes the caller for.
func (c *Client) Me(ctx context.Context) (api.Me, error) {
	return call[api.Me](ctx, c, get, v1+"session", nil)
}

// Ready lists codes of what keeps the gateway from its work; none: ready.
func (c *Client) Ready(ctx context.Context) ([]string, error) {
	h, err := call[api.Health](ctx, c, get, "/readyz", nil)
	return h.Reasons, err
}

// Status says how the gateway does.
func (c *Client) Status(ctx context.Context) (api.Status, error) {
	return call[api.Status](ctx, c, get, v1+"status", nil)
}

// Devices walks the devices, the latest seen first.
func (c *Client) Devices(ctx context.Context, q api.DeviceQuery) iter.Seq2[api.Device, error] {
	v := url.Values{"kind": {q.Kind}, "person": {q.Person}, "q": {q.Text}}
	if q.Online != nil {
		v.Set("online", strconv.FormatBool(*q.Online))
	}
	return pages[api.Device](ctx, c, v1+"devices", v)
}

// Device gives one device.
func (c *Client) Device(ctx context.Context, id string) (api.Device, error) {
	return call[api.Device](ctx, c, get, at("devices", id), nil)
}

// ChangeDevice corrects what is known of a device.
func (c *Client) ChangeDevice(ctx context.Context, id string, ch api.DeviceChange) (api.Device, error) {
	return call[api.Device](ctx, c, patch, at("devices", id), ch)
}

// MergeDevices makes with a part of id.
func (c *Client) MergeDevices(ctx context.Context, id, with string) (api.Device, error) {
	return call[api.Device](ctx, c, post, at("devices", id, "merge"), api.Merge{With: with})
}

// SplitDevice makes these link-layer addresses a device of their own.
func (c *Client) SplitDevice(ctx context.Context, id string, macs ...string) (api.Device, error) {
	return call[api.Device](ctx, c, post, at("devices", id, "split"), api.Split{MACs: macs})
}

// LookAt asks the device for its description.
func (c *Client) LookAt(ctx context.Context, id string) error {
	_, err := call[none](ctx, c, post, at("devices", id, "look"), nil)
	return err
}

// Record gives everything stored about a device.
func (c *Client) Record(ctx context.Context, id string) (api.Record, error) {
	return call[api.Record](ctx, c, get, at("devices", id, "record"), nil)
}

// Erase forgets all of that.
func (c *Client) Erase(ctx context.Context, id string) (api.Erased, error) {
	return call[api.Erased](ctx, c, remove, at("devices", id), nil)
}

// Quarantine cuts a device off.
func (c *Client) Quarantine(ctx context.Context, id string, h api.Hold) (api.Entry, error) {
	return call[api.Entry](ctx, c, post, at("devices", id, "quarantine"), h)
}

// Unquarantine lets it back.
func (c *Client) Unquarantine(ctx context.Context, id string) error {
	_, err := call[none](ctx, c, remove, at("devices", id, "quarantine"), nil)
	return err
}

// Pause takes the internet from a device.
func (c *Client) Pause(ctx context.Context, id string, h api.Hold) (api.Entry, error) {
	return call[api.Entry](ctx, c, post, at("devices", id, "pause"), h)
}

// Unpause gives it back.
func (c *Client) Unpause(ctx context.Context, id string) error {
	_, err := call[none](ctx, c, remove, at("devices", id, "pause"), nil)
	return err
}

func findingQuery(q api.FindingQuery) url.Values {
	return url.Values{"device": {q.Device}, "category": {q.Category}, "family": {q.Family}, "verdict": {q.Verdict}, "action": {q.Action}, "state": {q.State},
		"since": {stamp(q.Since)}, "until": {stamp(q.Until)}}
}

// Findings walks the findings, the latest first.
func (c *Client) Findings(ctx context.Context, q api.FindingQuery) iter.Seq2[api.Finding, error] {
	return pages[api.Finding](ctx, c, v1+"findings", findingQuery(q))
}

// Finding gives one with its evidence.
func (c *Client) Finding(ctx context.Context, id string) (api.Finding, error) {
	return call[api.Finding](ctx, c, get, at("findings", id), nil)
}

// ChangeFinding sets what the owner did about it.
func (c *Client) ChangeFinding(ctx context.Context, id string, ch api.FindingChange) (api.Finding, error) {
	return call[api.Finding](ctx, c, patch, at("findings", id), ch)
}

// Capture writes the packets that prove a finding (pcapng).
func (c *Client) Capture(ctx context.Context, id string, w io.Writer) error {
	return c.download(ctx, at("findings", id, "evidence"), w)
}

// Export writes findings as eve, csv or json.
func (c *Client) Export(ctx context.Context, q api.FindingQuery, format string, w io.Writer) error {
	v := clone(findingQuery(q))
	v.Set("format", format)
	return c.download(ctx, v1+"export?"+v.Encode(), w)
}

// Flows walks the connections open now.
func (c *Client) Flows(ctx context.Context, device, appProto string) iter.Seq2[api.Flow, error] {
	return pages[api.Flow](ctx, c, v1+"flows", url.Values{"device": {device}, "app_proto": {appProto}})
}

// Timeline walks what happened, the latest first.
func (c *Client) Timeline(ctx context.Context, device, kind string, since, until time.Time) iter.Seq2[api.Moment, error] {
	return pages[api.Moment](ctx, c, v1+"timeline", url.Values{"device": {device}, "kind": {kind}, "since": {stamp(since)}, "until": {stamp(until)}})
}

// Trends gives the figures of a period; zero times: the last 30 days.
func (c *Client) Trends(ctx context.Context, from, to time.Time) (api.Trends, error) {
	return call[api.Trends](ctx, c, get, v1+"trends?"+clone(url.Values{"from": {stamp(from)}, "to": {stamp(to)}}).Encode(), nil)
}

// Policy says whether findings may block.
func (c *Client) Policy(ctx context.Context) (api.Policy, error) {
	return call[api.Policy](ctx, c, get, v1+"policy", nil)
}

// SetMode sets it: watch or protect.
func (c *Client) SetMode(ctx context.Context, mode string) (api.Policy, error) {
	return call[api.Policy](ctx, c, put, v1+"policy", api.Policy{Mode: mode})
}

// TryMode protects for a while; it goes back to watch unless SetMode confirms
// it.
func (c *Client) TryMode(ctx context.Context, d time.Duration) (api.Policy, error) {
	return call[api.Policy](ctx, c, http.MethodPut, "/api/v1/policy", api.Policy{Mode: "protect", Trial: int64(d / time.Second)})
}

// Changes walks the latest changes of the policy that can be undone.
func (c *Client) Changes(ctx context.Context) iter.Seq2[api.PolicyChange, error] {
	return pages[api.PolicyChange](ctx, c, v1+"policy/changes", nil)
}

// Undo takes one back.
func (c *Client) Undo(ctx context.Context, id string) (api.PolicyChange, error) {
	return call[api.PolicyChange](ctx, c, post, at("policy/changes", id, "undo"), nil)
}

// Lists of entries.
const (
	Exceptions = "exceptions"
	Consents   = "consents"
	Blocks     = "blocks"
	Never      = "never"
	Actions    = "actions"
)

// Entries walks one of the lists, the oldest first.
func (c *Client) Entries(ctx context.Context, list, device string) iter.Seq2[api.Entry, error] {
	return pages[api.Entry](ctx, c, v1+list, url.Values{"device": {device}})
}

// Entry gives one.
func (c *Client) Entry(ctx context.Context, list, id string) (api.Entry, error) {
	return call[api.Entry](ctx, c, get, at(list, id), nil)
}

// AddEntry adds to a list.
func (c *Client) AddEntry(ctx context.Context, list string, e api.EntryNew) (api.Entry, error) {
	return call[api.Entry](ctx, c, post, v1+list, e)
}

// RemoveEntry undoes one.
func (c *Client) RemoveEntry(ctx context.Context, list, id string) error {
	_, err := call[none](ctx, c, remove, at(list, id), nil)
	return err
}

// Settings gives the owner's choices.
func (c *Client) Settings(ctx context.Context) (api.Settings, error) {
	return call[api.Settings](ctx, c, get, v1+"settings", nil)
}

// ChangeSettings changes some of them.
func (c *Client) ChangeSettings(ctx context.Context, ch api.SettingsChange) (api.Settings, error) {
	return call[api.Settings](ctx, c, patch, v1+"settings", ch)
}

// Backup writes what is the owner's.
func (c *Client) Backup(ctx context.Context, o api.BackupOptions, w io.Writer) error {
	return c.download(ctx, v1+"backup?findings="+strconv.FormatBool(o.Findings), w, passHeader, url.PathEscape(o.Passphrase))
}

// passHeader carries the passphrase of a backup.
const passHeader = "Yamori-Passphrase"

// Restore takes a backup back; the passphrase is needed for secrets in it.
func (c *Client) Restore(ctx context.Context, passphrase string, r io.Reader) (out api.Restored, err error) {
	res, err := c.send(ctx, post, v1+"restore", "application/octet-stream", r, passHeader, url.PathEscape(passphrase))
	if err != nil {
		return out, err
	}
	defer res.Body.Close()
	if err := decode(res.Body, &out); err != nil {
		return out, fmt.Errorf("the answer of yamori at %s: %w", c.at, err)
	}
	return out, nil
}

// Import adds the findings of an export, or of Suricata's alerts: lines of JSON.
func (c *Client) Import(ctx context.Context, r io.Reader) (out api.Imported, err error) {
	res, err := c.send(ctx, post, v1+"import", "application/x-ndjson", r)
	if err != nil {
		return out, err
	}
	defer res.Body.Close()
	if err := decode(res.Body, &out); err != nil {
		return out, fmt.Errorf("the answer of yamori at %s: %w", c.at, err)
	}
	return out, nil
}

// Rules says which rules are loaded.
func (c *Client) Rules(ctx context.Context) (api.Rules, error) {
	return call[api.Rules](ctx, c, get, v1+"rules", nil)
}

// ReloadRules reads them again.
func (c *Client) ReloadRules(ctx context.Context) (api.Rules, error) {
	return call[api.Rules](ctx, c, post, v1+"rules/reload", nil)
}

// Audit walks the audit log, the latest first.
func (c *Client) Audit(ctx context.Context, actor, action string, since, until time.Time) iter.Seq2[api.AuditLine, error] {
	return pages[api.AuditLine](ctx, c, v1+"audit", url.Values{"actor": {actor}, "action": {action}, "since": {stamp(since)}, "until": {stamp(until)}})
}

// Users walks everybody.
func (c *Client) Users(ctx context.Context) iter.Seq2[api.User, error] {
	return pages[api.User](ctx, c, v1+"users", nil)
}

// User gives one.
func (c *Client) User(ctx context.Context, id string) (api.User, error) {
	return call[api.User](ctx, c, get, at("users", id), nil)
}

// AddUser adds one.
func (c *Client) AddUser(ctx context.Context, u api.UserNew) (api.User, error) {
	return call[api.User](ctx, c, post, v1+"users", u)
}

// ChangeUser changes one: also a forgotten password, or a lost second factor.
func (c *Client) ChangeUser(ctx context.Context, id string, ch api.UserChange) (api.User, error) {
	return call[api.User](ctx, c, patch, at("users", id), ch)
}

// DeleteUser removes one.
func (c *Client) DeleteUser(ctx context.Context, id string) error {
	_, err := call[none](ctx, c, remove, at("users", id), nil)
	return err
}

// Tokens walks the tokens.
func (c *Client) Tokens(ctx context.Context) iter.Seq2[api.Token, error] {
	return pages[api.Token](ctx, c, v1+"tokens", nil)
}

// AddToken makes one; its secret is in this answer alone.
func (c *Client) AddToken(ctx context.Context, t api.TokenNew) (api.Token, error) {
	return call[api.Token](ctx, c, post, v1+"tokens", t)
}

// DeleteToken ends one.
func (c *Client) DeleteToken(ctx context.Context, id string) error {
	_, err := call[none](ctx, c, remove, at("tokens", id), nil)
	return err
}

// Sessions walks the logins of all users, over the socket.
func (c *Client) Sessions(ctx context.Context) iter.Seq2[api.Session, error] {
	return pages[api.Session](ctx, c, v1+"sessions", nil)
}

// EndSession ends one.
func (c *Client) EndSession(ctx context.Context, id string) error {
	_, err := call[none](ctx, c, remove, at("sessions", id), nil)
	return err
}
