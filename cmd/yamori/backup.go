package main

import (
	"bufio"
	"context"
	"errors"
	"maps"
	"os"
	"slices"
	"strconv"

	"github.com/spf13/cobra"

	"github.com/yamori-net/yamori/internal/api"
	"github.com/yamori-net/yamori/internal/report"
)

func newBackup(stdout, stderr *os.File) *cobra.Command {
	var file, pass string
	var findings bool
	cmd := &cobra.Command{
		Use:   "backup",
		Short: "Save what is yours: names, policy, settings, users",
		Long: `Backup saves what you told yamori: the names of devices, the policy, settings,
and with --with-findings what was found. Passwords and tokens are in it only
with a passphrase, encrypted. Without -w the file takes the time as its name,
in this folder.`,
		Example: `  yamori backup
  yamori backup -w home.backup --with-findings
  yamori backup -w - --passphrase-file /root/passphrase | ssh nas 'cat > home.backup'`,
		Args: cobra.NoArgs,
	}
	a := newAsker(cmd, stdout, stderr)
	f := cmd.Flags()
	f.StringVarP(&file, "write", "w", "", "file to write (\"-\": standard output)")
	f.BoolVar(&findings, "with-findings", false, "what was found too")
	f.StringVar(&pass, "passphrase-file", "", "file whose first line encrypts passwords and tokens (\"-\": standard input)")
	cmd.RunE = a.does(func(ctx context.Context, _ []string) (err error) {
		o := api.BackupOptions{Findings: findings}
		if pass != "" {
			if o.Passphrase, err = secretFrom(pass); err != nil {
				return err
			}
		}
		fresh := file == ""
		if fresh {
			file = "yamori-" + a.now.Format("20060102-150405") + ".backup"
		}
		n, err := a.save(file, fresh, func(w *writer) error { return a.c.Backup(ctx, o, w) })
		if err != nil {
			return err
		}
		if pass == "" {
			a.notef("Passwords and tokens are not in it; add --passphrase-file to have them, encrypted.", "パスワードとトークンは含まれていません。--passphrase-file を付けると、暗号化して含めます。")
		}
		if file == "-" {
			return nil
		}
		if ok, err := a.json(map[string]any{"file": file, "bytes": n, "secrets": pass != ""}); ok {
			return err
		}
		a.sayf("Wrote %s (%s).", "%s に保存しました（%s）。", plain(file), report.Size(uint64(n)))
		return nil
	})
	return cmd
}

func newRestore(stdout, stderr *os.File) *cobra.Command {
	var pass string
	var yes bool
	cmd := &cobra.Command{
		Use:   "restore FILE",
		Short: "Take a backup back",
		Long: `Restore brings back what a backup holds and replaces what is there, at once.
Everybody must log in again.`,
		Example: `  yamori restore home.backup
  yamori restore home.backup --passphrase-file /root/passphrase --yes`,
		Args: cobra.ExactArgs(1),
	}
	a := newAsker(cmd, stdout, stderr)
	cmd.ValidArgsFunction = nil // a file
	f := cmd.Flags()
	f.StringVar(&pass, "passphrase-file", "", "file whose first line is the passphrase of the backup")
	f.BoolVar(&yes, "yes", false, "do not ask")
	cmd.RunE = a.does(func(ctx context.Context, args []string) error {
		if pass == "-" && args[0] == "-" {
			return usage(errors.New("standard input cannot be the backup and the passphrase; put one of them into a file"))
		}
		phrase := ""
		if pass != "" {
			var err error
			if phrase, err = secretFrom(pass); err != nil {
				return err
			}
		}
		file, err := opened(args[0])
		if err != nil {
			return err
		}
		if file != os.Stdin {
			defer file.Close()
		}
		if err := a.sure(ctx, yes, "What is there is replaced by what %s holds. Go on?", "いまの内容を %s の内容で置き換えます。続けますか？", plain(args[0])); err != nil {
			return err
		}
		done, err := a.c.Restore(ctx, phrase, bufio.NewReader(file))
		if err != nil {
			return err
		}
		if ok, err := a.json(&done); ok {
			return err
		}
		rows := [][]string{}
		for _, k := range slices.Sorted(maps.Keys(done.Counts)) {
			rows = append(rows, []string{"  " + plain(k), strconv.FormatInt(done.Counts[k], 10)})
		}
		a.sayf("Restored:", "復元しました：")
		if err := grid(a.out, rows); err != nil {
			return err
		}
		for _, n := range done.Notes {
			a.sayf("  ! %s", "  ! %s", a.restoreNote(n))
		}
		return nil
	})
	return cmd
}

// restoreNote says what the code of a note means.
func (a *asker) restoreNote(code string) string {
	switch code {
	case "secrets-left":
		return a.t("Passwords and tokens were left out: the passphrase is missing. Restore again with --passphrase-file to have them.", "パスフレーズがないため、パスワードとトークンは復元していません。必要なら --passphrase-file を付けてやり直してください。")
	}
	return plain(code)
}
