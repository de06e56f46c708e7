package labnet

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"strings"
	"time"
)

// pool speaks CryptoNote's dialect for as long as the miner likes.
func (h *Home) pool(c net.Conn) {
	const blob = "1010e2a1b8c4079de2a1b8c4079de2a1b8c4079de2a1b8c4079de2a1b8c4079de2a1b8c4079de2a1b8c4079de2a1b8c4079d00000000e2a1b8c4079de2a1b8c4079d5a7f"
	r := bufio.NewReaderSize(c, 4096)
	for jobs := 1; ; {
		_ = c.SetDeadline(time.Now().Add(2 * time.Minute))
		line, err := r.ReadSlice('\n')
		var q struct {
			ID     int
			Method string
		}
		if err != nil || json.Unmarshal(line, &q) != nil {
			return
		}
		job := fmt.Sprintf(`{"blob":"%s","job_id":"j%d","target":"b88d0600","algo":"rx/0","height":%d,"seed_hash":"%s"}`, blob, jobs, 3201400+jobs, strings.Repeat("9e41c8d20b6f5a73", 4))
		a := fmt.Sprintf(`{"id":%d,"jsonrpc":"2.0","error":null,"result":{"status":"OK"}}`, q.ID)
		switch q.Method {
		case "login":
			a = fmt.Sprintf(`{"id":%d,"jsonrpc":"2.0","error":null,"result":{"id":"lab1","job":%s,"extensions":["algo","keepalive"],"status":"OK"}}`, q.ID, job)
		case "submit":
			if jobs++; jobs%3 == 0 { // now and then there is new work
				a += "\n" + `{"jsonrpc":"2.0","method":"job","params":` + job + `}`
			}
		}
		if _, err := io.WriteString(c, a+"\n"); err != nil {
			return
		}
	}
}
