package store

import (
	"errors"
	"time"

	"github.com/ncruces/go-sqlite3"

	"github.com/yamori-net/yamori/internal/event"
)

// wordShare is how many bytes of the bound each word has: a small store takes
// fewer words.
const wordShare = 1 << 10

// maxWords bounds the words that records and figures refer to by number:
// device ids, families, kinds, countries. Beyond it a new word counts as
// "other" (an attacker who invents MACs cannot grow the file for good).
const maxWords = 16384

// Half of the words are given as they come, which is enough for any home; the
// other half at a pace that takes wordPace to use them up, and of which wordSave
// can be saved. So a flood of invented devices leaves words to those that come
// after it.
const (
	wordPace = 7 * 24 * time.Hour
	wordSave = time.Hour
)

// maxWord bounds one word, in bytes.
const maxWord = 128

// Numbers of words that every file knows. 0 is the empty word.
const wordOther = 1

// Other stands for what is no longer told apart.
const Other = "other"

// words is the writer's view of dict.
type words struct {
	ids   map[string]int64
	names map[int64]string
	full  bool
	max   int
	fresh []string // put into ids in the transaction that runs

	now   func() time.Time
	last  time.Time     // when saved was last added to
	saved time.Duration // of wordPace
}

func loadWords(c *conn) (*words, error) {
	w := &words{ids: map[string]int64{"": 0, Other: wordOther}, names: map[int64]string{0: "", wordOther: Other}, max: maxWords}
	if err := c.exec("INSERT OR IGNORE INTO dict(id, word) VALUES(1, 'other')"); err != nil {
		return nil, err
	}
	err := c.rows(func(s *sqlite3.Stmt) error {
		w.ids[s.ColumnText(1)] = s.ColumnInt64(0)
		w.names[s.ColumnInt64(0)] = s.ColumnText(1)
		return nil
	}, "SELECT id, word FROM dict")
	return w, err
}

// id returns the number of a word, giving it one if need be. Called in a
// transaction of the writer.
func (w *words) id(c *conn, word string) (int64, error) {
	if len(word) > maxWord {
		word = word[:maxWord]
	}
	if id, ok := w.ids[word]; ok {
		return id, nil
	}
	// Categories are few, and what a finding is must not be lost.
	if !event.KnownCategory(event.Category(word)) && !w.spare() {
		w.full = true
		return wordOther, nil
	}
	w.full = false
	if err := c.exec("INSERT INTO dict(word) VALUES(?)", word); err != nil {
		if errors.Is(err, sqlite3.CONSTRAINT) {
			return wordOther, nil // a word of damaged text
		}
		return 0, err
	}
	id := c.db.LastInsertRowID()
	w.ids[word], w.names[id] = id, word
	w.fresh = append(w.fresh, word)
	return id, nil
}

// spare reports whether there is a word to give.
func (w *words) spare() bool {
	half := w.max / 2
	switch n := len(w.ids); {
	case n >= w.max:
		return false
	case n < half:
		return true
	}
	now, cost := w.now(), wordPace/time.Duration(half)
	if w.last.IsZero() {
		w.saved = wordSave
	} else {
		w.saved = min(w.saved+max(0, now.Sub(w.last)), wordSave+cost)
	}
	w.last = now
	if w.saved >= cost {
		w.saved -= cost
		return true
	}
	return false
}

// done ends the transaction; after one that failed, its words are forgotten.
func (w *words) done(ok bool) {
	if !ok {
		for _, word := range w.fresh {
			delete(w.names, w.ids[word])
			delete(w.ids, word)
		}
	}
	w.fresh = w.fresh[:0]
}

// wordID looks a word up from a reader; ok is false when no record has it.
func wordID(c *conn, word string) (id int64, ok bool, err error) {
	if word == "" {
		return 0, true, nil
	}
	if len(word) > maxWord {
		word = word[:maxWord]
	}
	err = c.rows(func(s *sqlite3.Stmt) error { id, ok = s.ColumnInt64(0), true; return nil }, "SELECT id FROM dict WHERE word=?", word)
	return id, ok, err
}

// wordOf is the way back, from a reader.
func wordOf(c *conn, id int64) (word string, err error) {
	if id == 0 {
		return "", nil
	}
	word = Other
	err = c.rows(func(s *sqlite3.Stmt) error { word = s.ColumnText(0); return nil }, "SELECT word FROM dict WHERE id=?", id)
	return word, err
}
