package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"slices"
	"strings"
	"syscall"

	"github.com/spf13/cobra"

	"github.com/yamori-net/yamori/internal/app"
	"github.com/yamori-net/yamori/internal/capture/afpacket"
	"github.com/yamori-net/yamori/internal/config"
	"github.com/yamori-net/yamori/internal/report"
)

func newRun(stdout, stderr *os.File) *cobra.Command {
	var configFile, iface, socket, events, lang string
	var ruleFiles []string
	var check bool
	cmd := &cobra.Command{
		Use:   "run",
		Short: "Watch this machine's network",
		Long: `Run watches a network interface and says in plain words what it sees. It only
watches, until you ask it to protect (yamori protect). On a router it takes the
LAN side, elsewhere the interface of the default route. Stop it with Ctrl-C: it
ends with an account. A SIGHUP reopens the event file and loads the rules again.

It needs root, or the capabilities cap_net_raw and cap_net_admin. Started as
root it becomes two processes: a small one keeps the privileges, and the one that
reads packets and serves the web has none (see privileges in the configuration).`,
		Example: `  sudo yamori run
  sudo yamori run --interface br-lan --events /var/log/yamori/eve.json
  sudo yamori run --rules /etc/yamori/rules
  yamori run --check --config /etc/yamori/yamori.yaml`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			b, err := begin()
			if err != nil {
				return err
			}
			var text []byte
			if b != nil {
				defer func() { _ = b.client.Close() }()
				text = b.config
			} else if text, err = readConfig(configFile); err != nil {
				return err
			}
			cfg, err := config.Parse(cmp.Or(configFile, config.DefaultPath), text)
			if err != nil {
				return err
			}
			if _, err := eventTypes(cfg.Events.Types); err != nil {
				return err
			}
			if lang != "" {
				l, err := chosen(lang, cfg)
				if err != nil {
					return err
				}
				cfg.Language = string(l)
			}
			cfg.Interface = cmp.Or(iface, cfg.Interface)
			cfg.Socket = cmp.Or(socket, cfg.Socket)
			cfg.Events.File = cmp.Or(events, cfg.Events.File)
			ownRules := slices.Clone(cfg.Rules.Files)
			cfg.Rules.Files = append(cfg.Rules.Files, ruleFiles...)
			if check {
				file := place{name: cmp.Or(configFile, config.DefaultPath), text: text, rules: ownRules}
				return checkAll(cmd.Context(), stdout, cfg, file)
			}
			if b == nil && parts(cfg) {
				return part(cfg, text)
			}
			home, _ := config.Prefixes(cfg.HomeNet) // checked by Load
			hup := make(chan os.Signal, 1)
			signal.Notify(hup, syscall.SIGHUP)
			defer signal.Stop(hup)
			w := &app.Watch{Config: cfg, HomeNet: home, Lang: language(cfg), Version: version,
				Rules: app.ConfiguredRules(cfg), Line: app.IsTerminal(stderr), Stdout: stdout, Stderr: stderr, Log: cfg.Log.Logger(stderr), Reopen: hup}
			if b != nil {
				w.Priv, w.Socket = b.client, b.socket
				tellUnreadable(w.Log, cfg)
			}
			return allowed(w.Lang, w.Run(cmd.Context()))
		},
	}
	f := cmd.Flags()
	f.StringVarP(&iface, "interface", "i", "", "interface to watch")
	f.StringVar(&configFile, "config", "", "configuration file (default "+config.DefaultPath+" where it exists)")
	f.StringVar(&socket, "socket", "", "Unix socket for status (default "+config.DefaultSocket+")")
	f.StringVar(&events, "events", "", "append EVE events to this file")
	f.StringArrayVar(&ruleFiles, "rules", nil, "also load rules in Suricata's language: a file, pattern or folder (repeatable)")
	langFlag(cmd, &lang)
	f.BoolVar(&check, "check", false, "only check the configuration and the files it names")
	return cmd
}

// allowed says in Japanese what else the error says: that watching needs
// privileges.
func allowed(lang report.Lang, err error) error {
	if lang != report.Japanese || !errors.Is(err, afpacket.ErrPermission) {
		return err
	}
	program, perr := os.Executable()
	if perr != nil {
		program = "yamori"
	}
	return fmt.Errorf("通信を監視する権限がありません。root で実行するか（sudo yamori run）、次で一度だけ権限を与えてください：sudo setcap cap_net_raw,cap_net_admin+ep %s", program)
}

// place knows where a configuration names what cannot be used.
type place struct {
	name  string
	text  []byte
	rules []string // files of rules that it names itself
}

// say puts file and line before each line of an error, which begins with the
// setting it is about.
func (p *place) say(err error) error {
	if err == nil {
		return nil
	}
	var out []string
	for line := range strings.Lines(err.Error()) {
		line = strings.TrimSuffix(line, "\n")
		setting, _, _ := strings.Cut(line, ":")
		n := cmp.Or(config.Line(p.text, setting), config.Line(p.text, "exports."+setting))
		if k := slices.IndexFunc(p.rules, func(r string) bool { return strings.Contains(line, r) }); k >= 0 {
			n = cmp.Or(config.Line(p.text, fmt.Sprintf("rules.files[%d]", k)), config.Line(p.text, "rules"))
		}
		if n > 0 {
			line = fmt.Sprintf("%s:%d: %s", p.name, n, line)
		}
		out = append(out, line)
	}
	return errors.New(strings.Join(out, "\n"))
}

// checkAll reads everything that a configuration names.
func checkAll(ctx context.Context, w io.Writer, cfg *config.Config, p place) error {
	notes, err := app.CheckFiles(ctx, cfg)
	for _, n := range notes {
		fmt.Fprintf(w, "warning: %s\n", n)
	}
	if err != nil {
		return p.say(err)
	}
	err = checkRules(w, app.ConfiguredRules(cfg))
	var code *exitCode
	if errors.As(err, &code) {
		return err
	}
	return p.say(err)
}

// checkRules loads the rules of a configuration and names every problem.
func checkRules(w io.Writer, rc app.RuleConfig) error {
	l, err := app.CheckRules(rc)
	if l != nil {
		for _, p := range l.Problems {
			word := ""
			if p.Warning {
				word = "warning: "
			}
			if err != error(p) { // that one is told as the error
				fmt.Fprintf(w, "%s%v\n", word, p)
			}
		}
	}
	if err != nil {
		return err
	}
	if l.Failed > 0 {
		fmt.Fprintf(w, "The configuration is good; %d of %d rules do not load and are left out.\n", l.Failed, l.Total)
		return &exitCode{code: 1}
	}
	fmt.Fprintln(w, "The configuration is good.")
	return nil
}
