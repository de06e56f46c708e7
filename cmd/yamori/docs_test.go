package main

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/yamori-net/yamori/internal/capture/pcapfile"
	"github.com/yamori-net/yamori/internal/packet"
)

var shBlock = regexp.MustCompile("(?s)```sh\n(.*?)```")

// needsLan are commands of the documentation that watch an interface, or whose answer depends on the machine: here
// only their flags are checked (with --help), they are run in the network
// namespace tests.
var needsLan = regexp.MustCompile(`yamori (run|lab|status|doctor|protect|rules reload)\b`)

// TestDocumentedCommands runs every command that the README and the pages show
// in sh blocks.
func TestDocumentedCommands(t *testing.T) {
	root, err := filepath.Abs("../..")
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	buildInto(t, filepath.Join(dir, "bin", "yamori"))
	writeCapture(t, filepath.Join(dir, "capture.pcap"))
	pages, err := filepath.Glob(filepath.Join(root, "docs", "*.md"))
	if err != nil {
		t.Fatal(err)
	}
	makefile, err := os.ReadFile(filepath.Join(root, "Makefile"))
	if err != nil {
		t.Fatal(err)
	}
	ran := 0
	for _, page := range append(pages, filepath.Join(root, "README.md")) {
		if name := filepath.Base(page); name == cliPage || name == "api.md" { // whose lines run in tests of their own
			continue
		}
		b, err := os.ReadFile(page)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range shBlock.FindAllStringSubmatch(string(b), -1) {
			for line := range strings.Lines(m[1]) {
				line = strings.TrimSpace(line)
				switch target, isMake := strings.CutPrefix(line, "make "); {
				case line == "" || strings.HasPrefix(line, "#"):
				case isMake:
					name := strings.Fields(target)[0]
					if !regexp.MustCompile(`(?m)^` + name + `:.*##`).Match(makefile) {
						t.Errorf("%s: make has no target %q", filepath.Base(page), name)
					}
					ran++
				case strings.Contains(line, "bin/yamori") && !isPeer(line):
					line = strings.TrimPrefix(line, "sudo ")
					if needsLan.MatchString(line) {
						line += " --help"
					}
					cmd := exec.Command("sh", "-c", line)
					cmd.Dir = dir
					if out, err := cmd.CombinedOutput(); err != nil {
						t.Errorf("%s: %s: %v\n%s", filepath.Base(page), line, err, out)
					}
					ran++
				default:
					if !strings.HasPrefix(line, "go run ./internal/tools/") && !strings.HasPrefix(line, "YAMORI_BENCH=") && !isPeer(line) {
						t.Errorf("%s: nothing checks the command %q", filepath.Base(page), line)
					}
				}
			}
		}
	}
	if ran < 8 {
		t.Errorf("only %d commands found", ran)
	}
}

// isPeer says that a command of the performance page runs another engine, or
// measures over captures that are not part of the project.
func isPeer(line string) bool {
	for _, p := range []string{"suricata ", "ndpiReader ", "/usr/bin/time ", "go run ./internal/tools/"} {
		if strings.HasPrefix(line, p) {
			return true
		}
	}
	return false
}

func buildInto(t *testing.T, bin string) {
	t.Helper()
	cmd := exec.Command("go", "build", "-o", bin, ".")
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("go build: %v\n%s", err, out)
	}
}

// minerLogin is what a Monero miner sends first.
const minerLogin = `{"id":1,"jsonrpc":"2.0","method":"login","params":{"login":"4` +
	`8edfHu7V9Z84YzzMa6fUueoELZ9ZRXq9VetWzYGzKt52XU5xvqgzYnDK9URnRoJMk1j8nLwEVsaSWJ4fhdUyZijBGUicoD",` +
	`"pass":"x","agent":"XMRig/6.21.0","algo":["rx/0","cn/2"]}}` + "\n"

// writeCapture writes a capture in which 192.168.1.2 logs in to a pool.
func writeCapture(t *testing.T, path string) {
	t.Helper()
	f, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	w, err := pcapfile.NewPcapWriter(f, packet.LinkEthernet, 0)
	if err != nil {
		t.Fatal(err)
	}
	eth := []byte{2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2, 8, 0}
	put := func(ms int64, fromServer bool, flags byte, seq, ack uint32, payload string) {
		n := 40 + len(payload)
		ip := []byte{0x45, 0, byte(n >> 8), byte(n), 0, 1, 0, 0, 64, 6, 0, 0, 192, 168, 1, 2, 198, 51, 100, 7}
		tcp := []byte{0x9c, 0x40, 0x0d, 0x05, byte(seq >> 24), byte(seq >> 16), byte(seq >> 8), byte(seq),
			byte(ack >> 24), byte(ack >> 16), byte(ack >> 8), byte(ack), 0x50, flags, 0xff, 0xff, 0, 0, 0, 0}
		if fromServer {
			copy(ip[12:], []byte{198, 51, 100, 7, 192, 168, 1, 2})
			copy(tcp, []byte{0x0d, 0x05, 0x9c, 0x40})
		}
		b := append(append(append(append([]byte{}, eth...), ip...), tcp...), payload...)
		if err := w.Write(&packet.Frame{Time: 1767225600e9 + ms*1e6, Data: b, Len: len(b), Link: packet.LinkEthernet}); err != nil {
			t.Fatal(err)
		}
	}
	put(0, false, packet.SYN, 99, 0, "")
	put(20, true, packet.SYN|packet.ACK, 499, 100, "")
	put(21, false, packet.ACK, 100, 500, "")
	put(22, false, packet.ACK|packet.PSH, 100, 500, minerLogin)
	put(45, true, packet.ACK, 500, 100+uint32(len(minerLogin)), "")
	if err := w.Flush(); err != nil {
		t.Fatal(err)
	}
}

// call runs the program in this process and returns its exit code and output.
func call(t *testing.T, args ...string) (code int, stdout, stderr string) {
	t.Helper()
	var out [2]*os.File
	for i := range out {
		f, err := os.CreateTemp(t.TempDir(), "out")
		if err != nil {
			t.Fatal(err)
		}
		defer f.Close()
		out[i] = f
	}
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	code = run(ctx, args, out[0], out[1])
	var text [2]string
	for i, f := range out {
		b, err := os.ReadFile(f.Name())
		if err != nil {
			t.Fatal(err)
		}
		text[i] = string(b)
	}
	return code, text[0], text[1]
}
