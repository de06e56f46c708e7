package match

import (
	"math"
	"strings"

	"github.com/yamori-net/yamori/internal/match/inspect"
	"github.com/yamori-net/yamori/internal/rules"
)

// bufferNumber makes the Setup of a keyword that compares a number which a
// protocol offers as a buffer of decimal text.
func bufferNumber(buffer string, most uint64, words map[string]uint64) func(*compiler, rules.Option) error {
	return func(c *compiler, o rules.Option) error {
		if !o.HasValue || o.Value == "" {
			return stickySetup(buffer)(c, o)
		}
		v := lowerTrim(unquote(o.Value))
		not := false
		if n, ok := words[strings.TrimPrefix(v, "!")]; ok {
			not = strings.HasPrefix(v, "!")
			c.check(buffer, func(b []byte) bool { return (decimal(b) == n) != not })
			return nil
		}
		u, err := rules.ParseUintRange(v, most)
		if err != nil {
			return err
		}
		c.check(buffer, func(b []byte) bool { return len(b) > 0 && u.Match(decimal(b)) })
		return nil
	}
}

func decimal(b []byte) (n uint64) {
	for _, x := range b {
		if x < '0' || x > '9' {
			return math.MaxUint64
		}
		n = n*10 + uint64(x-'0')
	}
	return n
}

var numberKeywords = []Keyword{
	{Name: "dns.opcode", Family: "dns", Doc: "opcode of the message", Example: `dns.opcode:4;`, Setup: bufferNumber("dns.opcode", 15, nil)},
	{Name: "dns.rcode", Family: "dns", Doc: "response code", Example: `dns.rcode:3;`, Setup: bufferNumber("dns.rcode", 65535, nil)},
	{Name: "dns.rrtype", Family: "dns", Doc: "type of a question", Example: `dns.rrtype:16;`, Setup: bufferNumber("dns.rrtype", 65535, map[string]uint64{"a": 1, "ns": 2, "cname": 5, "ptr": 12, "mx": 15, "txt": 16, "aaaa": 28})},
	{Name: "snmp.version", Family: "snmp", Doc: "version of the message", Example: `snmp.version:2;`, Setup: bufferNumber("snmp.version", math.MaxUint32, nil)},
	{Name: "snmp.pdu_type", Family: "snmp", Doc: "kind of the message", Example: `snmp.pdu_type:0;`, Setup: bufferNumber("snmp.pdu_type", math.MaxUint32, pduTypes)},
	{Name: "smb.version", Family: "smb", Doc: "version of the message: 1, or 2 also for SMB3", Example: `smb.version:2;`, Setup: bufferNumber("smb.version", 255, nil)},
	{Name: "dhcp.leasetime", Family: "dhcp", Doc: "lease time in seconds", Example: `dhcp.leasetime:<600;`, Setup: bufferNumber("dhcp.leasetime", math.MaxUint32, nil)},
	{Name: "dhcp.renewal_time", Family: "dhcp", Doc: "renewal time in seconds", Example: `dhcp.renewal_time:<600;`, Setup: bufferNumber("dhcp.renewal_time", math.MaxUint32, nil)},
	{Name: "dhcp.rebinding_time", Family: "dhcp", Doc: "rebinding time in seconds", Example: `dhcp.rebinding_time:<600;`, Setup: bufferNumber("dhcp.rebinding_time", math.MaxUint32, nil)},
	{Name: "krb5_msg_type", Aliases: []string{"krb5.msg_type"}, Family: "krb5", Doc: "type of the message", Example: `krb5_msg_type:10;`, Setup: bufferNumber("krb5.msg_type", math.MaxUint32, nil)},
	{Name: "krb5_err_code", Aliases: []string{"krb5.err_code"}, Family: "krb5", Doc: "error code", Example: `krb5_err_code:6;`, Setup: bufferNumber("krb5.err_code", math.MaxUint32, nil)},
	{Name: "krb5.ticket_encryption", Family: "krb5", Doc: "encryption of tickets: a number or weak", Example: `krb5.ticket_encryption:weak;`, Setup: setupTicket},
	{Name: "mqtt.type", Family: "mqtt", Doc: "type of the message", Example: `mqtt.type:CONNECT;`, Setup: bufferNumber("mqtt.type", 15, mqttTypes)},
	{Name: "mqtt.qos", Family: "mqtt", Doc: "quality of service", Example: `mqtt.qos:1;`, Setup: bufferNumber("mqtt.qos", 2, nil)},
	{Name: "mqtt.reason_code", Aliases: []string{"mqtt.connack.return_code"}, Family: "mqtt", Doc: "reason code of an answer", Example: `mqtt.reason_code:0;`, Setup: bufferNumber("mqtt.reason_code", 255, nil)},
	{Name: "mqtt.protocol_version", Family: "mqtt", Doc: "version: 3, 4 or 5", Example: `mqtt.protocol_version:5;`, Setup: bufferNumber("mqtt.protocol_version", 255, nil)},
	{Name: "mqtt.flags", Family: "mqtt", Doc: "dup and retain of the header", Example: `mqtt.flags:retain;`, Setup: wordFlags("mqtt.flags", "dup", "retain")},
	{Name: "mqtt.connect.flags", Family: "mqtt", Doc: "flags of CONNECT", Example: `mqtt.connect.flags:clean_session;`, Setup: wordFlags("mqtt.connect.flags", "username", "password", "will", "will_retain", "clean_session")},
	{Name: "mqtt.connack.session_present", Family: "mqtt", Doc: "session_present of CONNACK", Example: `mqtt.connack.session_present:yes;`, Setup: bufferNumber("mqtt.connack.session_present", 1, map[string]uint64{"yes": 1, "true": 1, "no": 0, "false": 0})},
	{Name: "http2.frametype", Family: "http2", Doc: "type of a frame", Example: `http2.frametype:GOAWAY;`, Setup: bufferNumber("http2.frametype", 255, frameTypes)},
	{Name: "http2.errorcode", Family: "http2", Doc: "error code of a frame", Example: `http2.errorcode:NO_ERROR;`, Setup: bufferNumber("http2.errorcode", math.MaxUint32, errorCodes)},
	{Name: "http2.priority", Family: "http2", Doc: "weight of a priority", Example: `http2.priority:>1;`, Setup: bufferNumber("http2.priority", 255, nil)},
	{Name: "http2.window", Family: "http2", Doc: "window of a frame", Example: `http2.window:>1;`, Setup: bufferNumber("http2.window", math.MaxUint32, nil)},
	{Name: "http2.size_update", Family: "http2", Doc: "size update of HPACK", Example: `http2.size_update:>1;`, Setup: bufferNumber("http2.size_update", math.MaxUint64, nil)},
	{Name: "http2.settings", Family: "http2", Doc: "a setting, or its value", Example: `http2.settings:SETTINGS_ENABLE_PUSH=0;`, Setup: setupSettings},
	{Name: "rfb.secresult", Family: "rfb", Doc: "result of the login", Example: `rfb.secresult:ok;`, Setup: never("", "RFB is not parsed")},
	{Name: "rfb.sectype", Family: "rfb", Doc: "kind of login", Example: `rfb.sectype:1;`, Setup: never("", "RFB is not parsed")},
	{Name: "ike.exchtype", Family: "ike", Doc: "kind of exchange", Example: `ike.exchtype:2;`, Setup: bufferNumber("ike.exchtype", 255, nil)},
	{Name: "ike.chosen_sa_attribute", Family: "ike", Doc: "attribute of the chosen proposal", Example: `ike.chosen_sa_attribute:alg_hash=2;`, Setup: func(c *compiler, o rules.Option) error {
		if err := require(o); err != nil {
			return err
		}
		return c.wholeBuffer("ike.chosen_sa_attribute", []byte(unquote(o.Value)), true)
	}},
	{Name: "ike.key_exchange_payload_length", Family: "ike", Doc: "length", Example: `ike.key_exchange_payload_length:>1;`, Setup: bufferNumber("ike.key_exchange_payload_length", math.MaxUint32, nil)},
	{Name: "ike.nonce_payload_length", Family: "ike", Doc: "length", Example: `ike.nonce_payload_length:>1;`, Setup: bufferNumber("ike.nonce_payload_length", math.MaxUint32, nil)},
	{Name: "nfs_procedure", Family: "nfs", Doc: "procedure", Example: `nfs_procedure:1;`, Setup: never("", "NFS is not parsed")},
	{Name: "nfs.version", Aliases: []string{"nfs_version"}, Family: "nfs", Doc: "version", Example: `nfs.version:3;`, Setup: never("", "NFS is not parsed")},
	{Name: "websocket.opcode", Family: "websocket", Doc: "kind of message", Example: `websocket.opcode:text;`, Setup: func(c *compiler, o rules.Option) error {
		if !o.HasValue {
			return stickySetup("websocket.opcode")(c, o)
		}
		words := map[string]uint64{"continuation": 0, "text": 1, "binary": 2, "connection_close": 8, "ping": 9, "pong": 10}
		v, not := strings.CutPrefix(lowerTrim(unquote(o.Value)), "!")
		if n, ok := words[v]; ok {
			c.check("websocket.opcode", func(b []byte) bool { return len(b) == 1 && (uint64(b[0]) == n) != not })
			return nil
		}
		if not {
			v = "!" + v
		}
		u, err := rules.ParseUintRange(v, 255)
		if err != nil {
			return err
		}
		c.check("websocket.opcode", func(b []byte) bool { return len(b) == 1 && u.Match(uint64(b[0])) })
		return nil
	}},
	{Name: "entropy", Family: "payload", Doc: "Shannon entropy of the buffer", Example: `http.uri; entropy: value > 4;`, Setup: setupEntropy},
}

var mqttTypes = map[string]uint64{"connect": 1, "connack": 2, "publish": 3, "puback": 4, "pubrec": 5, "pubrel": 6, "pubcomp": 7, "subscribe": 8,
	"suback": 9, "unsubscribe": 10, "unsuback": 11, "pingreq": 12, "pingresp": 13, "disconnect": 14, "auth": 15, "unassigned": 0}

// pduTypes are Suricata 8's names of SNMP's messages.
var pduTypes = map[string]uint64{"get_request": 0, "get_next_request": 1, "response": 2, "set_request": 3, "trap_v1": 4, "get_bulk_request": 5,
	"inform_request": 6, "trap_v2": 7, "report": 8}

var frameTypes = map[string]uint64{"data": 0, "headers": 1, "priority": 2, "rststream": 3, "settings": 4, "pushpromise": 5, "ping": 6, "goaway": 7, "windowupdate": 8, "continuation": 9}

var errorCodes = map[string]uint64{"no_error": 0, "protocol_error": 1, "internal_error": 2, "flow_control_error": 3, "settings_timeout": 4, "stream_closed": 5,
	"frame_size_error": 6, "refused_stream": 7, "cancel": 8, "compression_error": 9, "connect_error": 10, "enhance_your_calm": 11, "inadequate_security": 12, "http_1_1_required": 13}

// wordFlags makes the Setup of a keyword that asks for flags by name; the
// buffer holds the names of those that are set, separated by blanks.
func wordFlags(buffer string, known ...string) func(*compiler, rules.Option) error {
	return func(c *compiler, o rules.Option) error {
		var want, not []string
		for _, p := range split(unquote(o.Value)) {
			n, neg := strings.CutPrefix(p, "!")
			n = lowerTrim(n)
			ok := false
			for _, k := range known {
				ok = ok || k == n
			}
			if !ok {
				return fail("%s does not know %q", o.Name, p)
			}
			if neg {
				not = append(not, strings.Clone(n))
			} else {
				want = append(want, strings.Clone(n))
			}
		}
		c.check(buffer, func(b []byte) bool {
			words := " " + string(b) + " "
			for _, w := range want {
				if !strings.Contains(words, " "+w+" ") {
					return false
				}
			}
			for _, w := range not {
				if strings.Contains(words, " "+w+" ") {
					return false
				}
			}
			return true
		})
		return nil
	}
}

// setupEntropy reads "bytes n, offset n, value op number".
func setupEntropy(c *compiler, o rules.Option) error {
	var off, n uint64
	var cmp func(float64) bool
	for _, p := range split(unquote(o.Value)) {
		f := strings.Fields(p)
		if len(f) < 2 {
			return fail("entropy does not know %q", p)
		}
		var err error
		switch f[0] {
		case "offset":
			off, err = rules.ParseUint(f[1], math.MaxUint32)
		case "bytes":
			n, err = rules.ParseUint(f[1], math.MaxUint32)
		case "value":
			cmp, err = floatCompare(strings.Join(f[1:], ""))
		default:
			err = fail("entropy does not know %q", f[0])
		}
		if err != nil {
			return err
		}
	}
	if cmp == nil {
		return fail("entropy needs a value")
	}
	c.notPlain()
	name := "payload"
	if c.cur.name != "" {
		name = strings.ReplaceAll(c.cur.name, ".", "_") // as Suricata names it in metadata.entropy
	}
	c.add(inspect.Step{Kind: inspect.Call, Func: func(b []byte, user any) bool {
		if off >= uint64(len(b)) {
			return false
		}
		b = b[off:]
		if n > 0 {
			b = b[:min(n, uint64(len(b)))]
		}
		if len(b) == 0 {
			return false
		}
		e := entropyOf(b)
		if !cmp(e) {
			return false
		}
		if x, ok := user.(*ctx); ok {
			if fs := x.flowState(); fs != nil {
				fs.setNum(name, e) // told as metadata.entropy
			}
		}
		return true
	}}, false)
	return nil
}

func entropyOf(b []byte) float64 {
	var counts [256]int
	for _, x := range b {
		counts[x]++
	}
	e := 0.0
	for _, k := range counts {
		if k > 0 {
			p := float64(k) / float64(len(b))
			e -= p * math.Log2(p)
		}
	}
	return e
}

// setupTicket reads a number, a range, or weak and strong: the types that RFC
// 8429 and RFC 6649 deprecate (DES, triple DES and RC4) are weak.
func setupTicket(c *compiler, o rules.Option) error {
	v := lowerTrim(unquote(o.Value))
	if v != "weak" && v != "strong" {
		return bufferNumber("krb5.ticket_encryption", math.MaxInt32, nil)(c, o)
	}
	weakWanted := v == "weak"
	c.check("krb5.ticket_encryption", func(b []byte) bool {
		n := decimal(b)
		weak := n < 17 || n > 26 || n == 23 || n == 24
		return len(b) > 0 && weak == (weakWanted)
	})
	return nil
}
