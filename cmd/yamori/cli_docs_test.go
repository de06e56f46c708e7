package main

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/spf13/cobra"
)

// cliPage is run beside a daemon, by TestCommandPage.
const cliPage = "cli.md"

// TestCommandPage runs every command of docs/cli.md, one after the other,
// beside a daemon, and finds every command on the page.
func TestCommandPage(t *testing.T) {
	x := newHome(t)
	x.keepCapture("packets")
	page, err := os.ReadFile(filepath.Join("..", "..", "docs", cliPage))
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	program := filepath.Join(dir, "program")
	buildInto(t, program)
	script := fmt.Sprintf("#!/bin/sh\nexec %s \"$@\" --socket %s\n", program, x.socket)
	if err := os.Mkdir(filepath.Join(dir, "bin"), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "bin", "yamori"), []byte(script), 0o755); err != nil {
		t.Fatal(err)
	}
	ran := 0
	for _, m := range shBlock.FindAllStringSubmatch(string(page), -1) {
		for line := range strings.Lines(m[1]) {
			line = strings.TrimSpace(line)
			cmd := exec.Command("sh", "-c", line)
			cmd.Dir = dir
			cmd.Env = append(os.Environ(), "LC_ALL=C")
			if out, err := cmd.CombinedOutput(); err != nil {
				t.Errorf("%s: %v\n%s", line, err, out)
			}
			ran++
		}
	}
	if ran < 60 {
		t.Errorf("only %d commands found", ran)
	}
	for _, c := range newRoot(os.Stdout, os.Stderr).Commands() {
		if onPage(c) && !strings.Contains(string(page), "bin/yamori "+c.Name()) {
			t.Errorf("docs/%s does not show yamori %s", cliPage, c.Name())
		}
	}
	for _, file := range []string{"proof.pcapng", "report.html", "home.backup", "all.backup"} {
		if st, err := os.Stat(filepath.Join(dir, file)); err != nil || st.Size() == 0 {
			t.Errorf("%s: %v", file, err)
		}
	}
}

// onPage says that a command asks the daemon and belongs on the page.
func onPage(c *cobra.Command) bool {
	return c.Flags().Lookup("lang") != nil && c.Flags().Lookup("socket") != nil && c.Name() != "protect" && c.Name() != "run" // these need an interface
}
