// Package lists holds lists of names that the home's resolver refuses, in the
// forms that such lists come in: hosts files, plain names, and the patterns of
// AdBlock that name a domain. A name costs about eleven bytes. Lists are read
// off the queries' way; one that is broken or does not fit is refused and the
// one before stays.
package lists

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"hash/maphash"
	"io"
	"os"
	"strings"
	"sync"
	"sync/atomic"
)

// Limits.
const (
	// MaxLists bounds how many lists are looked into for each name.
	MaxLists = 32
	// maxLine bounds a line; a longer one is passed over.
	maxLine = 4096
	// DefaultBytes is what all lists together may take: room for three million
	// names, which is more than the largest lists in use hold.
	DefaultBytes = 32 << 20
	// DefaultFile bounds the text of one list.
	DefaultFile = 128 << 20
	// checkEvery is how many lines are read between two looks at the context.
	checkEvery = 4096
)

// Errors of a list, to be found with errors.Is.
var (
	ErrTooLarge = errors.New("the list does not fit the memory allowed for lists")
	ErrFile     = errors.New("the list's file is larger than allowed")
	ErrNoNames  = errors.New("nothing in the file is a name; is it a list?")
	ErrTooMany  = fmt.Errorf("more than %d lists", MaxLists)
)

// Source is one list.
type Source struct {
	Name string // for people and events; unique
	Path string // a file
	// Open is used instead of Path when set.
	Open func() (io.ReadCloser, error)
	// Category is what its names stand for ("mining"); handed on with each hit.
	Category string
	// Allow says that all its names are exceptions.
	Allow bool
	// Exact says that a plain name does not cover the names below it.
	Exact bool
}

func (s *Source) open() (io.ReadCloser, error) {
	if s.Open != nil {
		return s.Open()
	}
	return os.Open(s.Path)
}

// Limits bound the memory of lists. Zero: the defaults.
type Limits struct {
	Bytes int64 // of all lists together, in force
	File  int64 // of the text of one list
}

// Status tells about one list.
type Status struct {
	Name       string
	Names      int   // that are refused
	Exceptions int   // that are let pass
	Skipped    int   // lines and names not understood
	Bytes      int64 // memory
	Err        error // why the latest load was refused; nil: it holds
	Old        bool  // an earlier version is in force
}

// list is one list in force; never changed.
type list struct {
	category     string
	st           Status
	block, allow table
}

// Store holds the lists in force. Look-ups take no lock and allocate nothing.
type Store struct {
	limits Limits
	seed   maphash.Seed
	cur    atomic.Pointer[[]*list]
	mu     sync.Mutex // one load at a time
	status atomic.Pointer[[]Status]
}

// New makes an empty store.
func New(l Limits) *Store {
	if l.Bytes <= 0 {
		l.Bytes = DefaultBytes
	}
	if l.File <= 0 {
		l.File = DefaultFile
	}
	s := &Store{limits: l, seed: maphash.MakeSeed()}
	s.cur.Store(new([]*list))
	s.status.Store(new([]Status))
	return s
}

// Load reads all sources, one after the other so that at most one list is in
// memory twice, and puts each in force as soon as it is read. A list that
// cannot be had stays as it was; those that are no longer named go first. The
// error joins those of the lists; what could be loaded holds all the same.
func (s *Store) Load(ctx context.Context, sources []Source) ([]Status, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	var errs []error
	if len(sources) > MaxLists {
		errs = append(errs, ErrTooMany)
		sources = sources[:MaxLists]
	}
	lists := make([]*list, len(sources))
	for i := range sources {
		for _, l := range *s.cur.Load() {
			if l.st.Name == sources[i].Name {
				lists[i] = l
			}
		}
	}
	s.publish(lists)
	status := make([]Status, len(sources))
	for i := range sources {
		room := s.limits.Bytes
		for j, l := range lists {
			if j != i && l != nil {
				room -= l.st.Bytes
			}
		}
		l, err := s.read(ctx, &sources[i], room)
		if err != nil {
			errs = append(errs, fmt.Errorf("list %s: %w", sources[i].Name, err))
			status[i] = Status{Name: sources[i].Name}
			if lists[i] != nil {
				status[i], status[i].Old = lists[i].st, true
			}
			status[i].Err = err
			continue
		}
		lists[i], status[i] = l, l.st
		s.publish(lists)
	}
	s.status.Store(&status)
	return status, errors.Join(errs...)
}

// Status tells about the lists as of the latest load.
func (s *Store) Status() []Status { return *s.status.Load() }

func (s *Store) publish(lists []*list) {
	in := make([]*list, 0, len(lists))
	for _, l := range lists {
		if l != nil {
			in = append(in, l)
		}
	}
	s.cur.Store(&in)
}

func (s *Store) read(ctx context.Context, src *Source, room int64) (*list, error) {
	f, err := src.open()
	if err != nil {
		return nil, err
	}
	defer f.Close()
	l := &list{category: src.Category, st: Status{Name: src.Name}}
	in := &io.LimitedReader{R: f, N: s.limits.File + 1}
	r := bufio.NewReaderSize(in, maxLine)
	add := func(e entry) {
		switch e.kind {
		case refused:
			l.st.Skipped++
		case block, allow:
			t := &l.block
			if e.kind == allow || src.Allow {
				t = &l.allow
			}
			t.add(maphash.Bytes(s.seed, e.name), e.suffix)
		}
	}
	for n, first := 0, true; ; n++ {
		line, err := r.ReadSlice('\n')
		if err == bufio.ErrBufferFull {
			for err == bufio.ErrBufferFull {
				_, err = r.ReadSlice('\n')
			}
			l.st.Skipped++
			line = nil
		}
		if first { // byte order mark
			line, first = trimBOM(line), false
		}
		parseLine(line, src.Exact, add)
		if l.block.n > 0 || l.allow.n > 0 {
			// Tables are counted as they will be when finished.
			if int64(l.block.n+l.allow.n)*slotBytes*100/fitTo > room {
				return nil, fmt.Errorf("%w (%d bytes left)", ErrTooLarge, room)
			}
		}
		if n%checkEvery == 0 && ctx.Err() != nil {
			return nil, ctx.Err()
		}
		if in.N == 0 {
			return nil, fmt.Errorf("%w (%d bytes)", ErrFile, s.limits.File)
		}
		if err == io.EOF {
			break
		}
		if err != nil {
			return nil, err
		}
	}
	l.block.fit()
	l.allow.fit()
	l.st.Names, l.st.Exceptions = l.block.n, l.allow.n
	l.st.Bytes = l.block.bytes() + l.allow.bytes()
	if l.st.Names+l.st.Exceptions == 0 && l.st.Skipped > 0 {
		return nil, ErrNoNames
	}
	return l, nil
}

func trimBOM(b []byte) []byte {
	if len(b) >= 3 && b[0] == 0xef && b[1] == 0xbb && b[2] == 0xbf {
		return b[3:]
	}
	return b
}

// Hit says which list holds a name.
type Hit struct {
	List string
	// Category is that of the list.
	Category string
	Entry    string // the listed name: the one asked for, or one above it
	// Exception says that a list names it as one; then it is not refused.
	Exception bool
}

// Lookup says whether a name is to be refused. The name is in lower case and
// without its last dot. Exceptions of any list win over all lists.
func (s *Store) Lookup(name string) (Hit, bool) {
	lists := *s.cur.Load()
	if len(lists) == 0 || len(name) == 0 || len(name) > maxName {
		return Hit{}, false
	}
	var hit Hit
	found := false
	for at := 0; ; {
		h := maphash.String(s.seed, name[at:])
		for _, l := range lists {
			if suffix, ok := l.allow.find(h); ok && (suffix || at == 0) {
				return Hit{List: l.st.Name, Entry: name[at:], Exception: true}, false
			}
			if found {
				continue
			}
			if suffix, ok := l.block.find(h); ok && (suffix || at == 0) {
				hit, found = Hit{List: l.st.Name, Category: l.category, Entry: name[at:]}, true
			}
		}
		i := strings.IndexByte(name[at:], '.')
		if i < 0 {
			return hit, found
		}
		at += i + 1
	}
}
