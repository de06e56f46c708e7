package api_test

import (
	"context"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/yamori-net/yamori/internal/api"
)

// TestDocs runs each example of docs/api.md with the curl of this system.
func TestDocs(t *testing.T) {
	if _, err := exec.LookPath("curl"); err != nil {
		if os.Getenv("CI") != "" {
			t.Fatalf("the examples of docs/api.md need curl: %v", err)
		}
		t.Skipf("the examples of docs/api.md need curl: %v", err)
	}
	doc, err := os.ReadFile("../../docs/api.md")
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	cert := &api.Certificate{Dir: filepath.Join(dir, "tls"), Addrs: func() []netip.Addr { return nil }}
	s, token, viewer := api.NewTestServer(t, nil)
	sock, at := serve(t, s, cert)
	fresh, link := api.NewLink(t)
	_, freshAt := serve(t, fresh, cert)

	blocks, ran := strings.Split(string(doc), "```sh\n"), 0
	// One shell runs all, so that variables and cookies last; each block is
	// its own step for the error.
	script := "set -e\n"
	for n, b := range blocks[1:] {
		b, _, _ = strings.Cut(b, "```")
		ran += strings.Count(b, "curl ")
		switch {
		case strings.HasPrefix(b, "# api: setup"):
			b = "YAMORI=https://" + freshAt.String() + "\n" + b + "YAMORI=https://" + at.String() + "\n"
		case strings.HasPrefix(b, "# api: stream"):
			b = "{ " + b + "} || test $? = 28\n" // its own time is over
		}
		script += "echo; echo '== block " + string(rune('0'+n/10)) + string(rune('0'+n%10)) + "'\n" + b
	}
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	cmd := exec.CommandContext(ctx, "bash", "-c", script)
	cmd.Env = append(os.Environ(), "YAMORI=https://"+at.String(), "CERT="+filepath.Join(dir, "tls", "yamori.crt"), "JAR="+filepath.Join(dir, "jar"), "TOKEN="+token, "LINK="+link,
		"SOCKET="+sock, "USER_ID="+viewer, "DIR="+dir, "no_proxy=*")
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	if ran < 20 {
		t.Errorf("only %d examples were found", ran)
	}
	for _, want := range []string{`"role":"owner"`, `"name":"Camera in the hall"`, `"secret":"ymr_`, `"mode":"protect"`, `lang="ja"`, `"counts":{"findings":3}`, "retry: 3000", "yamori_build_info", "openapi: 3.1.0"} {
		if !strings.Contains(string(out), want) {
			t.Errorf("no %s in what the examples answer", want)
		}
	}
}
