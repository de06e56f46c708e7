package match_test

import (
	"testing"

	"github.com/yamori-net/yamori/internal/match"
)

// TestReplyReceived: commands of FTP with and without an answer.
func TestReplyReceived(t *testing.T) {
	r := replay(t, compile(t, `alert ftp any any -> any any (ftp.reply_received:yes; ftp.reply; content:"Password"; sid:1;)
alert ftp any any -> any any (ftp.command; content:"NOOP"; sid:2;)
alert ftp any any -> any any (ftp.reply_received:no; sid:3;)
alert ftp any any -> any any (ftp.reply_received:off; ftp.reply; content:"x"; sid:4;)
`, match.Options{}))
	f := r.open(4000, 21)
	f.send(toClient, "220 ready\r\n")
	f.send(toServer, "USER ann\r\n")
	f.send(toClient, "331 Password please\r\n")
	f.send(toServer, "NOOP\r\n")
	f.close()
	n := map[uint32]int{}
	for _, sid := range r.end() {
		n[sid]++
	}
	if n[1] != 1 || n[2] != 1 || n[3] != 1 || n[4] != 0 {
		t.Errorf("alerts %v", n)
	}
}

// TestEventsWantFiles: events that only those tell who follow files.
func TestEventsWantFiles(t *testing.T) {
	for rule, want := range map[string]bool{
		`alert smb any any -> any any (app-layer-event:smb.file_overlap; sid:1;)`:          true,
		`alert smtp any any -> any any (app-layer-event:smtp.mime_invalid_base64; sid:1;)`: true,
		`alert smb any any -> any any (app-layer-event:smb.malformed_data; sid:1;)`:        false,
		`alert http any any -> any any (http.uri; content:"x"; sid:1;)`:                    false,
		`alert http any any -> any any (file.data; content:"x"; sid:1;)`:                   true,
	} {
		if got, _ := compile(t, rule+"\n", match.Options{}).WantsFiles(); got != want {
			t.Errorf("%s: %v", rule, got)
		}
	}
}
