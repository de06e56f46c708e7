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
