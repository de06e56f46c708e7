package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"path/filepath"
	"strings"
	"sync"
	"syscall"

	"github.com/spf13/cobra"
	"golang.org/x/sys/unix"

	"github.com/yamori-net/yamori/internal/config"
	"github.com/yamori-net/yamori/internal/labnet"
	"github.com/yamori-net/yamori/internal/report"
)

// labPrefix begins the names of the lab's folders.
const labPrefix = "yamori-lab-"

func newLab(stdout, stderr *os.File) *cobra.Command {
	var story, lang string
	var clean, bridge, noIPv6 bool
	l := &lab{stdout: stdout, stderr: stderr}
	cmd := &cobra.Command{
		Use:   "lab",
		Short: "Play a day in a home made of network namespaces, with Yamori in its router",
		Long: `Lab makes a home in network namespaces of this machine: an internet with mining
pools, web servers and a botnet's command server, a router in which Yamori runs,
and a camera, a NAS, a PC, a TV and a phone as small programs. It plays a day
(a minute long), says what each device does, and ends with Yamori's account.

Nothing leaves the namespaces: no interface of this machine is in them, and no
route leads out. There is no malware; what scans or guesses is a short loop.
Nothing of this machine is changed, and when the command ends, however it ends,
the home is gone.

It needs root, and the programs ip and nft.`,
		Example: `  sudo yamori lab
  sudo yamori lab --protect
  sudo yamori lab --story clean --speed 4
  sudo yamori lab --bridge --lang ja
  sudo yamori lab --clean`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if clean {
				return cleanLab(stdout)
			}
			if story != "clean" && story != "infected" {
				return usage(fmt.Errorf("story %q: use clean or infected", story))
			}
			if l.speed < 0.05 || l.speed > 100 {
				return usage(fmt.Errorf("speed %v: use 0.05 to 100", l.speed))
			}
			switch l.lang = report.Lang(lang); l.lang {
			case "":
				l.lang = language(&config.Config{})
			case report.English, report.Japanese:
			default:
				return usage(fmt.Errorf("language %q: use en or ja", lang))
			}
			l.infected, l.options = story == "infected", labnet.Options{Bridge: bridge, IPv6: !noIPv6}
			return l.run(cmd.Context())
		},
	}
	f := cmd.Flags()
	f.StringVar(&story, "story", "infected", "what happens: clean or infected")
	f.Float64Var(&l.speed, "speed", 1, "1 is a day in a minute")
	f.Uint64Var(&l.seed, "seed", 1, "moves what happens a little; the same number gives the same day")
	f.BoolVar(&bridge, "bridge", false, "Yamori as a transparent bridge between router and switch")
	f.BoolVar(&noIPv6, "no-ipv6", false, "a home without IPv6")
	f.BoolVar(&l.protect, "protect", false, "let Yamori stop what it finds; without, it only watches")
	f.StringVar(&lang, "lang", "", "language: en or ja (default: from the environment)")
	f.BoolVar(&clean, "clean", false, "only remove what a lab that was killed left behind")
	_ = cmd.RegisterFlagCompletionFunc("story", cobra.FixedCompletions([]string{"clean", "infected"}, cobra.ShellCompDirectiveNoFileComp))
	_ = cmd.RegisterFlagCompletionFunc("lang", cobra.FixedCompletions([]string{"en", "ja"}, cobra.ShellCompDirectiveNoFileComp))
	return cmd
}

// lab is one run of the command.
type lab struct {
	stdout, stderr *os.File
	options        labnet.Options
	infected       bool
	protect        bool
	speed          float64
	seed           uint64
	lang           report.Lang

	home   *labnet.Home
	folder string
	gate   *labnet.Gateway
	said   chan struct{} // all that the engine said has been printed
	hush   func()

	mu      sync.Mutex // of stdout
	telling bool       // the story goes on
	bad     int        // things that no owner wants and that are over
	passed  []string   // those of them that went through
}

// way is 1 when Yamori protects, 0 when it watches: see labText.
func (l *lab) way() int {
	if l.protect {
		return 1
	}
	return 0
}

func (l *lab) run(ctx context.Context) (err error) {
	w := labWords[l.lang]
	// A terminal that is closed, or a reader that has had enough, ends the day
	// as Ctrl-C does.
	ctx, stop := signal.NotifyContext(ctx, syscall.SIGHUP, syscall.SIGPIPE)
	defer stop()
	if l.home, err = labnet.New(l.options); err != nil {
		if errors.Is(err, labnet.ErrPermission) {
			return fmt.Errorf("%w; run: sudo yamori lab", err)
		}
		return err
	}
	defer l.home.Close()
	lock, err := l.makeFolder()
	if err != nil {
		return err
	}
	defer func() { _ = os.RemoveAll(l.folder); _ = lock.Close() }()
	l.printf("%s\n", w.home)
	if err := l.startEngine(ctx); err != nil {
		if ctx.Err() != nil {
			l.printf("%s\n", w.broken)
			return nil
		}
		return err
	}
	begin := w.begin[l.way()]
	if l.infected {
		begin += w.marked
	}
	l.mu.Lock()
	l.telling = true
	l.mu.Unlock()
	l.printf("%s\n\n", begin)
	played := make(chan error, 1)
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	go func() {
		played <- labnet.Story{Home: l.home, Infected: l.infected, Speed: l.speed, Seed: l.seed, Tell: l.tell}.Play(ctx)
	}()
	select {
	case err = <-played:
	case died := <-l.gate.Gone:
		cancel()
		if played := <-played; !errors.Is(played, context.Canceled) {
			died = errors.Join(died, played)
		}
		return fmt.Errorf("yamori in the lab ended: %w\n%s", died, l.gate.Log())
	}
	whole := err == nil
	if errors.Is(err, context.Canceled) {
		l.printf("\n%s\n", w.broken)
		err = nil
	}
	if whole {
		l.printf("\n%s\n", w.account)
	}
	err = errors.Join(err, l.stopEngine())
	if whole {
		l.sum()
	}
	return err
}

// sum says what became of what no owner wants.
func (l *lab) sum() {
	w := labWords[l.lang]
	switch {
	case l.bad == 0:
	case !l.protect:
		l.printf(w.watched+"\n", l.bad)
	default:
		l.printf(w.protected+"\n", l.bad-len(l.passed), l.bad)
		if len(l.passed) > 0 {
			l.printf("%s\n  %s\n", w.rest, strings.Join(l.passed, "\n  "))
		}
	}
}

// makeFolder makes a folder for what the engine keeps. As long as its lock is
// held, it belongs to a lab that lives.
func (l *lab) makeFolder() (lock *os.File, err error) {
	if l.folder, err = os.MkdirTemp("", labPrefix); err != nil {
		return nil, err
	}
	if lock, err = os.Create(filepath.Join(l.folder, "lock")); err == nil {
		err = unix.Flock(int(lock.Fd()), unix.LOCK_EX|unix.LOCK_NB)
	}
	if err != nil {
		_ = os.RemoveAll(l.folder)
	}
	return lock, err
}

// startEngine runs this program's own "run" where the gateway is.
func (l *lab) startEngine(ctx context.Context) error {
	self, err := os.Executable()
	if err != nil {
		return err
	}
	out, in := io.Pipe()
	l.said = make(chan struct{})
	go func() { defer close(l.said); l.relay(out) }()
	// It keeps its privileges, so that it dies with this process whatever ends
	// that: the kernel forgets about it (PR_SET_PDEATHSIG) when they are given up.
	o := labnet.GatewayOptions{Program: self, Folder: l.folder, Protect: l.protect, Language: string(l.lang), Stdout: in, More: map[string]any{"privileges": "keep"}}
	l.gate, err = l.home.StartGateway(ctx, o)
	l.hush = func() { _ = in.Close(); <-l.said }
	if err != nil {
		l.hush()
	}
	return err
}

// stopEngine ends the engine, which then gives its account.
func (l *lab) stopEngine() error {
	l.mu.Lock()
	l.telling = false
	l.mu.Unlock()
	l.printf("\n")
	err := l.gate.Stop()
	l.hush()
	return err
}

// relay prints what the engine says: while the story goes on, one line for each
// finding.
func (l *lab) relay(r io.Reader) {
	sc := bufio.NewScanner(r)
	sc.Buffer(nil, 1<<20)
	for sc.Scan() {
		l.mu.Lock()
		switch {
		case !l.telling:
			fmt.Fprintln(l.stdout, sc.Text())
		case strings.HasPrefix(sc.Text(), "! "): // the account has the rest
			fmt.Fprintln(l.stdout, "                 "+sc.Text())
		}
		l.mu.Unlock()
	}
}

func (l *lab) printf(format string, args ...any) {
	l.mu.Lock()
	defer l.mu.Unlock()
	fmt.Fprintf(l.stdout, format, args...)
}

// tell prints a moment of the story: what begins, and how what is bad ended.
func (l *lab) tell(m labnet.Moment) {
	w := labWords[l.lang]
	clock := fmt.Sprintf("%02d:%02d", int(m.Clock.Hours())%24, int(m.Clock.Minutes())%60)
	who, what := w.devices[m.Device], w.does[m.Code]
	who += strings.Repeat(" ", max(0, 8-width(who)))
	if m.End != nil && m.Bad && m.End.End != labnet.Stopped {
		l.mu.Lock()
		if l.bad++; m.End.OK() {
			l.passed = append(l.passed, who+" "+what)
		}
		l.mu.Unlock()
	}
	switch {
	case m.End == nil && m.Bad:
		l.printf("%s  %s ** %s\n", clock, who, what)
	case m.End == nil:
		l.printf("%s  %s    %s\n", clock, who, what)
	case m.End.OK() && m.Bad:
		l.printf("%s  %s    %s: %s\n", clock, who, what, w.through[l.way()])
	case m.End.End == labnet.Stopped:
	case !m.End.OK():
		l.printf("%s  %s    %s: %s\n", clock, who, what, w.stopped(m.End.Sent, m.End.Got))
	}
}

// cleanLab removes the folders of labs that were killed. Of namespaces and
// processes nothing can be left: they end with the process.
func cleanLab(w io.Writer) error {
	list, err := filepath.Glob(filepath.Join(os.TempDir(), labPrefix+"*"))
	if err != nil {
		return err
	}
	n := 0
	for _, dir := range list {
		lock, err := os.OpenFile(filepath.Join(dir, "lock"), os.O_RDWR, 0)
		if err == nil {
			err = unix.Flock(int(lock.Fd()), unix.LOCK_EX|unix.LOCK_NB)
			_ = lock.Close()
			if err != nil {
				continue // its lab lives
			}
		}
		if err := os.RemoveAll(dir); err != nil {
			return err
		}
		n++
	}
	switch n {
	case 0:
		fmt.Fprintln(w, "Nothing was left behind.")
	case 1:
		fmt.Fprintln(w, "Removed 1 folder of a lab that was killed.")
	default:
		fmt.Fprintf(w, "Removed %d folders of labs that were killed.\n", n)
	}
	return nil
}
