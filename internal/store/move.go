package store

import (
	"context"
	"errors"
)

// MoveDevice makes what is stored of one device a part of another's: records,
// traffic and figures. The list of devices and the owner's documents are the
// caller's.
func (s *Store) MoveDevice(ctx context.Context, from, to string) error {
	if from == "" || to == "" || from == to || from == Other {
		return errors.New("store: no device to move")
	}
	if err := s.Flush(ctx); err != nil {
		return err
	}
	for more := true; more; {
		err := s.do(ctx, &request{durable: true, run: func() (err error) {
			more, err = s.moveStep(from, to)
			return err
		}})
		if err != nil {
			return err
		}
	}
	return s.do(ctx, &request{durable: true, run: func() error { return s.moveRest(from, to) }, after: func() {
		if id, ok := s.words.ids[from]; ok {
			delete(s.words.ids, from)
			delete(s.words.names, id)
		}
		s.wordsGen.Add(1)
		s.repeats.forget()
		s.fig.forget()
		s.publish()
	}})
}

// moveStep moves some records.
func (s *Store) moveStep(from, to string) (more bool, err error) {
	a, ok := s.words.ids[from]
	if !ok {
		return false, nil
	}
	b, err := s.words.id(s.w, to)
	if err != nil {
		return false, err
	}
	var n int64
	for _, table := range []string{"findings", "events", "flows"} {
		if err := s.w.exec("UPDATE "+table+" SET device=? WHERE id IN (SELECT id FROM "+table+" WHERE device=? LIMIT ?)", b, a, s.lim.txRows); err != nil {
			return false, err
		}
		n += s.w.db.Changes()
	}
	return n > 0, nil
}

// moveRest moves the figures and forgets the word.
func (s *Store) moveRest(from, to string) error {
	a, ok := s.words.ids[from]
	if !ok {
		return nil
	}
	b, err := s.words.id(s.w, to)
	if err != nil {
		return err
	}
	for _, q := range []string{
		`INSERT INTO rollup(grain, bucket, category, family, kind, device, country, asn, action, level, direction, n)
			SELECT grain, bucket, category, family, kind, ?1, country, asn, action, level, direction, n FROM rollup WHERE device=?2
			ON CONFLICT DO UPDATE SET n=n+excluded.n`,
		`INSERT INTO traffic(grain, bucket, device, up, down, flows, seen) SELECT grain, bucket, ?1, up, down, flows, seen FROM traffic WHERE device=?2
			ON CONFLICT(grain, bucket, device) DO UPDATE SET up=up+excluded.up, down=down+excluded.down, flows=flows+excluded.flows, seen=seen+excluded.seen`,
		"DELETE FROM rollup WHERE device=?2 AND ?1>0", "DELETE FROM traffic WHERE device=?2 AND ?1>0", "DELETE FROM dict WHERE id=?2 AND ?1>0",
	} {
		if err := s.w.exec(q, b, a); err != nil {
			return err
		}
	}
	return nil
}
