package store

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

// childEnv makes the test program a child that another test starts: what it
// does, and in which folder.
const childEnv = "YAMORI_STORE_CHILD"

func TestMain(m *testing.M) {
	switch what, dir, _ := strings.Cut(os.Getenv(childEnv), " "); what {
	case "write":
		childWrite(dir)
	case "full":
		os.Exit(childFull(dir))
	default:
		os.Exit(m.Run())
	}
}

// childWrite writes until it is killed, and prints what was acknowledged.
func childWrite(dir string) {
	s, err := Open(Config{Dir: dir, MaxBytes: 64 << 20, Clock: time.Now, FlushEvery: 20 * time.Millisecond})
	if err != nil {
		fmt.Println("error", err)
		os.Exit(1)
	}
	ctx := context.Background()
	start := int(s.seq) + 1
	out := bufio.NewWriter(os.Stdout)
	for n := start; ; n++ {
		f := testFinding(n)
		r, err := s.AddFinding(ctx, f)
		if err != nil {
			fmt.Println("error", err)
			os.Exit(1)
		}
		if !r.Repeat {
			fmt.Fprintln(out, "finding", r.ID, f.Signature)
		}
		s.AddTraffic(Traffic{Device: f.Device, Time: f.Time, Up: 10})
		if n%5 == 0 {
			v, err := s.Put(ctx, "owner", "settings", "last", json.RawMessage(strconv.Itoa(n)), AnyVersion)
			if err != nil {
				fmt.Println("error", err)
				os.Exit(1)
			}
			fmt.Fprintln(out, "document", v, n)
		}
		out.Flush()
	}
}

// TestKill ends a writing process twenty times without warning: what it said
// is kept is there, the file opens whole, and the figures agree with the
// records.
func TestKill(t *testing.T) {
	kills, step := 20, 17
	if raced { // as far into the writing, in fewer steps
		kills, step = 5, 68
	}
	dir := t.TempDir()
	acked := map[int64]bool{}
	var doc string
	var docVersion int64
	for round := range kills {
		cmd := exec.Command(os.Args[0])
		cmd.Env = append(os.Environ(), childEnv+"=write "+dir)
		out, err := cmd.StdoutPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		lines := 0
		for sc := bufio.NewScanner(out); sc.Scan(); {
			var id int64
			switch f := strings.Fields(sc.Text()); {
			case len(f) == 3 && f[0] == "finding":
				id, _ = strconv.ParseInt(f[1], 10, 64)
				acked[id] = true
			case len(f) == 3 && f[0] == "document":
				docVersion, _ = strconv.ParseInt(f[1], 10, 64)
				doc = f[2]
			default:
				t.Errorf("child says %q", sc.Text())
			}
			// A different moment each time: within a flush, a commit, a
			// checkpoint; the lines already in the pipe still count.
			if lines++; lines == 20+round*step {
				_ = cmd.Process.Signal(syscall.SIGKILL)
			}
		}
		_ = cmd.Wait()
		if cmd.ProcessState.Sys().(syscall.WaitStatus).Signal() != syscall.SIGKILL {
			t.Fatalf("the child ended by itself: %v", cmd.ProcessState)
		}
	}
	s := open(t, Config{Dir: dir, MaxBytes: 64 << 20})
	if h := s.Health(); h.Repaired != nil || h.WriteError != "" {
		t.Errorf("health %+v", h)
	}
	ctx := context.Background()
	for id := range acked {
		if _, err := s.Finding(ctx, id); err != nil {
			t.Errorf("finding %d was acknowledged: %v", id, err)
		}
	}
	d, err := s.Get(ctx, "settings", "last")
	if err != nil || d.Version < docVersion || d.Version == docVersion && string(d.Value) != doc {
		t.Errorf("document %s of version %d (%v); acknowledged %s of %d", d.Value, d.Version, err, doc, docVersion)
	}
	records := map[bool]int64{}
	err = s.read(ctx, func(rd *reader) (err error) {
		if records[false], err = rd.c.one("SELECT total(count) FROM findings"); err == nil {
			records[true], err = rd.c.one("SELECT total(n) FROM rollup WHERE grain=?", grainDay)
		}
		return err
	})
	if err != nil || records[false] != records[true] || records[false] < int64(len(acked)) {
		t.Errorf("%d findings, %d in the figures (%v), %d acknowledged", records[false], records[true], err, len(acked))
	}
	t.Logf("%d findings acknowledged before %d kills", len(acked), kills)
}

// TestDiskFull fills a small file system to the last byte while the store
// writes: what was acknowledged is there, failures are seen, reading goes on,
// and writing too when there is room again.
func TestDiskFull(t *testing.T) {
	dir := t.TempDir()
	cmd := exec.Command("unshare", "--mount", "--propagation", "private", "sh", "-c", `mount -t tmpfs -o size=6m none "$1" && exec "$2"`, "sh", dir, os.Args[0])
	cmd.Env = append(os.Environ(), childEnv+"=full "+dir)
	out, err := cmd.CombinedOutput()
	if err != nil {
		if os.Geteuid() != 0 || errors.Is(err, exec.ErrNotFound) || strings.Contains(string(out), "unshare failed") || strings.Contains(string(out), "permission denied") {
			t.Skipf("needs root, unshare(1) and a private mount namespace: %v %s", err, out)
		}
		t.Fatalf("%v\n%s", err, out)
	}
	t.Logf("%s", out)
}

func childFull(dir string) int {
	fail := func(format string, a ...any) int {
		fmt.Printf(format+"\n", a...)
		return 1
	}
	ctx := context.Background()
	s, err := Open(Config{Dir: dir, MaxBytes: 16 << 20, Clock: time.Now, FlushEvery: 50 * time.Millisecond})
	if err != nil {
		return fail("open: %v", err)
	}
	var acked []int64
	write := func(n int) error {
		r, err := s.AddFinding(ctx, testFinding(n))
		if err == nil {
			acked = append(acked, r.ID)
		}
		return err
	}
	n := 0
	for ; n < 500; n++ {
		if err := write(n); err != nil {
			return fail("with room: %v", err)
		}
	}
	// The last byte goes to somebody else.
	hog, err := os.Create(dir + "/hog")
	if err != nil {
		return fail("%v", err)
	}
	for chunk := 1 << 20; chunk > 0; {
		if _, err := hog.Write(make([]byte, chunk)); err != nil {
			chunk /= 2
		}
	}
	failed := 0
	for ; n < 5000 && failed < 20; n++ {
		if write(n) != nil {
			failed++
		}
	}
	if failed < 20 {
		return fail("%d writes failed on a full disk", failed)
	}
	if h := s.Health(); h.WriteError == "" || !h.Full || h.Since.IsZero() || h.Failed == 0 {
		return fail("health on a full disk: %+v", h)
	}
	if _, err := s.Finding(ctx, acked[len(acked)-1]); err != nil {
		return fail("reading on a full disk: %v", err)
	}
	if _, err := s.Timeline(ctx, Filter{Category: "scan"}, 0, 50); err != nil {
		return fail("timeline on a full disk: %v", err)
	}
	// Events wait, and are dropped and counted when too many do.
	for i := range 40000 {
		s.addEventLine(t0, "device", "d", []byte(`{"n":`+strconv.Itoa(i)+`}`))
	}
	if h := s.Health(); h.Dropped.Events == 0 {
		return fail("no event was dropped: %+v", h)
	}
	// Power fails now, in effect: the file opens on the full disk, too.
	c, err := openConn(s.path, 256)
	if err != nil {
		return fail("second opening: %v", err)
	}
	if err := c.check(); err != nil {
		return fail("the file on a full disk: %v", err)
	}
	_ = c.close()
	if err := s.Close(); err != nil {
		fmt.Println("closing on a full disk:", err)
	}
	if s, err = Open(Config{Dir: dir, MaxBytes: 16 << 20, Clock: time.Now, FlushEvery: 50 * time.Millisecond}); err != nil {
		return fail("opening on a full disk: %v", err)
	}
	s.OfferFinding(testFinding(100000))
	_ = hog.Close()
	_ = os.Remove(dir + "/hog")
	deadline := time.Now().Add(5 * time.Second)
	for err = write(n); err != nil && time.Now().Before(deadline); err = write(n) {
		time.Sleep(20 * time.Millisecond)
	}
	if err != nil {
		return fail("with room again: %v", err)
	}
	if err := s.Flush(ctx); err != nil {
		return fail("flush with room again: %v", err)
	}
	if h := s.Health(); h.WriteError != "" || h.Full {
		return fail("health with room again: %+v", h)
	}
	p, err := s.Timeline(ctx, Filter{Text: "worker100000\""}, 0, 5)
	if err != nil || len(p.Items) != 1 {
		return fail("the finding offered on a full disk: %d, %v", len(p.Items), err)
	}
	if err := s.Close(); err != nil {
		return fail("close: %v", err)
	}
	if s, err = Open(Config{Dir: dir, MaxBytes: 16 << 20, Clock: time.Now}); err != nil {
		return fail("open again: %v", err)
	}
	defer s.Close()
	for _, id := range acked {
		if _, err := s.Finding(ctx, id); err != nil {
			return fail("finding %d was acknowledged: %v", id, err)
		}
	}
	fmt.Printf("%d acknowledged, %d refused while the disk was full", len(acked), failed)
	return 0
}
