package store

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/ncruces/go-sqlite3"
)

// MaxDevice bounds the record of one device.
const MaxDevice = 64 << 10

// PutDevice keeps what the list of devices knows about one, written within
// FlushEvery (the owner's corrections are documents). It is false when the
// queue is full, or the record too big or no JSON.
func (s *Store) PutDevice(id string, value json.RawMessage) bool {
	if id == "" || len(id) > maxWord || len(value) > MaxDevice || !json.Valid(value) {
		return false
	}
	s.q.mu.Lock()
	defer s.q.mu.Unlock()
	return s.q.putDevice(id, append([]byte{}, value...))
}

// DropDevice removes the record of a device that was merged into another;
// see Erase for what the owner wants forgotten.
func (s *Store) DropDevice(id string) bool {
	s.q.mu.Lock()
	defer s.q.mu.Unlock()
	return s.q.putDevice(id, nil)
}

// DeviceRecord is one device as PutDevice got it.
type DeviceRecord struct {
	ID      string          `json:"id"`
	Updated time.Time       `json:"-"`
	Value   json.RawMessage `json:"value"`
}

// Devices returns all records that are on the disk, by id.
func (s *Store) Devices(ctx context.Context) ([]DeviceRecord, error) {
	var out []DeviceRecord
	err := s.read(ctx, func(rd *reader) error {
		return rd.c.rows(func(st *sqlite3.Stmt) error {
			out = append(out, DeviceRecord{ID: st.ColumnText(0), Updated: time.UnixMilli(st.ColumnInt64(1)), Value: st.ColumnBlob(2, nil)})
			return nil
		}, "SELECT id, updated, value FROM devices ORDER BY id")
	})
	return out, err
}

func (s *Store) flushDevices(m map[string][]byte) error {
	for id, v := range m {
		var err error
		if v == nil {
			err = s.w.exec("DELETE FROM devices WHERE id=?", id)
		} else {
			err = s.w.exec("INSERT OR REPLACE INTO devices(id, updated, value) VALUES(?,?,?)", id, s.clk.estimate().UnixMilli(), v)
		}
		if err != nil {
			return err
		}
	}
	if len(m) == 0 {
		return nil
	}
	return s.boundDevices()
}

// flushManyDevices writes what is too much for one transaction, and leaves the
// rest of m for the one that all else is written in.
func (s *Store) flushManyDevices(m map[string][]byte) error {
	var size int64
	for id, v := range m {
		size += int64(len(id) + len(v))
	}
	for size > s.lim.walSoft {
		part := map[string][]byte{}
		var n int64
		for id, v := range m {
			if part[id], n = v, n+int64(len(id)+len(v)); n > s.lim.walSoft/2 {
				break
			}
		}
		if err := s.tx(true, func() error { return s.flushDevices(part) }); err != nil {
			return err
		}
		for id := range part {
			delete(m, id)
		}
		size -= n
		s.bound()
	}
	return nil
}

// ownerless is what the record of a device holds of which the owner has said
// nothing.
const ownerless = `"owner":{}`

// boundDevices lets the records go that were not renewed for longest, when all
// together exceed their share: whoever is in the home can invent devices, and
// these must not push out what was found. Those that hold something of the
// owner's stay.
func (s *Store) boundDevices() error {
	size, err := s.w.one("SELECT total(length(value)+length(id)) FROM devices")
	if err != nil || size <= s.lim.devices {
		return err
	}
	return s.w.exec(`DELETE FROM devices WHERE id IN (SELECT id FROM (SELECT id, sum(length(value)+length(id)) OVER (ORDER BY updated DESC, id) AS size, value FROM devices)
		WHERE size > ? AND instr(value, ?))`, s.lim.devices*3/4, ownerless)
}

func (s *Store) flushTraffic(m map[trafficKey]Traffic) error {
	for k, t := range m {
		dev, err := s.words.id(s.w, k.device)
		if err != nil {
			return err
		}
		at := time.Unix(k.hour*3600, 0)
		if when, est := s.clk.stamp(at); est {
			at = when
		}
		for g, b := range bucketOf(at, s.zone()) {
			err := s.w.exec(`INSERT INTO traffic(grain, bucket, device, up, down, flows, seen) VALUES(?,?,?,?,?,?,?)
				ON CONFLICT(grain, bucket, device) DO UPDATE SET up=up+excluded.up, down=down+excluded.down, flows=flows+excluded.flows, seen=seen+excluded.seen`,
				g, b, dev, t.Up, t.Down, t.Flows, t.Seen)
			if err != nil {
				return err
			}
		}
	}
	return nil
}

// TrafficRow is one device's traffic in one bucket.
type TrafficRow struct {
	Start time.Time
	Traffic
}

// TrafficOf returns the traffic of a device (empty: of each) by Hour, Day or
// Month.
func (s *Store) TrafficOf(ctx context.Context, device string, from, to time.Time, bucket Bucket) ([]TrafficRow, error) {
	grain, ok := map[Bucket]int{Hour: grainHour, Day: grainDay, Month: grainMonth}[bucket]
	if !ok || !from.Before(to) {
		return nil, fmt.Errorf("store: traffic is kept by hour, day and month")
	}
	loc := s.zone()
	a, b := bucketOf(from, loc)[grain], bucketOf(to.Add(-1), loc)[grain]
	var out []TrafficRow
	err := s.read(ctx, func(rd *reader) error {
		id, known, err := wordID(rd.c, device)
		if err != nil || !known {
			return err
		}
		return rd.c.rows(func(st *sqlite3.Stmt) (err error) {
			r := TrafficRow{Start: startOf(grain, st.ColumnInt64(0), loc)}
			r.Time, r.Up, r.Down, r.Flows, r.Seen = r.Start, st.ColumnInt64(2), st.ColumnInt64(3), st.ColumnInt64(4), st.ColumnInt64(5)
			r.Device, err = rd.word(st.ColumnInt64(1))
			out = append(out, r)
			return err
		}, "SELECT bucket, device, up, down, flows, seen FROM traffic WHERE grain=?1 AND bucket BETWEEN ?2 AND ?3 AND (?4=0 OR device=?4) ORDER BY bucket, device", grain, a, b, id)
	})
	return out, err
}

// Description is all that is stored about a device.
type Description struct {
	Device               string
	Record               json.RawMessage // of the list of devices
	Findings             int64           // records, not repeats
	Events, Flows        int64
	Captures             int64
	CaptureBytes         int64
	Figures, TrafficRows int64
	First, Last          time.Time // of findings and events
	// Documents are the owner's whose key is the device's id; Mentions those
	// whose value names it.
	Documents, Mentions []DocumentRef
	Audit               int64 // entries about its documents, and about what the owner wrote to its findings
}

// DocumentRef names a document.
type DocumentRef struct{ Bucket, Key string }

// Describe lists what is stored about a device. What waits for the next flush
// is not counted.
func (s *Store) Describe(ctx context.Context, device string) (Description, error) {
	d := Description{Device: device}
	err := s.read(ctx, func(rd *reader) error { return rd.describe(&d) })
	return d, err
}

func (rd *reader) describe(d *Description) error {
	c := rd.c
	err := c.rows(func(st *sqlite3.Stmt) error { d.Record = st.ColumnBlob(0, nil); return nil }, "SELECT value FROM devices WHERE id=?", d.Device)
	if err != nil {
		return err
	}
	if err := c.rows(func(st *sqlite3.Stmt) error {
		ref := DocumentRef{st.ColumnText(0), st.ColumnText(1)}
		if ref.Key == d.Device {
			d.Documents = append(d.Documents, ref)
		} else {
			d.Mentions = append(d.Mentions, ref)
		}
		return nil
	}, "SELECT bucket, key FROM documents WHERE key=?1 OR instr(value, '\"'||?1||'\"')>0 ORDER BY bucket, key", d.Device); err != nil {
		return err
	}
	if d.Audit, err = c.one("SELECT count(*) FROM audit WHERE key=?1 OR instr(ifnull(before,''), '\"'||?1||'\"') OR instr(ifnull(after,''), '\"'||?1||'\"')", d.Device); err != nil {
		return err
	}
	id, known, err := wordID(c, d.Device)
	if err != nil || !known || id <= wordOther {
		return err
	}
	noted, err := c.one("SELECT count(*) FROM audit WHERE "+notedOf, id)
	if err != nil {
		return err
	}
	d.Audit += noted
	for _, q := range []struct {
		to  *int64
		sql string
	}{
		{&d.Findings, "SELECT count(*) FROM findings INDEXED BY findings_device WHERE device=?"},
		{&d.Events, "SELECT count(*) FROM events WHERE device=?"},
		{&d.Flows, "SELECT count(*) FROM flows WHERE device=?"},
		{&d.Captures, "SELECT count(*) FROM evidence e CROSS JOIN findings f ON f.id=e.finding WHERE f.device=?"},
		{&d.CaptureBytes, "SELECT total(e.size) FROM evidence e CROSS JOIN findings f ON f.id=e.finding WHERE f.device=?"},
		{&d.Figures, "SELECT count(*) FROM rollup WHERE device=?"},
		{&d.TrafficRows, "SELECT count(*) FROM traffic WHERE device=?"},
	} {
		if *q.to, err = c.one(q.sql, id); err != nil {
			return err
		}
	}
	for _, q := range []string{
		"SELECT time FROM findings INDEXED BY findings_device WHERE device=? ORDER BY id LIMIT 1", "SELECT last FROM findings INDEXED BY findings_device WHERE device=? ORDER BY id DESC LIMIT 1",
		"SELECT time FROM events WHERE device=? ORDER BY id LIMIT 1", "SELECT time FROM events WHERE device=? ORDER BY id DESC LIMIT 1",
	} {
		ms, err := c.one(q, id)
		if err != nil {
			return err
		}
		if t := time.UnixMilli(ms); ms != 0 {
			if d.First.IsZero() || t.Before(d.First) {
				d.First = t
			}
			if t.After(d.Last) {
				d.Last = t
			}
		}
	}
	return nil
}
