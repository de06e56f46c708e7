package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"github.com/yamori-net/yamori/internal/api/client"
	"github.com/yamori-net/yamori/internal/app"
	"github.com/yamori-net/yamori/internal/capture"
	"github.com/yamori-net/yamori/internal/config"
	"github.com/yamori-net/yamori/internal/packet"
	"github.com/yamori-net/yamori/internal/verdict"
)

// asDaemon, in the environment, makes the program a daemon: it holds a plan.
const asDaemon = "YAMORI_INLINEBENCH_DAEMON"

type plan struct {
	Config config.Config
	Keep   bool // no flow is released
}

func main() {
	if text := os.Getenv(asDaemon); text != "" {
		exit(daemon(text))
		return
	}
	seconds := flag.Int("seconds", 5, "of each transfer")
	only := flag.String("only", "", "gso or mtu: only with that kind of segments")
	program := flag.String("program", "", "a built yamori: also measure what it runs as, two processes")
	rounds := flag.Int("rounds", 1, "how often the whole list is measured; the table shows the median of each figure")
	flag.Parse()
	if *rounds < 1 || *seconds < 1 {
		exit(errors.New("-rounds and -seconds begin at 1"))
	}
	exit(measure(*seconds, *rounds, *only, *program))
}

func exit(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, "inlinebench:", err)
		os.Exit(1)
	}
}

// daemon is the gateway's process.
func daemon(text string) error {
	var p plan
	if err := json.Unmarshal([]byte(text), &p); err != nil {
		return err
	}
	w := &app.Watch{Config: &p.Config, Rules: app.ConfiguredRules(&p.Config), Stdout: io.Discard, Stderr: io.Discard, Log: slog.New(slog.NewTextHandler(os.Stderr, nil))}
	if p.Keep {
		w.Around = func(h capture.Handler) capture.Handler {
			return func(f *packet.Frame) verdict.Verdict {
				v := h(f)
				if v.Action == verdict.Accept {
					v = verdict.Verdict{}
				}
				return v
			}
		}
	}
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM)
	defer stop()
	return w.Run(ctx)
}

// inspector is what stands in the router during a point; nil: nothing.
type inspector struct {
	name  string
	start func(r *rig) (*exec.Cmd, error)
}

func measure(seconds, rounds int, only, program string) error {
	for _, p := range []string{"ip", "iperf3", "ethtool", "iptables-nft"} {
		if _, err := exec.LookPath(p); err != nil {
			return fmt.Errorf("this needs the program %s", p)
		}
	}
	r, err := newRig()
	if err != nil {
		return err
	}
	defer func() {
		for _, d := range append(r.more, r.dir) {
			_ = os.RemoveAll(d)
		}
	}()
	list := []inspector{{name: "plain forwarding"},
		{"in line, released", func(r *rig) (*exec.Cmd, error) { return r.gateway(false) }},
		{"in line, everything inspected", func(r *rig) (*exec.Cmd, error) { return r.gateway(true) }}}
	if program != "" {
		list = append(list, inspector{"in line, two processes", func(r *rig) (*exec.Cmd, error) { return r.parted(program) }})
	}
	if _, err := exec.LookPath("suricata"); err == nil {
		list = append(list, inspector{"Suricata IPS, no rules", (*rig).suricata})
	} else {
		fmt.Println("Suricata is not installed: its lines are left out")
	}
	for _, seg := range []string{"gso", "mtu"} {
		if only != "" && only != seg {
			continue
		}
		if err := r.offload(seg == "gso"); err != nil {
			return err
		}
		fmt.Printf("\n| %-30s | Gbit/s | of plain | CPU-s/GB inspector | CPU-s/GB machine | p50 µs | p99 µs |\n|---|---|---|---|---|---|---|\n", map[string]string{"gso": "GSO on", "mtu": "MTU frames"}[seg])
		got := make([][]point, len(list))
		for range rounds { // round by round: what disturbs the machine disturbs all of them alike
			for i, in := range list {
				p, err := r.point(in, seconds)
				if err != nil {
					return fmt.Errorf("%s: %w", in.name, err)
				}
				p.plain = p.gbits
				if i > 0 {
					p.plain = got[0][len(got[0])-1].gbits
				}
				got[i] = append(got[i], p)
			}
		}
		for i, in := range list {
			p := median(got[i])
			fmt.Printf("| %-30s | %.2f | %.0f %% | %.2f | %.2f | %.0f | %.0f |\n", in.name, p.gbits, 100*p.share, p.inspector, p.machine, p.p50, p.p99)
		}
	}
	return nil
}

// gateway starts the daemon in the router and waits until it inspects.
func (r *rig) gateway(keep bool) (*exec.Cmd, error) {
	dir, err := os.MkdirTemp(r.dir, "gateway")
	if err != nil {
		return nil, err
	}
	p := plan{Keep: keep, Config: config.Config{Interface: "lan", Socket: filepath.Join(dir, "sock"), State: config.State{Dir: filepath.Join(dir, "state")},
		API: config.API{Off: true}, Policy: config.Policy{Mode: "protect"}, Inline: config.Inline{State: filepath.Join(dir, "enforce.json")}}}
	text, err := json.Marshal(p)
	if err != nil {
		return nil, err
	}
	c := exec.Command("/proc/self/exe")
	c.Env = append(os.Environ(), asDaemon+"="+string(text))
	return c, r.run(c, inspects(p.Config.Socket))
}

// inspects asks the daemon behind the socket whether it does.
func inspects(socket string) func() bool {
	cl := client.Unix(socket)
	return func() bool {
		ctx, cancel := context.WithTimeout(context.Background(), time.Second)
		defer cancel()
		now, err := cl.Policy(ctx)
		return err == nil && now.Inline
	}
}

// parted starts the program as a household does: one process that keeps the
// privileges, and one without that reads packets.
func (r *rig) parted(program string) (*exec.Cmd, error) {
	dir, err := os.MkdirTemp("", "inlinebench") // the other user has to reach it
	if err != nil {
		return nil, err
	}
	r.more = append(r.more, dir)
	if err := os.Chmod(dir, 0o755); err != nil { //nolint:gosec // see above
		return nil, err
	}
	sock, file := filepath.Join(dir, "sock"), filepath.Join(dir, "yamori.yaml")
	text := fmt.Sprintf("interface: lan\nprivileges: drop\nsocket: %s\nstate: {dir: %s}\napi: {off: true}\npolicy: {mode: protect}\ninline: {state: %s}\n", sock, filepath.Join(dir, "state"), filepath.Join(dir, "enforce.json"))
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		return nil, err
	}
	c := exec.Command(program, "run", "--config", file)
	return c, r.run(c, inspects(sock))
}

// suricata starts Suricata as an IPS without rules.
func (r *rig) suricata() (*exec.Cmd, error) {
	dir, err := os.MkdirTemp(r.dir, "suricata")
	if err != nil {
		return nil, err
	}
	if err := r.router.Run("iptables-nft", "-A", "FORWARD", "-j", "NFQUEUE", "--queue-num", "100", "--queue-bypass"); err != nil {
		return nil, err
	}
	c := exec.Command("suricata", "-c", "/etc/suricata/suricata.yaml", "-k", "none", "-q", "100", "--runmode", "workers", "-S", "/dev/null", "-l", dir)
	return c, r.run(c, func() bool {
		var b []byte
		_ = r.router.Do(func() (err error) {
			b, err = os.ReadFile("/proc/thread-self/net/netfilter/nfnetlink_queue")
			return err
		})
		return strings.Contains(string(b), " 100 ")
	})
}

// run starts a program in the router and waits until it works.
func (r *rig) run(c *exec.Cmd, ready func() bool) error {
	var log strings.Builder
	c.Stdout, c.Stderr = &log, &log
	if err := start(r.router, c); err != nil {
		return err
	}
	for range 300 {
		if ready() {
			time.Sleep(500 * time.Millisecond)
			return nil
		}
		time.Sleep(50 * time.Millisecond)
	}
	_ = c.Process.Kill()
	_ = c.Wait()
	return errors.New("it does not begin: " + log.String())
}
