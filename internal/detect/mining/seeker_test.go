package mining

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/yamori-net/yamori/internal/event"
	"github.com/yamori-net/yamori/internal/flow"
	"github.com/yamori-net/yamori/internal/packet"
	"github.com/yamori-net/yamori/internal/proto"
	"github.com/yamori-net/yamori/internal/proto/http"
	"github.com/yamori-net/yamori/internal/proto/prototest"
)

// client is a program that asks a server over HTTP, with a connection for each
// request or one for all.
type client struct {
	in   []*inline // workers; connections take turns
	now  time.Duration
	conn uint64
	keep bool
	host byte // last byte of its address
	port uint16
	got  []string // "level@number of the request"
	n    int
	last event.Finding
}

func newClient(workers int) *client {
	c := &client{host: 20, port: 8332}
	d := detectorWith(newAsker())
	for range workers {
		c.in = append(c.in, d.New().(*inline))
	}
	return c
}

// ask sends one request after the client's clock has gone on.
func (c *client) ask(after time.Duration, parts ...prototest.Part) {
	c.now += after
	if !c.keep || c.conn == 0 {
		c.conn++
	}
	in := c.in[int(c.conn)%len(c.in)]
	conn := proto.Conn{Time: int64(1e18) + int64(c.now), ServerPort: c.port, Server: packet.AddrFrom4([]byte{198, 51, 100, 7}), Client: packet.AddrFrom4([]byte{192, 168, 1, c.host})}
	f := &flow.Flow{ID: c.conn}
	prototest.Drive(http.Protocol, prototest.Options{Conn: conn, OnTx: func(tx proto.Tx, _ bool) {
		if c.keep { // prototest drives each request with a parser of its own
			f.ID = c.conn<<32 | uint64(c.n)
		}
		if g, ok := in.Inspect(f, &conn, tx); ok {
			c.got = append(c.got, fmt.Sprintf("%s@%d", g.Level, c.n))
			c.last = g
		}
	}}, parts...)
	c.n++
}

const (
	askTemplate  = `{"id":0,"method":"getblocktemplate","params":[{"rules":["segwit"]}]}`
	giveTemplate = `{"id":0,"result":{"bits":"1d00ffff","coinbasevalue":1,"longpollid":"x","previousblockhash":"$HASH1","transactions":[],"target":"$BOUND"}}`
	askMonero    = `{"jsonrpc":"2.0","id":"0","method":"get_block_template","params":{"wallet_address":"$XMR","reserve_size":60}}`
	giveMonero   = `{"jsonrpc":"2.0","id":"0","result":{"blocktemplate_blob":"$BLOB","blockhashing_blob":"$BLOB","difficulty":1000,"height":7,"prev_hash":"$HASH1","status":"OK"}}`
	askEth       = `{"id":1,"jsonrpc":"2.0","method":"eth_getWork","params":[]}`
	giveEth      = `{"id":1,"jsonrpc":"2.0","result":["0x$HASH1","0x$SEED","0x$BOUND"]}`
	ok           = `{"id":1,"jsonrpc":"2.0","result":true}`
)

func submitBlock() string {
	return `{"id":1,"method":"submitblock","params":["` + strings.Repeat("04000000", 30) + `"]}`
}

// TestSeekers: what a client asks is put together over its connections.
func TestSeekers(t *testing.T) {
	template := func(c *client, after time.Duration) {
		c.ask(after, post("/", "", askTemplate), answer("", giveTemplate))
	}
	call := func(c *client, after time.Duration, method string) {
		c.ask(after, post("/", "", `{"id":1,"method":"`+method+`","params":[]}`), answer("", `{"id":1,"result":{"blocks":1}}`))
	}
	for _, tt := range []struct {
		name string
		run  func(c *client)
		want string // findings
	}{
		{"an explorer looks once", func(c *client) {
			call(c, 0, "getblockchaininfo")
			call(c, 0, "getmininginfo")
			template(c, time.Second)
			call(c, time.Second, "getrawmempool")
		}, ""},
		{"an explorer that shows the next block, for a day", func(c *client) {
			for range 1000 {
				template(c, 90*time.Second)
				call(c, 0, "getrawmempool")
				call(c, 0, "getblock")
				call(c, 0, "estimatesmartfee")
			}
		}, "suspect@12"},
		{"a wallet", func(c *client) {
			for range 200 {
				call(c, 10*time.Second, "getbalance")
				call(c, 0, "getmininginfo")
			}
		}, ""},
		{"a miner polls", func(c *client) {
			for range 10 {
				template(c, 5*time.Second)
			}
		}, "suspect@1 likely@3 confirmed@5"},
		{"a miner polls and looks for the latest block", func(c *client) {
			for range 10 {
				call(c, 4*time.Second, "getbestblockhash")
				call(c, 0, "getblockcount")
				template(c, time.Second)
			}
		}, "suspect@5 likely@11 confirmed@17"},
		{"a miner hands in", func(c *client) {
			template(c, 0)
			c.ask(time.Minute, post("/", "", submitBlock()), answer("", ok))
		}, "confirmed@1"},
		{"somebody looks three times in an hour", func(c *client) {
			for range 3 {
				template(c, 20*time.Minute)
			}
		}, "suspect@1"},
		{"somebody looks once a day", func(c *client) {
			for range 9 {
				template(c, 24*time.Hour)
			}
		}, ""},
		{"a miner tells its name", func(c *client) {
			c.ask(0, post("/", "User-Agent: cpuminer/2.5.1\r\n", askTemplate), answer("", giveTemplate))
			for range 100 {
				c.ask(5*time.Second, post("/", "User-Agent: cpuminer/2.5.1\r\n", askTemplate), answer("", giveTemplate))
			}
		}, "confirmed@0"},
		{"it is told again every ten minutes", func(c *client) {
			for range 300 {
				c.ask(5*time.Second, post("/", "User-Agent: cpuminer/2.5.1\r\n", askTemplate), answer("", giveTemplate))
			}
		}, "confirmed@0 confirmed@120 confirmed@240"},
		{"Monero, once", func(c *client) { c.ask(0, post("/json_rpc", "", askMonero), answer("", giveMonero)) }, "suspect@0"},
		{"Monero, and polls its height", func(c *client) {
			c.ask(0, post("/json_rpc", "", askMonero), answer("", giveMonero))
			for range 20 {
				c.ask(time.Second, prototest.C("GET /getheight HTTP/1.1\r\nHost: node\r\n\r\n"), answer("", `{"height":7}`))
			}
		}, "suspect@0 confirmed@12"},
		{"Ethereum, over and over", func(c *client) {
			for range 9 {
				c.ask(500*time.Millisecond, post("/", "", askEth), answer("", giveEth))
			}
		}, "likely@0 confirmed@1"},
		{"Ethereum, hands in", func(c *client) {
			c.ask(0, post("/", "", `{"id":1,"jsonrpc":"2.0","method":"eth_submitWork","params":["0x0ecf7aa9a67d2cd0","0x$HASH1","0x$HASH2"]}`), answer("", ok))
		}, "confirmed@0"},
		{"a dashboard asks a node without miners", func(c *client) {
			for range 50 {
				c.ask(time.Minute, post("/", "", askEth), answer("", `{"id":1,"jsonrpc":"2.0","error":{"code":-32601,"message":"the method does not exist"}}`))
			}
		}, ""},
		{"Ergo, a node's candidates", func(c *client) {
			c.ask(0, prototest.C("GET /mining/candidate HTTP/1.1\r\nHost: node:9053\r\n\r\n"), answer("", `{"msg":"$HASH1","b":28948022309329048855892746252171976963209391069768,"h":7,"pk":"02$HASH2"}`))
		}, "confirmed@0"},
		{"Kadena", func(c *client) {
			c.ask(0, prototest.C("GET /chainweb/0.0/mainnet01/mining/work HTTP/1.1\r\nHost: n\r\nContent-Length: 75\r\n\r\n"+`{"account":"miner","predicate":"keys-all","public-keys":["`+hash1[:15]+`"]}`+" "))
		}, "confirmed@0"},
		{"Sia", func(c *client) {
			c.ask(0, prototest.C("GET /miner/header HTTP/1.1\r\nHost: n\r\nUser-Agent: Sia-Agent\r\n\r\n"), answer("", strings.Repeat("\x07", siaAnswer)))
		}, "confirmed@0"},
		{"XMRigCC tells its operator", func(c *client) {
			c.ask(0, post("/client/setClientStatus?clientId=den", "", `{"client_status":{"client_id":"den","current_pool":"p.example:443","current_algo_name":"rx/0","hashrate_short":420.5,"shares_good":7}}`), answer("", `{"control_command":{"command":"START"}}`))
		}, "confirmed@0"},
		{"a Monero daemon is told to mine", func(c *client) {
			c.ask(0, post("/start_mining", "", `{"do_background_mining":false,"ignore_battery":true,"miner_address":"$XMR","threads_count":1}`), answer("", `{"status":"OK"}`))
		}, "confirmed@0"},
		{"Aquachain, a short target", func(c *client) {
			for range 2 {
				c.ask(time.Second, post("/$ETH/66", "User-Agent: Go-http-client/1.1\r\n", `{"jsonrpc":"2.0","id":13,"method":"aqua_getWork","params":null}`),
					answer("", `{"id":13,"jsonrpc":"2.0","result":["0x$HASH1","0x$SEED","0x0431bde82d7b634dad31fcd24e160d887ebf22c01e68a0d349be8ff327aa"]}`))
			}
		}, "likely@0 confirmed@1"},
		{"pages of the same paths", func(c *client) {
			c.ask(0, prototest.C("GET /mining/candidate HTTP/1.1\r\nHost: jobs\r\n\r\n"), answer("", `{"candidate":"somebody","b":1}`))
			c.ask(0, prototest.C("GET /miner/header HTTP/1.1\r\nHost: shop\r\n\r\n"), answer("", `<h1>helmets</h1>`))
			c.ask(0, prototest.C("GET /chainweb/0.0/mainnet01/cut HTTP/1.1\r\nHost: n\r\n\r\n"), answer("", `{"height":1}`))
		}, ""},
	} {
		for _, workers := range []int{1, 3} {
			c := newClient(workers)
			tt.run(c)
			if got := strings.Join(c.got, " "); got != tt.want {
				t.Errorf("%s, %d workers: %q, want %q", tt.name, workers, got, tt.want)
			}
			if told := strings.Contains(tt.name, "told to mine"); len(c.got) > 0 && c.last.FromClient == told {
				t.Errorf("%s: from client %v", tt.name, c.last.FromClient)
			}
			if len(c.got) > 0 && c.last.Level > event.Suspect {
				checkEvidence(t, &c.last)
			}
		}
	}
}

// TestSeekerStory: shares are added up over the connections, and what the
// questions stand on is said.
func TestSeekerStory(t *testing.T) {
	c := newClient(2)
	for range 8 {
		c.ask(5*time.Second, post("/", "", askTemplate), answer("", giveTemplate))
	}
	said := ""
	for _, e := range c.last.Evidence {
		said += e.Code + "=" + e.Value + ";"
	}
	if !strings.Contains(said, "stratum.asked_again=asked 6 times") || !strings.Contains(said, "stratum.polled=every 5.0 s") {
		t.Error(said)
	}
	for range 3 {
		c.ask(5*time.Second, post("/", "", submitBlock()), answer("", `{"id":1,"result":null,"error":null}`))
	}
	e := &c.in[0].asker.all[0]
	if e.s.Shares != 3 || e.s.Jobs != 8 || e.asked != 8 || e.s.Effort.Work <= 0 {
		t.Errorf("%d shares, %d jobs, asked %d times, work %g", e.s.Shares, e.s.Jobs, e.asked, e.s.Effort.Work)
	}
}

// TestSeekerBlocked: once a connection was dropped, each of the client's is told of.
func TestSeekerBlocked(t *testing.T) {
	c := newClient(1)
	agent := "User-Agent: cpuminer/2.5.1\r\n"
	c.ask(0, post("/", agent, askTemplate))
	c.in[0].Blocked(&flow.Flow{ID: c.conn}, &c.last, 0)
	for range 3 {
		c.ask(time.Second, post("/", agent, askTemplate))
		c.in[0].Blocked(&flow.Flow{ID: c.conn}, &c.last, 0)
	}
	for range 3 { // the owner lets it pass
		c.ask(time.Second, post("/", agent, askTemplate))
	}
	if got := strings.Join(c.got, " "); got != "confirmed@0 confirmed@1 confirmed@2 confirmed@3 confirmed@4" {
		t.Error(got)
	}
}

// TestSeekerLimits: the table is bounded, and who was quiet for longest gives way.
func TestSeekerLimits(t *testing.T) {
	a := newAsker()
	for i := range maxSeekers + 10 {
		a.of(seekerKey{port: uint16(i)}, int64(i), true)
	}
	if len(a.all) != maxSeekers || len(a.at) != maxSeekers || a.of(seekerKey{port: 9}, 9, false) != nil || a.of(seekerKey{port: 10}, 10, false) == nil {
		t.Errorf("%d pairs, %d in the index", len(a.all), len(a.at))
	}
	e := seeker{}
	for tx := range uint64(2 * maxRecent) {
		if !e.first(&visit{tx: tx}, sawRequest) || e.first(&visit{tx: tx}, sawRequest) || !e.first(&visit{tx: tx}, sawAnswer) {
			t.Errorf("request %d", tx)
		}
	}
}

// TestSeekerAllocs: a miner that goes on asking costs no memory.
func TestSeekerAllocs(t *testing.T) {
	in := detectorWith(newAsker()).New().(*inline)
	conn := proto.Conn{Time: 1e18}
	f := &flow.Flow{}
	tx := &http.Tx{RequestDone: true, RequestHead: true, ResponseDone: true, Method: []byte("POST"), URI: []byte("/"), UserAgent: []byte("cpuminer/2.5"),
		RequestBody: []byte(askTemplate), ResponseBody: []byte(sub.Replace(giveTemplate))}
	in.Inspect(f, &conn, tx)
	if n := testing.AllocsPerRun(100, func() {
		f.ID++
		if _, ok := in.Inspect(f, &conn, tx); ok {
			t.Fatal("told twice")
		}
	}); n != 0 {
		t.Errorf("%v allocations a request, want 0", n)
	}
}
