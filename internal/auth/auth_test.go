package auth

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"
)

// memory is a Store in memory.
type memory struct {
	mu sync.Mutex
	m  map[string]map[string][]byte
}

func (s *memory) Get(b, k string) ([]byte, bool, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	v, ok := s.m[b][k]
	return v, ok, nil
}

func (s *memory) Put(b, k string, v []byte) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.m == nil {
		s.m = map[string]map[string][]byte{}
	}
	if s.m[b] == nil {
		s.m[b] = map[string][]byte{}
	}
	s.m[b][k] = v
	return nil
}

func (s *memory) Delete(b, k string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.m[b], k)
	return nil
}

func (s *memory) Each(b string, f func(string, []byte) error) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	for k, v := range s.m[b] {
		if err := f(k, v); err != nil {
			return err
		}
	}
	return nil
}

type logbook struct {
	mu      sync.Mutex
	entries []Entry
}

func (l *logbook) Audit(e Entry) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.entries = append(l.entries, e)
}

type world struct {
	*Service
	st  *memory
	log *logbook
	now time.Time
}

const pass = "correct horse battery"

// cheap keeps tests fast; one test uses the real cost.
var cheap = Params{Memory: 64, Time: 1, Threads: 1}

func newWorld(t *testing.T) *world {
	t.Helper()
	w := &world{st: &memory{}, log: &logbook{}, now: time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)}
	w.reopen(t)
	return w
}

func (w *world) reopen(t *testing.T) {
	t.Helper()
	s, err := New(Config{Store: w.st, Audit: w.log, Now: func() time.Time { return w.now }, Hash: cheap})
	if err != nil {
		t.Fatal(err)
	}
	w.Service = s
}

func (w *world) add(t *testing.T, name string, r Role) User {
	t.Helper()
	u, err := w.AddUser(context.Background(), name, pass, r)
	if err != nil {
		t.Fatal(err)
	}
	return u
}

func (w *world) try(name, password, code, addr string) (string, error) {
	s, _, err := w.Service.Login(context.Background(), Login{Name: name, Password: password, Code: code, Addr: addr, Agent: "test"})
	return s, err
}

func TestSetupLink(t *testing.T) {
	w := newWorld(t)
	ctx := context.Background()
	if !w.NeedsSetup() {
		t.Fatal("a new store needs set-up")
	}
	link, err := w.NewSetup(time.Hour)
	if err != nil {
		t.Fatal(err)
	}
	if _, _, err := w.Setup(ctx, "wrong", "Kenji", pass, "192.168.1.5", ""); !errors.Is(err, ErrSetup) {
		t.Fatalf("a wrong link: %v", err)
	}
	if _, _, err := w.Setup(ctx, link, "Kenji", "short", "192.168.1.5", ""); !errors.Is(err, ErrPassword) {
		t.Fatalf("a short password: %v", err)
	}
	w.now = w.now.Add(61 * time.Minute)
	if _, _, err := w.Setup(ctx, link, "Kenji", pass, "192.168.1.5", ""); !errors.Is(err, ErrSetup) {
		t.Fatalf("an old link: %v", err)
	}
	link, _ = w.NewSetup(time.Hour)
	secret, p, err := w.Setup(ctx, link, "Kenji", pass, "192.168.1.5", "")
	if err != nil || p.Role != Owner {
		t.Fatalf("setup: %v %v", p, err)
	}
	if _, ok := w.Session(secret); !ok {
		t.Error("set-up logs in")
	}
	if _, _, err := w.Setup(ctx, link, "Mallory", pass, "192.168.1.6", ""); !errors.Is(err, ErrSetup) {
		t.Errorf("a link used twice: %v", err)
	}
	if _, err := w.NewSetup(time.Hour); !errors.Is(err, ErrExists) {
		t.Errorf("a second owner by link: %v", err)
	}
}

// TestSetupOnce: two who use the link at the same time do not both become
// owner.
func TestSetupOnce(t *testing.T) {
	w := newWorld(t)
	link, _ := w.NewSetup(time.Hour)
	var wg sync.WaitGroup
	for k := range 8 {
		wg.Go(func() {
			_, _, _ = w.Setup(context.Background(), link, fmt.Sprintf("u%d", k), pass, "192.168.1.5", "")
		})
	}
	wg.Wait()
	if n := len(w.Users()); n != 1 {
		t.Errorf("%d owners by one link", n)
	}
}

// TestSetupGuesses: who guesses is slowed, and does not take the link from the
// owner.
func TestSetupGuesses(t *testing.T) {
	w := newWorld(t)
	link, _ := w.NewSetup(time.Hour)
	refused := 0
	for range 100 {
		_, _, err := w.Setup(context.Background(), "guess", "Kenji", pass, "192.168.1.66", "")
		var slow *SlowDown
		switch {
		case errors.Is(err, ErrSetup):
			refused++
		case !errors.As(err, &slow):
			t.Fatal(err)
		}
	}
	if refused != addrBurst {
		t.Errorf("%d guesses of one address looked at, want %d", refused, addrBurst)
	}
	if _, _, err := w.Setup(context.Background(), link, "Kenji", pass, "192.168.1.5", ""); err != nil {
		t.Errorf("the owner after another's guesses: %v", err)
	}
}

func TestSessions(t *testing.T) {
	w := newWorld(t)
	u := w.add(t, "Aiko", Member)
	secret, err := w.try("aiko", pass, "", "192.168.1.9")
	if err != nil {
		t.Fatal(err)
	}
	for _, kv := range w.st.m[bucketSessions] {
		if strings.Contains(string(kv), secret) {
			t.Error("the secret is kept")
		}
	}
	if _, ok := w.st.m[bucketSessions][secret]; ok {
		t.Error("the secret is a key")
	}
	w.reopen(t) // survives a restart
	p, ok := w.Session(secret)
	if !ok || p.UserID != u.ID || p.Role != Member || p.Via != ViaSession {
		t.Fatalf("session: %+v %v", p, ok)
	}
	for range 20 { // used every ten days it lives, but not for ever
		w.now = w.now.Add(10 * 24 * time.Hour)
		if _, ok = w.Session(secret); !ok {
			break
		}
	}
	if age := w.now.Sub(time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)); ok || age < 90*24*time.Hour {
		t.Errorf("absolute end after %v, still alive: %v", age, ok)
	}
	secret, _ = w.try("Aiko", pass, "", "192.168.1.9")
	w.now = w.now.Add(15 * 24 * time.Hour)
	if _, ok := w.Session(secret); ok {
		t.Error("an idle session lives")
	}
	for range MaxSessions + 5 {
		if secret, err = w.try("Aiko", pass, "", "192.168.1.9"); err != nil {
			t.Fatal(err)
		}
		w.now = w.now.Add(time.Second)
	}
	if n := len(w.Sessions(u.ID)); n != MaxSessions {
		t.Errorf("%d sessions, want %d", n, MaxSessions)
	}
	p, _ = w.Session(secret)
	role := Viewer
	if _, err := w.ChangeUser(context.Background(), u.ID, Change{Role: &role}, p.ID); err != nil {
		t.Fatal(err)
	}
	if n := len(w.Sessions(u.ID)); n != 1 {
		t.Errorf("%d sessions after a change of role", n)
	}
	if err := w.EndSession("someone", p.ID); !errors.Is(err, ErrNotFound) {
		t.Errorf("ending another's: %v", err)
	}
	if err := w.EndSession(u.ID, p.ID); err != nil {
		t.Error(err)
	}
	if _, ok := w.Session(secret); ok {
		t.Error("a session that was ended lives")
	}
}

// TestReload: what a restored backup holds counts, what it lacks ends, and so do
// the sessions it brings back.
func TestReload(t *testing.T) {
	w := newWorld(t)
	u := w.add(t, "Aiko", Owner)
	sess, _ := w.try("Aiko", pass, "", "192.168.1.9")
	if err := w.Reload(); err != nil {
		t.Fatal(err)
	}
	if _, ok := w.Session(sess); ok || len(w.st.m[bucketSessions]) != 0 {
		t.Error("a session of the backup lives")
	}
	_ = w.st.Delete(bucketUsers, u.ID)
	if err := w.Reload(); err != nil {
		t.Fatal(err)
	}
	if _, err := w.try("Aiko", pass, "", "192.168.1.9"); err == nil || len(w.Users()) != 0 {
		t.Error("a user who is gone is let in")
	}
}

func TestTokens(t *testing.T) {
	w := newWorld(t)
	u := w.add(t, "Aiko", Member)
	secret, tok, err := w.AddToken(u.ID, "home assistant", Owner, 24*time.Hour)
	if err != nil {
		t.Fatal(err)
	}
	if !strings.HasPrefix(secret, tok.Prefix+"_") || strings.Contains(fmt.Sprintf("%s", w.st.m[bucketTokens]), secret[len(tok.Prefix)+1:]) {
		t.Error("prefix wrong, or the secret is kept")
	}
	if p, ok := w.Token(secret); !ok || p.Role != Member {
		t.Errorf("a token allows more than its user: %+v %v", p, ok)
	}
	last := byte('A')
	if secret[len(secret)-1] == last {
		last = 'Q'
	}
	for _, bad := range []string{"", "ymr_", secret[:len(secret)-1] + string(last), tok.Prefix, strings.Repeat("x", 1000)} {
		if _, ok := w.Token(bad); ok {
			t.Errorf("token %q is let in", bad)
		}
	}
	if err := w.DeleteToken("other", tok.ID); !errors.Is(err, ErrNotFound) {
		t.Errorf("deleting another's: %v", err)
	}
	w.now = w.now.Add(25 * time.Hour)
	if _, ok := w.Token(secret); ok {
		t.Error("an expired token is let in")
	}
	if _, _, err := w.AddToken("", "for ever", Viewer, MaxTokenLife+1); !errors.Is(err, ErrLimit) {
		t.Errorf("life: %v", err)
	}
	for i := 0; ; i++ {
		if _, _, err := w.AddToken("", "n", Viewer, time.Hour); err != nil {
			if i != MaxTokens || !errors.Is(err, ErrLimit) {
				t.Errorf("after %d: %v", i, err)
			}
			break
		}
	}
}

func TestUsers(t *testing.T) {
	w := newWorld(t)
	o := w.add(t, "Kenji", Owner)
	ctx := context.Background()
	if _, err := w.AddUser(ctx, "KENJI", pass, Viewer); !errors.Is(err, ErrExists) {
		t.Errorf("same name: %v", err)
	}
	for _, n := range []string{"", " x", "a\nb", "<b>", strings.Repeat("x", 33)} {
		if _, err := w.AddUser(ctx, n, pass, Viewer); !errors.Is(err, ErrName) {
			t.Errorf("name %q: %v", n, err)
		}
	}
	for _, p := range []string{"", "123456789", "password123", "kenjikenji", "kenji 20261234", "aaaaaaaaaaaa", strings.Repeat("xyzw", 100)} {
		if err := checkPassword("kenji", p); (err == nil) != (p == "kenjikenji") {
			t.Errorf("password %q: %v", p, err)
		}
	}
	r := Member
	if _, err := w.ChangeUser(ctx, o.ID, Change{Role: &r}, ""); !errors.Is(err, ErrLastOwner) {
		t.Errorf("the last owner steps down: %v", err)
	}
	if err := w.DeleteUser(o.ID); !errors.Is(err, ErrLastOwner) {
		t.Errorf("the last owner is deleted: %v", err)
	}
	m := w.add(t, "愛子", Member)
	sess, err := w.try("愛子", pass, "", "192.168.1.7")
	if err != nil {
		t.Fatal(err)
	}
	tok, _, _ := w.AddToken(m.ID, "t", Viewer, time.Hour)
	if err := w.DeleteUser(m.ID); err != nil {
		t.Fatal(err)
	}
	if _, ok := w.Session(sess); ok {
		t.Error("session of a deleted user")
	}
	if _, ok := w.Token(tok); ok {
		t.Error("token of a deleted user")
	}
	for i := 1; ; i++ {
		if _, err := w.AddUser(ctx, fmt.Sprintf("u%d", i), pass, Viewer); err != nil {
			if i != MaxUsers || !errors.Is(err, ErrLimit) {
				t.Errorf("after %d: %v", i, err)
			}
			break
		}
	}
}

func TestTOTP(t *testing.T) {
	// RFC 6238, appendix B, SHA-1; the last six of eight digits.
	key := []byte("12345678901234567890")
	for at, want := range map[int64]string{59: "287082", 1111111109: "081804", 1111111111: "050471", 1234567890: "005924", 2000000000: "279037", 20000000000: "353130"} {
		if got := totpCode(key, at/30); got != want {
			t.Errorf("at %d: %s, want %s", at, got, want)
		}
	}
	w := newWorld(t)
	u := w.add(t, "Aiko", Owner)
	secret, uri, err := w.EnrolTOTP(u.ID)
	if err != nil || !strings.Contains(uri, secret) {
		t.Fatal(uri, err)
	}
	if _, err := w.try("Aiko", pass, "", "192.168.1.2"); err != nil {
		t.Errorf("before it is confirmed, no code is needed: %v", err)
	}
	code := func() string { return CodeAt(secret, w.now) }
	if _, err := w.ConfirmTOTP(u.ID, "000000x", "", "192.168.1.2"); !errors.Is(err, ErrCredentials) {
		t.Errorf("wrong code: %v", err)
	}
	rec, err := w.ConfirmTOTP(u.ID, code(), "", "192.168.1.2")
	if err != nil || len(rec) != recoveryCodes {
		t.Fatal(rec, err)
	}
	if len(w.Sessions(u.ID)) != 0 {
		t.Error("sessions of before the second factor live")
	}
	if _, err := w.try("Aiko", pass, "", "192.168.1.2"); !errors.Is(err, ErrCode) {
		t.Errorf("no code: %v", err)
	}
	if _, err := w.try("Aiko", "wrong password", "", "192.168.1.2"); !errors.Is(err, ErrCredentials) {
		t.Errorf("whether a code is needed is told only to who has the password: %v", err)
	}
	if _, err := w.try("Aiko", pass, code(), "192.168.1.2"); !errors.Is(err, ErrCredentials) {
		t.Errorf("the code of the confirmation again: %v", err)
	}
	w.now = w.now.Add(time.Minute)
	c := code()
	if _, err := w.try("Aiko", pass, c, "192.168.1.2"); err != nil {
		t.Errorf("right code: %v", err)
	}
	if _, err := w.try("Aiko", pass, c, "192.168.1.2"); !errors.Is(err, ErrCredentials) {
		t.Errorf("a code twice: %v", err)
	}
	if _, err := w.try("Aiko", pass, strings.ToUpper(rec[3]), "192.168.1.2"); err != nil {
		t.Errorf("recovery code: %v", err)
	}
	if _, err := w.try("Aiko", pass, rec[3], "192.168.1.2"); !errors.Is(err, ErrCredentials) {
		t.Errorf("a recovery code twice: %v", err)
	}
	if x, _ := w.User(u.ID); x.Codes != recoveryCodes-1 {
		t.Errorf("%d recovery codes left", x.Codes)
	}
	if _, err := w.ChangeUser(context.Background(), u.ID, Change{NoTOTP: true}, ""); err != nil {
		t.Fatal(err)
	}
	if _, err := w.try("Aiko", pass, "", "192.168.1.2"); err != nil {
		t.Errorf("after removal: %v", err)
	}
}

// TestRateLimit: a guesser is slowed by address and by account, from many
// addresses too, and the owner is not locked out from where they were before.
func TestRateLimit(t *testing.T) {
	w := newWorld(t)
	w.add(t, "Kenji", Owner)
	if _, err := w.try("Kenji", pass, "", "192.168.1.2"); err != nil {
		t.Fatal(err)
	}
	tries := func(name, prefix string, spread bool, n int) (looked int) {
		for i := range n {
			addr := prefix + ".9"
			if spread {
				addr = fmt.Sprintf("%s.%d", prefix, i%250)
			}
			_, err := w.try(name, "wrong password", "", addr)
			var slow *SlowDown
			if errors.As(err, &slow) {
				if slow.Wait <= 0 {
					t.Fatalf("wait %v", slow.Wait)
				}
				continue
			}
			looked++
		}
		return
	}
	if n := tries("Kenji", "192.168.1", false, 100); n != addrBurst {
		t.Errorf("%d guesses of one address looked at, want %d", n, addrBurst)
	}
	if n := tries("Kenji", "10.0.0", true, 200); n != accountBurst-addrBurst {
		t.Errorf("%d guesses of many addresses looked at, want %d", n, accountBurst-addrBurst)
	}
	if _, err := w.try("Kenji", pass, "", "10.9.9.9"); err == nil {
		t.Error("the account's allowance is used up: a new address must wait")
	}
	if _, err := w.try("Kenji", pass, "", "192.168.1.2"); err != nil {
		t.Errorf("the owner is locked out: %v", err)
	}
	if n := tries("nobody", "10.0.1", true, 200); n != accountBurst {
		t.Errorf("%d guesses at a name that does not exist, want %d: it must look the same", n, accountBurst)
	}
	w.now = w.now.Add(2 * accountRefill)
	if _, err := w.try("Kenji", pass, "", "10.9.9.10"); err != nil {
		t.Errorf("after a wait: %v", err)
	}
	// One IPv6 client has 2^64 addresses.
	looked := 0
	for i := range 100 {
		if _, err := w.try(fmt.Sprintf("n%d", i), "wrong password", "", fmt.Sprintf("fd00::%x", i+1)); errors.Is(err, ErrCredentials) {
			looked++
		}
	}
	if looked != addrBurst {
		t.Errorf("%d guesses of one /64, want %d", looked, addrBurst)
	}
}

func TestLimiterBounded(t *testing.T) {
	l := newLimiter()
	now := time.Unix(1e9, 0)
	for range addrBurst {
		l.take("192.0.2.1", "kenji", false, now)
	}
	for i := range 3 * maxBuckets {
		l.take(fmt.Sprintf("10.%d.%d.%d", i>>16, i>>8&255, i&255), fmt.Sprintf("n%d", i), false, now)
	}
	if len(l.addrs) > maxBuckets || len(l.accounts) > maxBuckets {
		t.Errorf("%d addresses, %d accounts", len(l.addrs), len(l.accounts))
	}
	if l.take("192.0.2.1", "other", false, now) == 0 {
		t.Error("a flood of names makes the limiter forget a guesser")
	}
}

// TestNoEnumeration: every refusal of a name that exists and one that does not
// costs the same hash, and reads the same.
func TestNoEnumeration(t *testing.T) {
	w := newWorld(t)
	w.add(t, "Kenji", Owner)
	w.cfg.Hash = DefaultParams
	w.dummy = w.cfg.Hash.encode(make([]byte, saltLen), make([]byte, keyLen))
	w.add(t, "Aiko", Owner)
	spent := func(name string) uint64 {
		before := w.hasher.spent.Load()
		if _, err := w.try(name, "wrong password", "", "10.1.0.1"); !errors.Is(err, ErrCredentials) {
			t.Fatal(err)
		}
		return w.hasher.spent.Load() - before
	}
	a, b := spent("Aiko"), spent("nobody")
	if a != b || a != uint64(DefaultParams.Memory)*uint64(DefaultParams.Time) {
		t.Errorf("a name that exists costs %d, one that does not %d", a, b)
	}
}

// TestHashMemory: a hundred logins at once hold the memory of one or two.
func TestHashMemory(t *testing.T) {
	h := newHasher(1, 200)
	enc, err := h.hash(context.Background(), DefaultParams, pass)
	if err != nil {
		t.Fatal(err)
	}
	var most uint64
	stop, done := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(done)
		var m runtime.MemStats
		for {
			select {
			case <-stop:
				return
			case <-time.After(2 * time.Millisecond):
				runtime.ReadMemStats(&m)
				most = max(most, m.HeapInuse)
			}
		}
	}()
	var wg sync.WaitGroup
	for range 20 {
		wg.Go(func() {
			if ok, err := h.verify(context.Background(), enc, pass); err != nil || !ok {
				t.Error(ok, err)
			}
		})
	}
	wg.Wait()
	close(stop)
	<-done
	t.Logf("most heap in use: %.1f MB", float64(most)/1e6)
	if most > 48<<20 {
		t.Errorf("%d bytes of heap for 20 logins at once", most)
	}
}

func TestHashQueue(t *testing.T) {
	h := newHasher(1, 2)
	h.slots <- struct{}{} // one is being checked
	h.queue <- struct{}{}
	ctx, cancel := context.WithCancel(context.Background())
	errs := make(chan error, 10)
	for range 10 {
		go func() { _, err := h.key(ctx, cheap, "x", make([]byte, 16)); errs <- err }()
	}
	for range 8 {
		if err := <-errs; !errors.Is(err, ErrBusy) {
			t.Errorf("beyond the queue: %v", err)
		}
	}
	cancel()
	for range 2 {
		if err := <-errs; !errors.Is(err, context.Canceled) {
			t.Errorf("in the queue: %v", err)
		}
	}
}

func TestAuditOfLogins(t *testing.T) {
	w := newWorld(t)
	w.add(t, "Kenji", Owner)
	_, _ = w.try("Kenji", "wrong password", "", "192.168.1.2")
	_, _ = w.try("Kenji", pass, "", "192.168.1.2")
	if len(w.log.entries) != 2 || w.log.entries[0].Outcome != "refused" || w.log.entries[1].Outcome != "ok" ||
		w.log.entries[0].Addr != "192.168.1.2" || w.log.entries[0].Time.IsZero() {
		t.Errorf("%+v", w.log.entries)
	}
}

// TestAuditBounded: refusals do not push out of the audit log what was done,
// and how many were left out is said.
func TestAuditBounded(t *testing.T) {
	w := newWorld(t)
	w.add(t, "Kenji", Owner)
	for range 5000 {
		_, _ = w.try("Kenji", "wrong password", "", "192.168.1.66")
	}
	if n := len(w.log.entries); n != refusedBurst {
		t.Errorf("one address made %d lines, want %d", n, refusedBurst)
	}
	if _, err := w.try("Kenji", pass, "", "192.168.1.2"); err != nil {
		t.Fatal(err)
	}
	if e := w.log.entries[len(w.log.entries)-1]; e.Outcome != "ok" {
		t.Errorf("what was done: %+v", e)
	}
	_, _ = w.try("Kenji", "wrong password", "", "192.168.1.2")
	if e := w.log.entries[len(w.log.entries)-1]; e.Outcome != "refused" || e.Detail["left_out"] != "4980" {
		t.Errorf("after lines were left out: %+v", e)
	}
	for i := range 5000 {
		_, _, _ = w.Setup(context.Background(), "guess", "x", pass, fmt.Sprintf("10.0.%d.%d", i>>8, i&255), "")
	}
	if n := len(w.log.entries); n != refusedAllBurst+1 {
		t.Errorf("many addresses made %d lines, want %d", n-1, refusedAllBurst)
	}
	w.now = w.now.Add(refusedAllRefill)
	_, _ = w.try("Kenji", "wrong password", "", "10.200.0.1")
	if e := w.log.entries[len(w.log.entries)-1]; e.Addr != "10.200.0.1" || e.Detail["left_out"] == "" {
		t.Errorf("after a while: %+v", e)
	}
}

// TestOneAccount: a name written in another way has no allowance of its own.
func TestOneAccount(t *testing.T) {
	w := newWorld(t)
	w.add(t, "sasses", Owner)
	looked := 0
	for i := range 4 * accountBurst {
		name := []byte("sasses")
		var b strings.Builder
		for j, c := range name { // ſ (U+017F) folds to s
			if c == 's' && i>>j&1 == 1 {
				b.WriteRune('ſ')
			} else {
				b.WriteByte(c)
			}
		}
		if _, err := w.try(b.String(), "wrong password", "", fmt.Sprintf("10.1.0.%d", i)); errors.Is(err, ErrCredentials) {
			looked++
		}
	}
	if looked != accountBurst {
		t.Errorf("%d guesses, want %d", looked, accountBurst)
	}
}

func FuzzDecodeHash(f *testing.F) {
	f.Add(cheap.encode(make([]byte, saltLen), make([]byte, keyLen)))
	f.Add("$argon2id$v=19$m=99999999,t=1,p=1$AAAA$AAAA")
	f.Fuzz(func(t *testing.T, s string) {
		p, salt, key, err := decode(s)
		if err == nil && (p.Memory > 64<<10 || p.Time > 16 || len(salt) > 64 || len(key) != keyLen) {
			t.Errorf("%q: %+v", s, p)
		}
	})
}

// TestLoginOvertaken: a password that is changed while it is checked lets nobody
// in any more.
func TestLoginOvertaken(t *testing.T) {
	s, err := New(Config{Store: &memory{m: map[string]map[string][]byte{}}, Now: time.Now, Hash: Params{Memory: 64, Time: 1, Threads: 1}})
	if err != nil {
		t.Fatal(err)
	}
	u, err := s.AddUser(context.Background(), "Kenji", pass, Owner)
	if err != nil {
		t.Fatal(err)
	}
	s.hasher.slots <- struct{}{} // the check has to wait
	done := make(chan error)
	go func() {
		_, _, err := s.Login(context.Background(), Login{Name: "Kenji", Password: pass, Addr: "192.168.1.5"})
		done <- err
	}()
	for len(s.hasher.queue) == 0 {
		time.Sleep(time.Millisecond)
	}
	s.mu.Lock()
	changed := *s.users[u.ID]
	changed.Hash = s.dummy
	s.users[u.ID] = &changed
	s.mu.Unlock()
	<-s.hasher.slots
	if err := <-done; !errors.Is(err, ErrCredentials) {
		t.Error(err)
	}
}
