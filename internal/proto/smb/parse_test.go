package smb

import (
	"encoding/binary"
	"strings"
	"testing"

	"github.com/yamori-net/yamori/internal/packet"
	"github.com/yamori-net/yamori/internal/proto"
	"github.com/yamori-net/yamori/internal/proto/prototest"
)

func TestSessions(t *testing.T) {
	tests := []struct {
		name  string
		parts []prototest.Part
		want  []string
	}{
		{"smb1", session1(), []string{
			`"smb":{"id":1,"dialect":"NT LM 0.12","command":"SMB1_COMMAND_NEGOTIATE_PROTOCOL","status":"STATUS_SUCCESS","status_code":"0x0","session_id":9,"tree_id":7,"client_dialects":["LANMAN1.0","NT LM 0.12"],"server_guid":"00112233-4455-6677-8899-aabbccddeeff"}`,
			`"smb":{"id":2,"dialect":"NT LM 0.12","command":"SMB1_COMMAND_SESSION_SETUP_ANDX","status":"STATUS_SUCCESS","status_code":"0x0","session_id":9,"tree_id":7,"ntlmssp":{"domain":"HOME","user":"bob","host":"PC","version":"6.1 build 7601 rev 15"},"request":{"native_os":"Unix","native_lm":"Samba"},"response":{"native_os":"Windows 7","native_lm":"LM 6"},"named_pipe":"\\\\nas\\IPC$","service":{"request":"?????"}}`,
			`"smb":{"id":3,"dialect":"NT LM 0.12","command":"SMB1_COMMAND_NT_CREATE_ANDX","status":"STATUS_SUCCESS","status_code":"0x0","session_id":9,"tree_id":7,"filename":"\\srvsvc..","disposition":"FILE_OPEN","access":"normal","size":77,"fuid":"4001"}`,
		}},
		{"smb2", session2(), []string{
			`"smb":{"id":1,"dialect":"3.11","command":"SMB2_COMMAND_NEGOTIATE_PROTOCOL","status":"STATUS_SUCCESS","status_code":"0x0","session_id":146028888081,"tree_id":5,"client_dialects":["2.02","3.11"],"client_guid":"00112233-4455-6677-8899-aabbccddeeff","server_guid":"00112233-4455-6677-8899-aabbccddeeff","max_read_size":2097152,"max_write_size":4194304}`,
			`"smb":{"id":2,"dialect":"3.11","command":"SMB2_COMMAND_SESSION_SETUP","status":"STATUS_LOGON_FAILURE","status_code":"0xc000006d","session_id":146028888081,"tree_id":5,"ntlmssp":{"domain":"HOME","user":"Ünal","host":"PC","version":"6.1 build 7601 rev 15"}}`,
			`"smb":{"id":3,"dialect":"3.11","command":"SMB2_COMMAND_TREE_CONNECT","status":"STATUS_SUCCESS","status_code":"0x0","session_id":146028888081,"tree_id":5,"share":"\\\\nas\\pub..","share_type":"FILE"}`,
			`"smb":{"id":4,"dialect":"3.11","command":"SMB2_COMMAND_CREATE","status":"STATUS_SUCCESS","status_code":"0x0","session_id":146028888081,"tree_id":5,"filename":"a.tx","disposition":"FILE_OVERWRITE_IF","access":"delete on close","size":99,"fuid":"454c4946-4449-3130-3233-343536373839"}`,
			`"smb":{"id":5,"dialect":"3.11","command":"SMB2_COMMAND_CLOSE","status":"STATUS_SUCCESS","status_code":"0x0","session_id":146028888081,"tree_id":5,"fuid":"454c4946-4449-3130-3233-343536373839"}`,
			`"smb":{"id":7,"dialect":"3.11","command":"SMB2_COMMAND_SET_INFO","status":"STATUS_ACCESS_DENIED","status_code":"0xc0000022","session_id":146028888081,"tree_id":5,"rename_to":"b.lock","fuid":"454c4946-4449-3130-3233-343536373839"}`,
		}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			for seed := range uint64(16) {
				parts := tt.parts
				if seed > 0 {
					parts = prototest.Split(seed, parts...)
				}
				r := prototest.Drive(Protocol, prototest.Options{}, parts...)
				if r.Joined() != strings.Join(tt.want, "\n") || r.Err != nil || len(r.Anomalies) > 0 {
					t.Fatalf("seed %d: %v %v\n%s\nwant\n%s", seed, r.Err, r.Anomalies, r.Joined(), strings.Join(tt.want, "\n"))
				}
			}
		})
	}
}

// collect returns copies of what tests look at, of every emission.
func collect(o prototest.Options, parts ...prototest.Part) (txs []Tx, done []bool, r prototest.Result) {
	o.OnTx = func(tx proto.Tx, d bool) {
		txs, done = append(txs, *tx.(*Tx)), append(done, d)
	}
	r = prototest.Drive(Protocol, o, parts...)
	return txs, done, r
}

func TestBuffers(t *testing.T) {
	got := map[string]bool{}
	see := func(tx proto.Tx, _ bool) {
		for _, b := range Protocol.Buffers {
			if v, ok := b.Get(tx, 0); ok {
				got[b.Name+"="+string(v)] = true
			}
			if _, ok := b.Get(tx, 1); ok {
				t.Errorf("%s has a second instance", b.Name)
			}
		}
	}
	prototest.Drive(Protocol, prototest.Options{OnTx: see}, session1()...)
	prototest.Drive(Protocol, prototest.Options{OnTx: see}, session2()...)
	for _, want := range []string{`smb.named_pipe=\\nas\IPC$`, `smb.share=\\nas\pub..`, "smb.ntlmssp_user=bob", "smb.ntlmssp_user=Ünal", "smb.ntlmssp_domain=HOME", "smb.version=1", "smb.version=2"} {
		if !got[want] {
			t.Errorf("no %s in %v", want, got)
		}
	}
	if len(got) != 7 {
		t.Errorf("buffers %v", got)
	}
}

// TestTrans reads what a detector of EternalBlue and DoublePulsar needs.
func TestTrans(t *testing.T) {
	fea := u32(0x10000) + strings.Repeat("\x00", 40)
	// 32 header, 1 count, 40 words, 2 count: data at 75
	nt := head1(cmd1NTTrans, 0, 0, 64) + body1("\x01\x00\x00"+u32(30, 66512, 30, 0, 0, 75, len(fea), 75)+"\x01"+u16(4)+u16(0), fea)
	// 32, 1, 18, 2: data at 53
	sec := head1(cmd1Trans2Sec, 0, 0, 64) + body1(u16(0, 4096, 0, 0, 0, len(fea), 53, 2000, 0), fea)
	ping := head1(cmd1Trans2, 0, 0, 65) + body1(u16(12, 0, 1, 0, 0, 0)+u32(0x00ee3401)+u16(0, 12, 66, 0, 78)+"\x01\x00"+u16(14), "\x00"+strings.Repeat("p", 12))
	pong := head1(cmd1Trans2, flagReply, 0xc0000002, 81) + body1("", "")
	txs, done, r := collect(prototest.Options{}, c(nt), c(sec), s(head1(cmd1NTTrans, flagReply, 0, 64)+body1("", "")), c(ping), s(pong))
	if len(txs) != 6 || r.Err != nil || len(r.Anomalies) != 0 {
		t.Fatalf("%d emissions, %v, %v", len(txs), r.Err, r.Anomalies)
	}
	x := txs[0].Trans
	if n, ok := x.FEAListSize(); !ok || n != 0x10000 || x.TotalData != 66512 || x.DataCount != 44 || x.Subcommand != 4 || !x.HasSub || done[0] {
		t.Errorf("NT_TRANS %+v", x)
	}
	x = txs[1].Trans
	if _, ok := x.FEAListSize(); ok || x.TotalData != 4096 || x.DataDisp != 2000 || x.DataCount != 44 || x.HasSub || !done[1] {
		t.Errorf("TRANS2_SECONDARY %+v", x)
	}
	if !done[2] || !txs[2].HasRsp || txs[2].Req.MID != 64 {
		t.Errorf("answer of NT_TRANS %+v", txs[2])
	}
	if x = txs[3].Trans; x.Subcommand != 14 || x.Timeout != 0x00ee3401 || x.ParamCount != 12 || x.ParamHeadLen != 12 || txs[3].Req.MID != 65 {
		t.Errorf("TRANS2 %+v", x)
	}
	if p := txs[4]; p.HasReq || p.Rsp.MID != 81 || p.Rsp.Status != 0xc0000002 || string(p.Rsp.Signature[:8]) != "SIGNATUR" || p.Rsp.PID != 0x1234 || p.Rsp.TID != 7 || p.Rsp.UID != 9 {
		t.Errorf("answer with another MID %+v", p.Rsp)
	}
	if !done[5] || txs[5].Req.MID != 65 || txs[5].HasRsp {
		t.Error("the unanswered request was not emitted at the end")
	}
}

func TestFraming(t *testing.T) {
	echo := func(mid int) string { return nb(head1(cmd1Echo, 0, 0, mid) + body1(u16(1), "x")) }
	tree := func(mid int) string { return nb(head2(cmd2TreeDisconnect, 0, 0, mid, 0) + u16(4, 0)) }
	big := head2(cmd2Write, 0, 0, 5, 0) + u16(49, 112) + u32(100000) + u32(0, 0) + "FILEID0123456789" + u32(0, 0) + u16(0, 0) + u32(0) + strings.Repeat("z", 100000)
	request := "\x81\x00\x00\x44" + " " + "EOEBFD" + strings.Repeat("CA", 13) + "\x00" + " " + "FAED" + strings.Repeat("CA", 14) + "\x00"
	raw := func(s string) prototest.Part { return prototest.Part{Data: []byte(s)} }
	tests := []struct {
		name  string
		mid   bool
		parts []prototest.Part
		done  int
		anom  string
		err   bool
		fin   bool
	}{
		{"session request, answer, keep-alive", false, []prototest.Part{raw(request), prototest.S("\x82\x00\x00\x00\x85\x00\x00\x00"), raw(echo(1))}, 2, "", false, false},
		{"large write, then another", false, []prototest.Part{raw(nb(big) + tree(6))}, 2, "", false, false},
		{"gap inside a large write", false, []prototest.Part{raw(nb(big)[:1000]), {Gap: len(nb(big)) - 2000, Data: []byte(nb(big)[len(nb(big))-1000:] + tree(6))}}, 2, "", false, false},
		{"gap over the next header", false, []prototest.Part{raw(nb(big)[:1000]), {Gap: 100000, Data: []byte("rest" + tree(6)[20:] + tree(7))}}, 2, "", false, false},
		{"junk between", false, []prototest.Part{raw(tree(1) + "junk" + tree(2))}, 2, "smb_framing_lost", false, false},
		{"midstream", true, []prototest.Part{raw("middle of a file" + tree(2))}, 1, "", false, false},
		{"junk without end", false, []prototest.Part{raw(strings.Repeat("junk", maxLost/4+4))}, 0, "smb_framing_lost", true, false},
		{"header cut", false, []prototest.Part{raw(nb("\xfeSMB\x40\x00") + nb("\xffSMB\x72") + tree(1))}, 1, "smb_bad_header smb_bad_header", false, false},
		{"SMB2 header of zeros", false, []prototest.Part{raw(nb("\xfeSMB" + strings.Repeat("\x00", 100)))}, 0, "smb_bad_header", false, false},
		{"compound beyond the message", false, []prototest.Part{raw(nb(head2(cmd2Echo, 0, 0, 1, 4096) + u16(4, 0)))}, 0, "smb_bad_compound", false, false},
		{"compound too long", false, []prototest.Part{raw(nb(strings.Repeat(head2(cmd2Cancel, 0, 0, 1, 64), maxCompound+1)))}, maxCompound, "smb_compound_too_long", false, false},
		{"words beyond the message", false, []prototest.Part{raw(nb(head1(cmd1Echo, 0, 0, 1) + "\xff\x00"))}, 1, "smb_truncated_words", false, false},
		{"chain points back", false, []prototest.Part{raw(nb(head1(cmd1SessionSetup, 0, 0, 1) + body1(u16(cmd1TreeConnect, 33)+u16(0, 0), "xx")))}, 1, "smb_bad_andx_offset", false, false},
		{"encrypted", false, []prototest.Part{c("\xfdSMB" + strings.Repeat("e", 100)), s("\xfdSMB" + strings.Repeat("e", 100)), c("\xfdSMB" + strings.Repeat("e", 100)), s("\xfdSMB" + strings.Repeat("e", 100))}, 1, "", false, true},
		{"encrypted one way", false, []prototest.Part{c("\xfdSMB" + strings.Repeat("e", 100)), c("\xfdSMB" + strings.Repeat("e", 100))}, 1, "", false, false},
		{"compressed", false, []prototest.Part{c("\xfcSMB" + u32(-1) + u16(1, 0) + u32(-1) + "x")}, 1, "", false, false},
		{"bad NetBIOS name", false, []prototest.Part{raw("\x81\x00\x00\x44" + strings.Repeat("zz", 34))}, 1, "smb_bad_netbios_name smb_bad_netbios_name", false, false},
		{"interim answer without request", false, []prototest.Part{s(head2(cmd2Notify, 3, statusPending, 9, 0) + u16(9, 0) + u32(0)), s(head2(cmd2Notify, 3, 0, 9, 0) + u16(9, 0) + u32(0))}, 1, "", false, false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			o := prototest.Options{Conn: proto.Conn{Midstream: tt.mid}}
			for seed := range uint64(6) {
				parts := tt.parts
				if seed > 0 {
					parts = prototest.Split(seed, parts...)
				}
				r := prototest.Drive(Protocol, o, parts...)
				if r.Done != tt.done || strings.Join(r.Anomalies, " ") != tt.anom || (r.Err != nil) != tt.err || r.Finished != tt.fin {
					t.Fatalf("seed %d: %d done, anomalies %v, error %v, finished %v", seed, r.Done, r.Anomalies, r.Err, r.Finished)
				}
			}
		})
	}
	txs, _, _ := collect(prototest.Options{}, raw(request))
	if string(txs[0].Called) != "NAS" || string(txs[0].Calling) != "PC" || txs[0].EventType() != "" {
		t.Errorf("names %q %q", txs[0].Called, txs[0].Calling)
	}
	txs, _, _ = collect(prototest.Options{}, c("\xfcSMB"+u32(-1)+u16(1, 0)+u32(-1)+"x"))
	if txs[0].Compression != (Compression{0xffffffff, 1, 0, 0xffffffff}) {
		t.Errorf("compression %+v", txs[0].Compression)
	}
}

func TestLimits(t *testing.T) {
	var parts []prototest.Part
	for i := range 3 * maxPending {
		parts = append(parts, c(head2(cmd2Ioctl, 0, 0, i, 0)+u16(57, 0)))
	}
	p := Protocol.New().(*parser)
	r := prototest.DriveParser(Protocol, p, prototest.Options{}, parts...)
	if r.Done != 3*maxPending || len(p.free) > maxPending+1 {
		t.Errorf("%d done, %d kept", r.Done, len(p.free))
	}
	p.Reset()
	if len(p.free) != maxKept {
		t.Errorf("%d kept after Reset", len(p.free))
	}
	// The longest prefix, and a session setup beyond it.
	setup := head2(cmd2SessionSetup, 0, 0, 1, 0) + u16(25) + "\x00\x01" + u32(1, 0) + u16(88, 65000) + u32(0, 0) + strings.Repeat("k", 65000)
	r = prototest.Drive(Protocol, prototest.Options{}, prototest.Split(9, c(setup+strings.Repeat("k", 9)))...)
	if r.Err != nil || r.Done != 1 {
		t.Errorf("%v, %d done", r.Err, r.Done)
	}
	txs, _, _ := collect(prototest.Options{}, c(head2(cmd2TreeConnect, 0, 0, 2, 0)+u16(9, 0, 72, 2000)+wide(strings.Repeat("n", 1000))))
	if n := len(txs[0].Share); n < maxText-4 || n > maxText {
		t.Errorf("%d bytes of share", n)
	}
	chain := head1(cmd1Logoff, 0, 0, 1)
	for range maxAndX + 1 {
		chain += body1(u16(cmd1Logoff, len(chain)+7), "")
	}
	if txs, _, r = collect(prototest.Options{}, c(chain)); strings.Join(r.Anomalies, " ") != "smb_andx_chain_too_long" || txs[0].ChainLen != maxAndX {
		t.Errorf("%v, chain of %d", r.Anomalies, txs[0].ChainLen)
	}
	if txs, _, _ = collect(prototest.Options{}, c(head1(cmd1Negotiate, 0, 0, 1)+body1("", strings.Repeat("\x02X\x00", 40)))); txs[0].NDialects != maxDialects {
		t.Errorf("%d dialects", txs[0].NDialects)
	}
}

func TestProbe(t *testing.T) {
	tests := []struct {
		in   string
		want proto.Match
	}{
		{"\x00\x00\x00\x90\xffSMB", proto.Yes}, {"\x00\x00\x00\x90\xfeSMB@\x00", proto.Yes}, {"\x00\x00\x00\x90\xfdSMB", proto.Yes},
		{"\x00\x00\x00\x90\xfeSM", proto.More}, {"\x00", proto.More}, {"\x00\x00\x00\x90\x01", proto.No}, {"\x00\x00\x00\x90\xfeXYZ", proto.No},
		{"\x81\x00\x00\x44\x20", proto.Yes}, {"\x81\x00\x00", proto.More}, {"\x81\x00\x00\x44\x21", proto.No},
		{"\x82\x00\x00\x00", proto.Weak}, {"\x82\x01\x00\x00", proto.No}, {"\x85\x00\x00\x00", proto.Weak},
		{"middle of a file" + nb(head2(cmd2Echo, 0, 0, 1, 0)+u16(4, 0)), proto.Yes},
		{"GET /SMB HTTP/1.1\r\n\r\n", proto.No}, {"\x16\x03\x01\x00\x00", proto.No}, {"", proto.More},
	}
	for _, tt := range tests {
		if got := probe(packet.ToServer, []byte(tt.in)); got != tt.want {
			t.Errorf("probe(%q) = %v, want %v", tt.in, got, tt.want)
		}
	}
	for _, m := range []string{nb(head2(cmd2Echo, 1, 0, 1, 0) + u16(4, 0)), nb(head1(cmd1Echo, flagReply, 0, 1) + body1("", "")), "junk" + nb(head2(cmd2Echo, 1, 0, 1, 0)+u16(4, 0))} {
		if probe(packet.ToServer, []byte(m)) != proto.No || probe(packet.ToClient, []byte(m)) != proto.Yes {
			t.Errorf("direction of %q", m)
		}
	}
}

func conn() *proto.Conn {
	return &proto.Conn{OnTx: func(proto.Tx, bool) {}, OnMessage: func(packet.Dir, []byte) {}, OnAnomaly: func(string) {}}
}

func drive(p proto.Parser, cn *proto.Conn, parts []prototest.Part) {
	for _, pt := range parts {
		_, _ = p.Parse(cn, pt.Dir, pt.Data)
	}
	p.End(cn)
	p.Reset()
}

func TestNoAllocs(t *testing.T) {
	p, cn := Protocol.New(), conn()
	parts := append(session1(), session2()...)
	for range 10 { // let the kept buffers grow
		drive(p, cn, parts)
	}
	if n := testing.AllocsPerRun(100, func() { drive(p, cn, parts) }); n != 0 {
		t.Errorf("%v allocations per session", n)
	}
}

func BenchmarkParse(b *testing.B) {
	p, cn := Protocol.New(), conn()
	parts := append(session1(), session2()...)
	b.ReportAllocs()
	for b.Loop() {
		drive(p, cn, parts)
	}
}

// BenchmarkWrite passes over a large write in segments.
func BenchmarkWrite(b *testing.B) {
	m := []byte(nb(head2(cmd2Write, 0, 0, 5, 0) + u16(49, 112) + u32(1<<20) + strings.Repeat("z", 1<<20)))
	p, cn := Protocol.New(), conn()
	b.SetBytes(int64(len(m)))
	for b.Loop() {
		for i := 0; i < len(m); i += 1460 {
			_, _ = p.Parse(cn, packet.ToServer, m[i:min(len(m), i+1460)])
		}
	}
}

func FuzzParse(f *testing.F) {
	for _, parts := range [][]prototest.Part{session1(), session2()} {
		for _, pt := range parts {
			f.Add(pt.Data, pt.Dir == packet.ToClient)
		}
	}
	f.Add([]byte(nb(head1(cmd1NTTrans, 0, 0, 64)+body1("\x01\x00\x00"+u32(30, 66512, 30, 0, 0, 73, 40, 73)+"\x01"+u16(4)+u16(0), u32(0x10000)))), false)
	f.Fuzz(func(t *testing.T, a []byte, answer bool) {
		d := packet.ToServer
		if answer {
			d = packet.ToClient
		}
		framed := append(binary.BigEndian.AppendUint32(nil, uint32(len(a))&0xffffff), a...)
		for _, data := range [][]byte{a, framed} {
			part := prototest.Part{Dir: d, Data: data}
			whole := prototest.Drive(Protocol, prototest.Options{}, part)
			cut := prototest.Drive(Protocol, prototest.Options{}, prototest.Split(uint64(len(a)), part)...)
			if whole.Joined() != cut.Joined() {
				t.Errorf("segmentation matters:\n%s\n%s", whole.Joined(), cut.Joined())
			}
			probe(d, data)
		}
	})
}
