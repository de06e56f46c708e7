package smb

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/yamori-net/yamori/internal/proto"
	"github.com/yamori-net/yamori/internal/proto/prototest"
)

// TestEternal reads a recorded EternalBlue attack with its DoublePulsar
// implant, and finds in the transactions what betrays each.
func TestEternal(t *testing.T) {
	dir := os.Getenv("YAMORI_TESTDATA")
	if dir == "" {
		dir = filepath.Join("..", "..", "..", "..", "shared")
	}
	file := filepath.Join(dir, "captures", "eternalsafety", "eternalblue-success-unpatched-win7.pcap")
	flows, err := prototest.Flows(file)
	if os.IsNotExist(err) {
		t.Skipf("1 capture skipped: no %s (set YAMORI_TESTDATA)", file)
	}
	if err != nil {
		t.Fatal(err)
	}
	var fea, secondary, ping, pong int
	for _, f := range flows {
		if !f.Recognise(Protocol) {
			continue
		}
		prototest.Drive(Protocol, prototest.Options{Conn: f.Conn, OnTx: func(tx proto.Tx, done bool) {
			x := tx.(*Tx)
			if x.Version != 1 {
				return
			}
			switch n, ok := x.Trans.FEAListSize(); {
			case x.Command == cmd1NTTrans && !done && ok && n == 0x10000 && x.Trans.TotalData > 0x10000:
				fea++
			case x.Command == cmd1Trans2Sec && x.HasReq && x.Trans.TotalData == 0x1000:
				secondary++
			case x.Command == cmd1Trans2 && x.HasReq && !done && x.Trans.Subcommand == 0x0e:
				ping++
			case x.Command == cmd1Trans2 && !x.HasReq && x.Rsp.Status == 0xc0000002 && x.Rsp.MID == 0x52 && x.Rsp.Signature != [16]byte{}:
				pong++
			}
		}}, f.Parts...)
	}
	if fea != 2 || secondary < 20 || ping != 4 || pong != 1 {
		t.Errorf("%d lists of 64 KiB, %d secondaries of TRANS2 to NT_TRANS, %d pings, %d answers with the implant's MID", fea, secondary, ping, pong)
	}
}
