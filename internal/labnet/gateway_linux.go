package labnet

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"github.com/goccy/go-yaml"

	"github.com/yamori-net/yamori/internal/api/client"
)

// GatewayOptions say how yamori is to run in a home.
type GatewayOptions struct {
	Program  string // the yamori to run
	Folder   string // for its configuration, state, socket and log; it must exist
	Protect  bool   // stop what it finds; else it only watches
	Language string
	Stdout   io.Writer
	// More is added to the configuration.
	More map[string]any
}

// Gateway is a yamori that runs in Home.Gate, as a process of its own. It is
// killed when the home is closed; with "privileges: keep" also when this process
// ends.
type Gateway struct {
	Client *client.Client
	Socket string
	Config string // its configuration file
	// Gone gives how it ended, once.
	Gone   <-chan error
	cmd    *exec.Cmd
	folder string
}

// startPatience is how long it may take until it watches, or protects.
const startPatience = 20 * time.Second

// StartGateway runs yamori where the gateway is and waits until it watches, or
// with Protect until packets are inspected in line.
func (h *Home) StartGateway(ctx context.Context, o GatewayOptions) (*Gateway, error) {
	g := &Gateway{Socket: filepath.Join(o.Folder, "yamori.sock"), Config: filepath.Join(o.Folder, "yamori.yaml"), folder: o.Folder}
	var home []string
	for _, p := range h.Nets() {
		home = append(home, p.String())
	}
	mode := "watch"
	if o.Protect {
		mode = "protect"
	}
	cfg := map[string]any{"version": 1, "interface": h.Tap, "home_net": home, "socket": g.Socket, "state": map[string]any{"dir": filepath.Join(o.Folder, "state")},
		"api": map[string]any{"off": true}, "policy": map[string]any{"mode": mode},
		"inline": map[string]any{"state": filepath.Join(o.Folder, "enforce.json"), "bridge": h.opt.Bridge, "lan": []string{h.LAN}}}
	if o.Language != "" {
		cfg["language"] = o.Language
	}
	for k, v := range o.More {
		cfg[k] = v
	}
	// The daemon gives its privileges up and has to reach its state.
	if err := os.Chmod(o.Folder, 0o711); err != nil {
		return nil, err
	}
	text, err := yaml.Marshal(cfg)
	if err != nil {
		return nil, err
	}
	if err := os.WriteFile(g.Config, text, 0o600); err != nil {
		return nil, err
	}
	log, err := os.OpenFile(filepath.Join(o.Folder, "log"), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return nil, err
	}
	defer log.Close()
	g.cmd = exec.Command(o.Program, "run", "--config", g.Config)
	g.cmd.Stdout, g.cmd.Stderr = o.Stdout, log
	if !h.begin() {
		return nil, ErrClosed
	}
	err = Start(h.Gate, g.cmd)
	h.active.Done()
	if err != nil {
		return nil, err
	}
	context.AfterFunc(h.ctx, func() { _ = g.cmd.Process.Kill() })
	gone := make(chan error, 1)
	g.Gone = gone
	go func() { gone <- g.cmd.Wait() }()
	g.Client = client.Unix(g.Socket)
	if err := g.await(ctx, o.Protect); err != nil {
		_ = g.cmd.Process.Kill()
		return nil, fmt.Errorf("yamori in the lab: %w\n%s", err, g.Log())
	}
	return g, nil
}

// await waits until it answers, and protects.
func (g *Gateway) await(ctx context.Context, protect bool) error {
	ctx, cancel := context.WithTimeout(ctx, startPatience)
	defer cancel()
	for {
		_, err := g.Client.Status(ctx)
		if err == nil && protect {
			p, e := g.Client.Policy(ctx)
			if err = e; err == nil && !p.Inline {
				err = errors.New("it does not inspect packets in line")
			}
		}
		if err == nil {
			return nil
		}
		select {
		case died := <-g.Gone:
			return fmt.Errorf("it ended: %w", died)
		case <-ctx.Done():
			if errors.Is(ctx.Err(), context.DeadlineExceeded) {
				return err
			}
			return ctx.Err()
		case <-time.After(30 * time.Millisecond):
		}
	}
}

// Signal sends it a signal.
func (g *Gateway) Signal(s os.Signal) error { return g.cmd.Process.Signal(s) }

// Pid is the number of its process.
func (g *Gateway) Pid() int { return g.cmd.Process.Pid }

// Stop asks it to end and waits. It then gives its account to Stdout.
func (g *Gateway) Stop() error {
	if err := g.Signal(syscall.SIGTERM); err != nil {
		return err
	}
	select {
	case err := <-g.Gone:
		return err
	case <-time.After(startPatience):
		_ = g.cmd.Process.Kill()
		return fmt.Errorf("yamori in the lab does not end\n%s", g.Log())
	}
}

// Log is the end of what it said about itself.
func (g *Gateway) Log() string {
	b, _ := os.ReadFile(filepath.Join(g.folder, "log"))
	return strings.TrimSpace(string(b[max(0, len(b)-4000):]))
}
