package builtin_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/yamori-net/yamori/internal/builtin"
	"github.com/yamori-net/yamori/internal/capture/pcapfile"
	"github.com/yamori-net/yamori/internal/corpus"
	"github.com/yamori-net/yamori/internal/engine"
	"github.com/yamori-net/yamori/internal/event"
	"github.com/yamori-net/yamori/internal/files"
)

// fileInfo is what these tests look at of a fileinfo event.
type fileInfo struct {
	App  string `json:"app_proto"`
	Port uint16 `json:"src_port"`
	File struct {
		Name   string `json:"filename"`
		Magic  string
		State  string
		SHA256 string
		Size   int
		TxID   int `json:"tx_id"`
	} `json:"fileinfo"`
	HTTP struct{ URL string }
	Mail struct {
		From string `json:"mail_from"`
	} `json:"smtp"`
	FTP struct{ Command string } `json:"ftp_data"`
}

// replayFiles returns the files of a capture, each event checked against the
// schema.
func replayFiles(t *testing.T, name string, check bool) (out []fileInfo) {
	t.Helper()
	b, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	var eve event.EVE
	e, err := engine.New(engine.Config{
		Protocols: builtin.Protocols(), Workers: 1, Events: []event.Type{event.FileInfo}, Files: files.Config{Want: files.SHA256},
		Sink: func(int) event.Sink {
			return event.SinkFunc(func(ev *event.Event) {
				line := eve.Append(nil, ev)
				if check {
					if err := checkEvent(string(line)); err != nil {
						t.Errorf("%s: %v\n%s", name, err, line)
					}
				}
				var f fileInfo
				if err := json.Unmarshal(line, &f); err != nil {
					t.Errorf("%s: %v\n%s", name, err, line)
				}
				out = append(out, f)
			})
		},
		OnPanic: func(v any, stack []byte) { t.Errorf("panic: %v\n%s", v, stack) },
	})
	if err != nil {
		t.Fatal(err)
	}
	src := pcapfile.NewReader(name, bytes.NewReader(b))
	defer src.Close()
	if err := src.Run(context.Background(), e.Workers[0].Handle); err != nil {
		t.Errorf("%s: %v", name, err)
	}
	e.Close()
	return out
}

// TestFiles finds the same three files in captures of each protocol, byte for
// byte.
func TestFiles(t *testing.T) {
	var numbers strings.Builder
	for i := range 1500 {
		fmt.Fprintln(&numbers, i+1)
	}
	content := map[string]string{"PNG image data": "\x89PNG\r\n\x1a\n0123456789", "MS-DOS executable": "MZ" + strings.Repeat("\x00", 700)}
	for capture, want := range map[string][]string{
		"http": {"http 80 /a b/numbers.txt ASCII text 0 /a%20b/numbers.txt", "http 80 /gzip/numbers.txt ASCII text 1 /gzip/numbers.txt?x=1",
			"http 80 other name.exe MS-DOS executable 2 /named/setup.exe", "http dot.png PNG image data 0 /upload", "http setup.exe MS-DOS executable 0 /upload",
			"http 80 /upload thanks 0 /upload"},
		"smtp": {"smtp dot.png PNG image data 0 <a@lab.example>", "smtp setup.exe MS-DOS executable 0 <a@lab.example>"},
		"ftp":  {"ftp-data numbers.txt ASCII text 0 RETR", "ftp-data setup.exe MS-DOS executable 0 RETR"},
	} {
		var got []string
		for _, f := range replayFiles(t, "testdata/files/"+capture+".pcap", true) {
			body, magic := content[f.File.Magic], f.File.Magic
			if magic == "ASCII text" {
				if body = numbers.String(); f.File.Size == 6 {
					body, magic = "thanks", "thanks"
				}
			}
			if f.File.State != "CLOSED" || f.File.Size != len(body) || f.File.SHA256 != fmt.Sprintf("%x", sha256.Sum256([]byte(body))) {
				t.Errorf("%s: %+v", capture, f)
			}
			s := f.App
			if f.Port == 80 { // the sender is the source
				s += " 80"
			}
			got = append(got, fmt.Sprintf("%s %s %s %d %s", s, f.File.Name, magic, f.File.TxID, f.HTTP.URL+f.Mail.From+f.FTP.Command))
		}
		if strings.Join(got, "\n") != strings.Join(want, "\n") {
			t.Errorf("%s:\n%s\nwant:\n%s", capture, strings.Join(got, "\n"), strings.Join(want, "\n"))
		}
	}
}

// TestEvaderFiles: however a server frames and codes its answer, the file in
// it has its name; in most it is the test file byte for byte.
func TestEvaderFiles(t *testing.T) {
	const cases = 261
	dir := corpus.Path(t, cases, "captures", "suricata-verify", "tests", "http-evader")
	captures, err := filepath.Glob(filepath.Join(dir, "*", "*.pcap"))
	if err != nil || len(captures) < cases {
		t.Fatalf("%d captures, %v", len(captures), err)
	}
	// The EICAR test file's hash, which its publisher names too.
	const eicar = "275a021bbfb6489e54d471899f7db9d1663fc695ec2fe2a2c4538aabf651fd0f"
	exact := 0
	for _, c := range captures {
		named := 0
		for _, f := range replayFiles(t, c, false) {
			if f.File.Name == "eicar.txt" {
				named++
				if f.File.SHA256 == eicar {
					exact++
				}
			}
		}
		// Two answers do not name it: the path of the request does.
		if n := filepath.Base(filepath.Dir(c)); named != 1 && n != "http-evader-496" && n != "http-evader-497" {
			t.Errorf("%s: %d files of that name", c, named)
		}
	}
	t.Logf("%d of %d byte for byte", exact, len(captures))
	if exact < 230 {
		t.Errorf("only %d of %d byte for byte", exact, len(captures))
	}
}
