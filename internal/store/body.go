package store

import (
	"bytes"
	stdflate "compress/flate"
	"errors"
	"io"

	"github.com/klauspost/compress/flate"
)

// maxBody bounds one record's EVE line. A line beyond it is kept without what
// is too long (see Finding.EVE).
const maxBody = 32 << 10

// Bodies begin with a byte that says how the rest is kept.
const (
	bodyPlain = 0
	bodyDict1 = 1 // DEFLATE with dict1 as preset dictionary
)

// dict1 holds what EVE lines have in common; what is most common stands last.
// It never changes: another one gets another number.
var dict1 = []byte(`"mining":{"dialect":"stratum-v1","coin":"monero","algorithm":"rx/0","agent":"XMRig/6.","worker":"x","wallet":"4","pool":"pool.:3333"}` +
	`"device":{"id":"mac:02:00:00:00:00:00","kind":"camera","name":""}"kind":"computer","kind":"phone","kind":"router","kind":"recorder","kind":"unknown"` +
	`"metadata":{"affected_product":["Any"],"attack_target":["Client_Endpoint"],"created_at":["20"],"deployment":["Perimeter"],"signature_severity":["Major"],"updated_at":["20"]}` +
	`Crypto Currency Mining Activity Detected Botnet Activity Detected Exploit Attempt Detected Malware Command and Control Activity Detected Detection of a Network Scan Repeated Login Attempts Detected Malicious Site Contacted Suspicious Name Resolution Unusual Traffic` +
	`"tcp_flags":"1b","state":"closed","reason":"timeout","dns":{"version":3,"type":"request","tx_id":0,"id":,"flags":"100","rd":true,"opcode":0,"rcode":"NOERROR","queries":[{"rrname":"www..com","rrtype":"AAAA"}]}` +
	`"tls":{"sni":"","version":"TLS 1.3","ja3":{"hash":""},"ja4":"t13d"}"http":{"hostname":"","url":"/","http_user_agent":"Mozilla/5.0","http_method":"GET","protocol":"HTTP/1.1","status":200,"length":0}` +
	`"app_proto":"http","app_proto":"tls","app_proto":"dns","app_proto":"telnet","app_proto":"smb","app_proto":"ssh","proto":"UDP","proto":"ICMP",` +
	`"event_type":"device","event_type":"anomaly","event_type":"flow","flow":{"pkts_toserver":1,"pkts_toclient":1,"bytes_toserver":,"bytes_toclient":,"start":"20","end":"20","age":0,` +
	`"in_iface":"br-lan","event_type":"alert","src_ip":"192.168.1.10","src_port":5,"dest_ip":"10.0.0.1","dest_port":443,"proto":"TCP","community_id":"1:` +
	`=","app_proto":"stratum","ether":{"src_mac":"02:00:00:00:00:00","dest_mac":"02:00:00:00:00:00"},"alert":{"action":"allowed","action":"blocked","gid":7411,"signature_id":` +
	`,"rev":1,"signature":"","category":"","severity":1},"yamori":{"category":"botnet","category":"scan","category":"mining","family":"stratum","detector":"mining","verdict":"suspect","verdict":"likely","verdict":"confirmed","confidence":0.99,"action":"would_block","action":"blocked","action":"allowed",` +
	`"evidence":[{"code":"stratum.login","value":"","weight":4.5},{"code":"","value":"","weight":2}],"explain":{"code":"mining.stratum","args":{"device":"","pool":"","name":""}}}}` +
	`{"timestamp":"2026-01-01T00:00:00.000000+0000","flow_id":1,`)

// packer compresses bodies. Not safe for concurrent use.
type packer struct{ buf bytes.Buffer }

// pack returns the kept form of line, valid until the next call.
func (p *packer) pack(line []byte) []byte {
	p.buf.Reset()
	p.buf.WriteByte(bodyDict1)
	if err := flate.StatelessDeflate(&p.buf, line, true, dict1); err != nil || p.buf.Len() > len(line) {
		p.buf.Reset()
		p.buf.WriteByte(bodyPlain)
		p.buf.Write(line)
	}
	return p.buf.Bytes()
}

// unpacker is the way back. Not safe for concurrent use.
type unpacker struct {
	r   io.ReadCloser
	src bytes.Reader
}

var errBody = errors.New("store: a record's body is damaged")

// unpack appends the line kept as b to dst.
func (u *unpacker) unpack(dst, b []byte) ([]byte, error) {
	if len(b) == 0 {
		return dst, errBody
	}
	switch b[0] {
	case bodyPlain:
		return append(dst, b[1:]...), nil
	case bodyDict1:
		u.src.Reset(b[1:])
		if u.r == nil {
			u.r = stdflate.NewReaderDict(&u.src, dict1)
		} else if err := u.r.(stdflate.Resetter).Reset(&u.src, dict1); err != nil {
			return dst, err
		}
		w := bytes.NewBuffer(dst)
		if n, err := io.Copy(w, io.LimitReader(u.r, maxBody+1)); err != nil || n > maxBody {
			return dst, errBody
		}
		return w.Bytes(), nil
	}
	return dst, errBody
}
