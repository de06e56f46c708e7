package main

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"io"
	"os"

	"github.com/spf13/cobra"

	"github.com/yamori-net/yamori/internal/api"
)

// importPart is how much of a file is sent at once: less than what the daemon
// takes in one go.
const importPart = 16 << 20

func newEventsImport(stdout, stderr *os.File) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "import FILE",
		Short: "Add events of an export, or of Suricata's log",
		Long: `Import adds the events of an export (yamori events -o eve, or the API's as EVE
or JSON) and the alerts of Suricata's eve.json. They count in reports at the time
they had. A line that cannot be read is left out; what is imported twice is there twice.`,
		Example: "  yamori events import old-events.json\n  zcat eve.json.1.gz | yamori events import -",
		Args:    cobra.ExactArgs(1),
	}
	a := newAsker(cmd, stdout, stderr)
	cmd.ValidArgsFunction = nil // a file
	cmd.RunE = a.does(func(ctx context.Context, args []string) error {
		file, err := opened(args[0])
		if err != nil {
			return err
		}
		if file != os.Stdin {
			defer file.Close()
		}
		done := api.Imported{Problems: []string{}}
		err = inParts(file, importPart, func(part []byte) error {
			x, err := a.c.Import(ctx, bytes.NewReader(part))
			done.Findings, done.Skipped, done.Bad = done.Findings+x.Findings, done.Skipped+x.Skipped, done.Bad+x.Bad
			if len(done.Problems) == 0 { // the lines of later parts are counted anew
				done.Problems = append(done.Problems, x.Problems...)
			}
			return err
		})
		if err != nil {
			return err
		}
		if ok, err := a.json(&done); ok {
			return err
		}
		a.sayf("Added %d events.", "イベントを %d 件追加しました。", done.Findings)
		if done.Skipped > 0 {
			a.sayf("  %d lines are no alerts and were left out.", "  警告ではない %d 行は取り込みませんでした。", done.Skipped)
		}
		if done.Bad > 0 {
			a.sayf("  %d lines could not be read and were left out.", "  読めない %d 行は取り込みませんでした。", done.Bad)
			for _, p := range done.Problems {
				a.sayf("    %s", "    %s", plain(p))
			}
		}
		return nil
	})
	return cmd
}

// inParts calls f with whole lines of r, about most bytes at a time.
func inParts(r io.Reader, most int, f func([]byte) error) error {
	br := bufio.NewReaderSize(r, 1<<16)
	var part []byte
	for {
		line, err := br.ReadSlice('\n')
		part = append(part, line...)
		if err != nil && !errors.Is(err, bufio.ErrBufferFull) && err != io.EOF {
			return err
		}
		whole := len(line) > 0 && line[len(line)-1] == '\n'
		// A file without lines is cut too: it is none of ours.
		if len(part) > 0 && (err == io.EOF || len(part) >= most && whole || len(part) >= 2*most) {
			if err := f(part); err != nil {
				return err
			}
			part = part[:0]
		}
		if err == io.EOF {
			return nil
		}
	}
}
