package ftp

import (
	"bytes"

	"github.com/yamori-net/yamori/internal/event"
	"github.com/yamori-net/yamori/internal/packet"
	"github.com/yamori-net/yamori/internal/proto"
	"github.com/yamori-net/yamori/internal/textline"
)

// maxName is how much of a file's name is kept.
const maxName = 512

// DataType is the event_type of data connections.
const DataType event.Type = "ftp_data"

// DataProtocol describes FTP's data connections. Nothing in them tells what
// they are: the control connection announces them.
var DataProtocol = proto.Protocol{
	Name:  "ftp-data",
	Event: DataType,
	Doc:   "File Transfer Protocol, data connection",
	On:    proto.TCP,
	New:   func() proto.Parser { return new(dataParser) },
	Buffers: []proto.Buffer{
		{Name: "ftpdata_command", Doc: "what the file is transferred by: retr, stor", Dir: packet.ToServer, Get: dataVerb},
		{Name: "ftpdata_command", Doc: "what the file is transferred by: retr, stor", Dir: packet.ToClient, Get: dataVerb},
	},
}

func dataVerb(tx proto.Tx, i int) ([]byte, bool) {
	t, ok := tx.(*DataTx)
	if !ok || i != 0 || len(t.Verb) == 0 {
		return nil, false
	}
	return t.lower[:len(t.Verb)], true
}

// verbs are the commands that use a data connection, RFC 959 section 4.1.3 and
// RFC 3659 section 7.
var verbs = [...]string{"RETR", "STOR", "APPE", "STOU", "LIST", "NLST", "MLSD"}

// isFile reports whether the command of that name transfers a file.
func isFile(verb string) bool {
	return verb == "RETR" || verb == "STOR" || verb == "APPE" || verb == "STOU"
}

// negotiated notes where the next data connection will go, and announces it:
// it may begin before the command that uses it is seen. Only connections
// between the two hosts of the control connection are believed.
func (p *parser) negotiated(c *proto.Conn, t *Tx) {
	p.dataAddr, p.dataPort, p.passive = t.DataAddr, t.DataPort, t.Passive
	p.announce(c, "", nil)
}

// transfer announces what the next data connection carries.
func (p *parser) transfer(c *proto.Conn, word, arg []byte) {
	if p.dataPort == 0 || len(word) != 4 {
		return
	}
	for _, v := range verbs {
		if textline.Is(word, v) {
			if !isFile(v) {
				arg = nil
			}
			p.announce(c, v, arg[:min(len(arg), maxName)])
			p.dataPort = 0 // each transfer needs another connection
			return
		}
	}
}

func (p *parser) announce(c *proto.Conn, verb string, name []byte) {
	if p.dataPort == 0 {
		return
	}
	x := &p.expected
	*x = proto.Expected{Proto: "ftp-data", Client: c.Client, Server: c.Server, Port: p.dataPort, Verb: verb, Name: name}
	if !p.passive {
		x.Client, x.Server = x.Server, x.Client
	}
	c.Expect(x)
	x.Name = nil
}

// DataTx is a data connection. It is emitted as done at its end.
type DataTx struct {
	Verb  string // RETR, STOR, LIST…; empty when it is not known
	Name  []byte // of the file
	lower [4]byte
}

// EventType returns DataType.
func (t *DataTx) EventType() event.Type { return DataType }

// EncodeEVE appends "ftp_data":{…} in Suricata's shape.
func (t *DataTx) EncodeEVE(e *event.Encoder) {
	e.Obj("ftp_data")
	e.OptBytes("filename", t.Name)
	e.OptStr("command", t.Verb)
	e.EndObj()
}

type dataParser struct {
	tx    DataTx
	file  proto.File
	began bool
	from  packet.Dir // who sends
}

func (p *dataParser) begin(c *proto.Conn, d packet.Dir) {
	if p.began {
		return
	}
	p.began, p.from = true, d
	if x := c.Expected; x != nil {
		p.tx.Verb = x.Verb
		p.tx.Name = append(p.tx.Name[:0], x.Name...)
		copy(p.tx.lower[:], bytes.ToLower([]byte(x.Verb)))
	}
	if c.WantFiles && (p.tx.Verb == "" || isFile(p.tx.Verb)) {
		c.OpenFile(&p.file, d, p.tx.Name, &p.tx, 0)
	}
}

// Parse implements proto.Parser. Who answers in a data connection speaks
// something else in it.
func (p *dataParser) Parse(c *proto.Conn, d packet.Dir, data []byte) (int, error) {
	p.begin(c, d)
	if d != p.from {
		c.Anomaly("ftp_data_both_ways")
		c.Switch("")
		return 0, nil
	}
	c.FileData(&p.file, data)
	return len(data), nil
}

// Gap implements proto.Parser.
func (p *dataParser) Gap(c *proto.Conn, d packet.Dir, n int) error {
	p.begin(c, d)
	if d == p.from {
		c.FileGap(&p.file, n)
	}
	return nil
}

// End implements proto.Parser.
func (p *dataParser) End(c *proto.Conn) {
	c.CloseFile(&p.file, false)
	if p.began {
		p.began = false
		c.Emit(&p.tx, true)
	}
}

// Reset implements proto.Parser.
func (p *dataParser) Reset() { *p = dataParser{tx: DataTx{Name: proto.Keep(p.tx.Name, maxName)}} }
