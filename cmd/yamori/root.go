package main

import (
	"fmt"
	"os"
	"runtime"
	"slices"
	"strings"

	"github.com/spf13/cobra"
)

// version is set at build time (-ldflags "-X main.version=…").
var version = "devel"

// groups are how the commands stand in the help.
var groups = []struct {
	title string
	names []string
}{
	{"What is and what happened", []string{"status", "devices", "events", "timeline", "flows", "report", "audit-log"}},
	{"What may be", []string{"allow", "block", "quarantine", "pause", "policy", "protect", "unhook", "undo"}},
	{"What is kept, and for whom", []string{"settings", "forget", "backup", "restore", "passwd", "users", "tokens"}},
	{"Watching, captures and rules", []string{"run", "doctor", "replay", "rules", "lab"}},
}

func newRoot(stdout, stderr *os.File) *cobra.Command {
	root := &cobra.Command{
		Use:   "yamori",
		Short: "Watch a home network for mining and other abuse of its devices",
		Long: `Yamori (家守, the gecko that guards the house) inspects the packets of a home
network, recognises what is spoken, and says in plain words what it sees.`,
		Example: `  yamori replay capture.pcap        an account of a capture
  sudo yamori run                   watch this machine's network
  yamori status                     ask the running watch
  yamori devices                    what is in the home
  yamori events --follow            what is found, as it is found`,
		Version:           version,
		SilenceUsage:      true,
		SilenceErrors:     true,
		CompletionOptions: cobra.CompletionOptions{HiddenDefaultCmd: false},
		Args:              cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return cmd.Help()
		},
	}
	root.SetOut(stdout)
	root.SetErr(stderr)
	root.SetVersionTemplate(fmt.Sprintf("yamori %s (%s, %s/%s)\n", version, runtime.Version(), runtime.GOOS, runtime.GOARCH))
	root.SetFlagErrorFunc(func(cmd *cobra.Command, err error) error {
		return usage(fmt.Errorf("%w; see '%s --help'", err, cmd.CommandPath()))
	})
	root.AddCommand(newReplay(stdout, stderr), newRun(stdout, stderr), newStatus(stdout, stderr), newRules(stdout, stderr),
		newDevices(stdout, stderr), newEvents(stdout, stderr), newTimeline(stdout, stderr), newFlows(stdout, stderr), newReport(stdout, stderr),
		newAllow(stdout, stderr), newBlock(stdout, stderr), newQuarantine(stdout, stderr), newPause(stdout, stderr), newPolicy(stdout, stderr),
		newUndo(stdout, stderr), newForget(stdout, stderr), newSettings(stdout, stderr), newBackup(stdout, stderr), newRestore(stdout, stderr),
		newPasswd(stdout, stderr), newUsers(stdout, stderr), newTokens(stdout, stderr), newAuditLog(stdout, stderr), newLab(stdout, stderr),
		newProtect(stdout, stderr), newUnhook(stdout, stderr), newDoctor(stdout, stderr), newPrivileged(stderr))
	for _, g := range groups {
		root.AddGroup(&cobra.Group{ID: g.title, Title: g.title + ":"})
	}
	for _, c := range root.Commands() {
		c.Args = usageArgs(c.Args)
		for _, g := range groups {
			if slices.Contains(g.names, c.Name()) {
				c.GroupID = g.title
			}
		}
	}
	root.Args = usageArgs(root.Args)
	return root
}

// wrongArgs says which command was meant, or how this one is written.
func wrongArgs(cmd *cobra.Command, args []string, err error) string {
	switch {
	case cmd.HasSubCommands() && len(args) > 0:
		cmd.SuggestionsMinimumDistance = 2
		if near := cmd.SuggestionsFor(args[0]); len(near) > 0 {
			return err.Error() + "; did you mean " + orList(near) + "? Else"
		}
		return err.Error() + ";"
	case !strings.Contains(cmd.Use, " "):
		return fmt.Sprintf("%s takes no %q;", cmd.CommandPath(), strings.Join(args, " "))
	}
	return "write: " + cmd.UseLine() + ";"
}

// usageArgs makes wrong arguments a usage error.
func usageArgs(check cobra.PositionalArgs) cobra.PositionalArgs {
	return func(cmd *cobra.Command, args []string) error {
		if check == nil {
			return nil
		}
		if err := check(cmd, args); err != nil {
			return usage(fmt.Errorf("%s see '%s --help'", wrongArgs(cmd, args, err), cmd.CommandPath()))
		}
		return nil
	}
}
