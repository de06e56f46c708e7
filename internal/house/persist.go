package house

import (
	"context"
	"encoding/json"
	"errors"

	"github.com/yamori-net/yamori/internal/auth"
	"github.com/yamori-net/yamori/internal/store"
)

// documents keeps what policy and auth have to keep. What is done to them is
// noted in the audit log by the API, with who did it.
type documents struct{ s *store.Store }

func short() (context.Context, context.CancelFunc) {
	return context.WithTimeout(context.Background(), storeTime)
}

// Put is durable when it returns.
func (d documents) Put(bucket, key string, value []byte) error {
	ctx, cancel := short()
	defer cancel()
	_, err := d.s.Apply(ctx, store.Change{Unlogged: true, Ops: []store.Op{{Bucket: bucket, Key: key, Value: value, If: store.AnyVersion}}})
	return err
}

// Delete of what is not there is no error.
func (d documents) Delete(bucket, key string) error {
	ctx, cancel := short()
	defer cancel()
	_, err := d.s.Apply(ctx, store.Change{Unlogged: true, Ops: []store.Op{{Bucket: bucket, Key: key, If: store.AnyVersion}}})
	if errors.Is(err, store.ErrNotFound) {
		return nil
	}
	return err
}

// Get finds one document.
func (d documents) Get(bucket, key string) ([]byte, bool, error) {
	ctx, cancel := short()
	defer cancel()
	doc, err := d.s.Get(ctx, bucket, key)
	if errors.Is(err, store.ErrNotFound) {
		return nil, false, nil
	}
	return doc.Value, err == nil, err
}

// Each calls f with each document of a bucket.
func (d documents) Each(bucket string, f func(key string, value []byte) error) error {
	ctx, cancel := short()
	defer cancel()
	list, err := d.s.List(ctx, bucket)
	for i := range list {
		if err == nil {
			err = f(list[i].Key, list[i].Value)
		}
	}
	return err
}

// List is Each.
func (d documents) List(bucket string, f func(key string, value []byte) error) error {
	return d.Each(bucket, f)
}

// bucketSettings holds one document, the owner's choices.
const bucketSettings = "settings"

// bucketsSecret hold what a backup encrypts or leaves out.
var bucketsSecret = []string{"auth.users", "auth.tokens", "auth.sessions"}

// deviceStore keeps the records of devices.
type deviceStore struct{ s *store.Store }

// Load calls f with every record.
func (d deviceStore) Load(f func(id string, record []byte) error) error {
	ctx, cancel := short()
	defer cancel()
	list, err := d.s.Devices(ctx)
	for i := range list {
		if err == nil {
			err = f(list[i].ID, list[i].Value)
		}
	}
	return err
}

var errFull = errors.New("the event store's queue is full")

// Save replaces or deletes a record.
func (d deviceStore) Save(id string, record []byte) error {
	if record == nil {
		if !d.s.DropDevice(id) {
			return errFull
		}
		return nil
	}
	if !d.s.PutDevice(id, record) {
		return errFull
	}
	return nil
}

// Audit notes a change that somebody made. It never waits long: a full disk
// must not keep the owner from acting.
func (h *House) Audit(e auth.Entry) {
	detail, err := json.Marshal(auditDetail{Via: string(e.Via), Addr: e.Addr, Outcome: e.Outcome, Detail: e.Detail})
	if err == nil {
		ctx, cancel := short()
		defer cancel()
		err = h.Store.Audit(ctx, e.Actor, e.Action, e.Target, detail)
	}
	if err != nil {
		h.cfg.Log.Warn("the audit log could not be written", "action", e.Action, "actor", e.Actor, "error", err)
	}
}

// auditDetail is the form of an entry's detail.
type auditDetail struct {
	Via     string            `json:"via,omitempty"`
	Addr    string            `json:"addr,omitempty"`
	Outcome string            `json:"outcome"`
	Detail  map[string]string `json:"detail,omitempty"`
}

// names writes references to documents as bucket/key.
func names(refs []store.DocumentRef) (out []string) {
	for _, r := range refs {
		out = append(out, r.Bucket+"/"+r.Key)
	}
	return out
}
