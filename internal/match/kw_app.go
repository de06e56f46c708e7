package match

import (
	"bytes"
	"encoding/hex"
	"math"
	"strings"

	"github.com/yamori-net/yamori/internal/match/inspect"
	"github.com/yamori-net/yamori/internal/rules"
)

// appNames are the names of protocols in rules where they differ from those of
// the parsers, and those that no parser here recognises.
var appNames = map[string][]string{
	"http": {"http", "http2"}, "http1": {"http"}, "http2": {"http2"}, "tls": {"tls"}, "ssl": {"tls"}, "quic": {"quic"},
	"dns": {"dns"}, "mdns": {"mdns"}, "ssh": {"ssh"}, "smb": {"smb"}, "smb2": {"smb"}, "ftp": {"ftp"}, "smtp": {"smtp"}, "imap": {"imap"},
	"ntp": {"ntp"}, "dhcp": {"dhcp"}, "snmp": {"snmp"}, "sip": {"sip"}, "rdp": {"rdp"}, "mqtt": {"mqtt"}, "telnet": {"telnet"},
	"websocket": {"websocket"}, "pop3": {"pop3"}, "bittorrent-dht": {"bittorrent-dht", "bittorrent"}, "dcerpc": {"dcerpc", "smb"},
	"ftp-data": {"ftp-data"}, "krb5": {"krb5"}, "ike": {"ike"}, "ikev2": {"ike"}, "nfs": {"nfs"}, "tftp": {"tftp"}, "rfb": {"rfb"},
	"modbus": {"modbus"}, "dnp3": {"dnp3"}, "enip": {"enip"}, "pgsql": {"pgsql"}, "ldap": {"ldap"}, "template": {"template"},
	"irc": {"irc"}, "jabber": {"jabber"}, "msn": {"msn"}, "doh2": {"doh2"}, "arp": {"arp"}, "failed": {"failed"},
}

var appKeywords = []Keyword{
	{Name: "app-layer-protocol", Family: "app", Doc: "the protocol recognised, or with ! not", Example: `app-layer-protocol:http;`, Setup: setupAppProto},
	{Name: "app-layer-event", Family: "app", Doc: "a violation seen by a parser", Example: `app-layer-event:http.line_too_long;`, Setup: func(c *compiler, o rules.Option) error {
		if err := require(o); err != nil {
			return err
		}
		v := lowerTrim(unquote(o.Value))
		if !strings.Contains(v, ".") {
			v = "applayer." + v
		}
		c.notPlain()
		c.events = append(c.events, strings.Clone(v))
		// The parser has one name for both sides.
		switch request, response := strings.Contains(v, "request"), strings.Contains(v, "response"); {
		case !strings.HasPrefix(v, "http.") || request == response:
		case request:
			c.out.flags |= ofRequest
		default:
			c.out.flags |= ofResponse
		}
		return nil
	}},
	{Name: "decode-event", Aliases: []string{"engine-event"}, Family: "app", Doc: "a malformed packet", Example: `decode-event:ipv4.pkt_too_small;`, Setup: setupDecodeEvent},
	{Name: "stream-event", Family: "app", Doc: "an oddity of TCP", Example: `stream-event:3whs_ack_in_wrong_dir;`, Setup: setupStreamEvent},
	{Name: "urilen", Family: "http", Doc: "length of http.uri, or with raw of http.uri.raw", Example: `urilen:>10;`, Setup: setupURILen},
	{Name: "tls.version", Aliases: []string{"tls_version"}, Family: "tls", Doc: "version of the handshake: 1.0 to 1.3, as value or as buffer", Example: `tls.version:1.2;`, Setup: setupTLSVersion},
	{Name: "ssl_version", Family: "tls", Doc: "versions: sslv2, sslv3, tls1.0 to tls1.3", Example: `ssl_version:tls1.2;`, Setup: setupSSLVersion},
	{Name: "ssl_state", Family: "tls", Doc: "how far the handshake is: client_hello, server_hello, client_keyx, server_keyx", Example: `ssl_state:client_hello;`, Setup: setupSSLState},
	{Name: "tls.subject", Aliases: []string{"tls.dn"}, Family: "tls", Doc: "subject of the certificate, old form", Example: `tls.subject:"CN=x";`, Setup: oldTLS("tls.cert_subject")},
	{Name: "tls.issuerdn", Family: "tls", Doc: "issuer of the certificate, old form", Example: `tls.issuerdn:"CN=x";`, Setup: oldTLS("tls.cert_issuer")},
	{Name: "tls.fingerprint", Family: "tls", Doc: "SHA-1 of the certificate, old form", Example: `tls.fingerprint:"00:11:22:33:44:55:66:77:88:99:aa:bb:cc:dd:ee:ff:00:11:22:33";`, Setup: oldTLS("tls.cert_fingerprint")},
	{Name: "tls.store", Aliases: []string{"tls_store"}, Family: "tls", Doc: "accepted: certificates are not stored", Example: `tls.store;`, Setup: nothing, Inert: "certificates are not stored"},
	{Name: "ftpdata_command", Family: "ftp", Doc: "what the data channel of FTP is for: retr or stor, as value or as buffer", Example: `ftpdata_command:stor;`, Setup: func(c *compiler, o rules.Option) error {
		if !o.HasValue || o.Value == "" {
			return stickySetup("ftpdata_command")(c, o)
		}
		v := lowerTrim(unquote(o.Value))
		if v != "retr" && v != "stor" {
			return fail("ftpdata_command knows retr and stor, not %q", v)
		}
		return c.wholeBuffer("ftpdata_command", []byte(v), true)
	}},
	{Name: "ftp.reply_received", Family: "ftp", Doc: "the command was answered: yes, or with no that it was not when it ended", Example: `ftp.reply_received:yes;`, Setup: func(c *compiler, o rules.Option) error {
		switch v := lowerTrim(unquote(o.Value)); v {
		case "yes", "true", "on", "1":
			c.check("ftp.reply_received", func([]byte) bool { return true })
		case "no", "false", "off", "0":
			c.notPlain()
			c.list("ftp.reply_received", true).absentOK = true
		default:
			return fail("ftp.reply_received knows yes and no, not %q", v)
		}
		return nil
	}},
	{Name: "ftpbounce", Family: "ftp", Doc: "PORT to another host", Example: `ftpbounce;`, Setup: setupFTPBounce},
	{Name: "ssh.protoversion", Aliases: []string{"ssh_proto_version"}, Family: "ssh", Doc: "protocol version, old form: a version, or 2_compat for 2.0 and 1.99", Example: `ssh.protoversion:2_compat;`, Setup: func(c *compiler, o rules.Option) error {
		v := unquote(o.Value)
		if v == "2_compat" {
			c.check("ssh.proto", func(b []byte) bool { return len(b) > 0 && b[0] == '2' || string(b) == "1.99" })
			return nil
		}
		return c.wholeBuffer("ssh.proto", []byte(v), true)
	}},
	{Name: "ssh.softwareversion", Family: "ssh", Doc: "software version, old form", Example: `ssh.softwareversion:"OpenSSH";`, Setup: func(c *compiler, o rules.Option) error {
		return c.wholeBuffer("ssh.software", []byte(unquote(o.Value)), true)
	}},
	{Name: "dcerpc.iface", Aliases: []string{"dce_iface"}, Family: "dcerpc", Doc: "interface of the call: UUID, version, any_frag", Example: `dcerpc.iface:367abb81-9844-35f1-ad32-98f038001003;`, Setup: setupIface},
	{Name: "dcerpc.opnum", Aliases: []string{"dce_opnum"}, Family: "dcerpc", Doc: "operations of the call: numbers and ranges", Example: `dcerpc.opnum:15,20-22;`, Setup: setupOpnum},
	{Name: "frame", Family: "app", Doc: "a frame: a piece of a protocol's bytes as sent", Example: `frame:sip.request.line; content:"x";`, Setup: setupFrame},
}

// setupFrame selects a frame, which a protocol offers as the buffer
// "frame.", its name and the frame's. Rules may leave the protocol's name out
// when they are for one protocol.
func setupFrame(c *compiler, o rules.Option) error {
	if err := require(o); err != nil {
		return err
	}
	v := lowerTrim(unquote(o.Value))
	name, app := "frame."+v, lowerTrim(c.r.Proto)
	if _, ok := c.b.providers[name]; !ok && !strings.HasPrefix(v, app+".") {
		name = "frame." + app + "." + v
	}
	name = c.b.keep(name)
	c.notPlain()
	if _, ok := c.b.providers[name]; !ok {
		c.neverAs = "the frame " + v + " is not offered"
	}
	c.cur, c.stuck = c.list(name, true), true
	c.last, c.base64, c.base64In = nil, nil, nil
	return nil
}

// never makes the Setup of a keyword whose rules load and cannot match: no
// parser gives what it asks for.
func never(_ string, why string) func(*compiler, rules.Option) error {
	return func(c *compiler, o rules.Option) error {
		c.notPlain()
		c.neverAs = why
		return nil
	}
}

func setupAppProto(c *compiler, o rules.Option) error {
	v := unquote(o.Value)
	neg := strings.HasPrefix(v, "!")
	name := strings.ToLower(strings.TrimSpace(strings.TrimPrefix(v, "!")))
	name, _, _ = strings.Cut(name, ",")
	if name == "failed" || name == "unknown" {
		c.cond(func(c *ctx) bool { return c.f != nil && (c.f.AppProto == "failed") != neg })
		c.pdOnly = true
		c.notPlain()
		return nil
	}
	apps, _, ok := c.b.app(name)
	if !ok {
		return fail("unknown protocol %q", name)
	}
	c.notPlain()
	c.pdOnly = true
	c.cond(func(c *ctx) bool {
		if c.f == nil || c.app == 0 {
			return neg && c.f != nil && c.f.AppProto == "failed"
		}
		return (apps&c.app != 0) != neg
	})
	return nil
}

func setupURILen(c *compiler, o rules.Option) error {
	p := split(unquote(o.Value))
	name := "http.uri"
	if len(p) > 1 {
		switch strings.ToLower(p[1]) {
		case "raw":
			name = "http.uri.raw"
		case "norm":
		default:
			return fail("urilen knows norm and raw, not %q", p[1])
		}
	}
	c.notPlain()
	lo, hi, err := sizeRange(p[0], math.MaxUint16)
	if a, b, ok := strings.Cut(p[0], "<>"); err != nil && ok && isNumber(a) && isNumber(b) {
		c.neverAs = "urilen:" + strings.Clone(p[0]) + " leaves no length" // Suricata takes it, of urilen alone
		return nil
	}
	if err != nil {
		return err
	}
	l := c.list(name, false)
	l.steps = append(l.steps, inspect.Step{Kind: inspect.URILen, Min: lo, Max: hi})
	return nil
}

// isNumber reports that v is a number of 16 bits.
func isNumber(v string) bool {
	_, err := rules.ParseUint(strings.TrimSpace(v), math.MaxUint16)
	return err == nil
}

// wholeBuffer asks for a buffer that is the text, or holds it.
func (c *compiler) wholeBuffer(name string, text []byte, whole bool) error {
	if len(text) == 0 {
		return fail("a text is missing")
	}
	c.notPlain()
	l := c.list(name, true)
	l.steps = append(l.steps, inspect.Step{Kind: inspect.Content, Pattern: bytes.Clone(text), StartsWith: whole})
	if whole {
		l.steps = append(l.steps, inspect.Step{Kind: inspect.Size, Min: uint64(len(text)), Max: uint64(len(text))})
	}
	k := &content{l: l, i: 0}
	c.contents = append(c.contents, k)
	return nil
}

func oldTLS(buffer string) func(*compiler, rules.Option) error {
	return func(c *compiler, o rules.Option) error {
		v, neg, _ := rules.Unquote(o.Value)
		if v == "" {
			return fail("%s needs a value", o.Name)
		}
		if buffer == "tls.cert_fingerprint" {
			v = strings.ToLower(v)
		}
		if neg {
			c.notPlain()
			l := c.list(buffer, true)
			l.steps = append(l.steps, inspect.Step{Kind: inspect.Content, Pattern: []byte(v), Negated: true})
			return nil
		}
		return c.wholeBuffer(buffer, []byte(v), false)
	}
}

// check adds a check of a whole buffer.
func (c *compiler) check(buffer string, f func(b []byte) bool) {
	c.checkOf(buffer, anySide, f)
}

// checkOf is check of one side's buffer, in a rule with =>.
func (c *compiler) checkOf(buffer string, side uint8, f func(b []byte) bool) {
	c.notPlain()
	l := c.list(buffer, true)
	l.side = side
	l.steps = append(l.steps, inspect.Step{Kind: inspect.Call, Func: func(b []byte, _ any) bool { return f(b) }})
}

func setupTLSVersion(c *compiler, o rules.Option) error {
	if !o.HasValue || o.Value == "" {
		return stickySetup("tls.version")(c, o)
	}
	v := strings.ToLower(unquote(o.Value))
	names := map[string]string{"1.0": "TLSv1", "1.1": "TLS 1.1", "1.2": "TLS 1.2", "1.3": "TLS 1.3"}
	want, ok := names[v]
	if !ok {
		return fail("tls.version knows 1.0 to 1.3, not %q", v)
	}
	c.check("tls.version", func(b []byte) bool { return sameVersion(string(b), want) })
	return nil
}

func sameVersion(have, want string) bool {
	return have == want || want == "TLSv1" && (have == "TLS 1.0" || have == "TLSv1")
}

func setupSSLVersion(c *compiler, o rules.Option) error {
	names := map[string]string{"sslv2": "SSLv2", "sslv3": "SSLv3", "tls1.0": "TLSv1", "tls1.1": "TLS 1.1", "tls1.2": "TLS 1.2", "tls1.3": "TLS 1.3"}
	var want []string
	n := 0
	for _, p := range strings.FieldsFunc(unquote(o.Value), func(r rune) bool { return r == '|' || r == ',' || r == ' ' }) {
		rest, not := strings.CutPrefix(p, "!")
		name, ok := names[strings.ToLower(rest)]
		if !ok {
			return fail("ssl_version does not know %q", p)
		}
		n++
		if !not {
			want = append(want, name)
		}
	}
	if n == 0 {
		return fail("ssl_version needs a version")
	}
	// In Suricata a version with ! is none of those that match, which is all
	// that it says of the others.
	c.check("tls.version", func(b []byte) bool {
		for _, w := range want {
			if sameVersion(string(b), w) {
				return true
			}
		}
		return false
	})
	return nil
}

// sslStates are the bits of the buffer tls.state: messages that were seen.
var sslStates = map[string]byte{"client_hello": 1, "client_keyx": 2, "server_hello": 4, "server_keyx": 8, "unknown": 0}

// setupSSLState asks for messages of the handshake: one of those named, or
// with ! another one.
func setupSSLState(c *compiler, o rules.Option) error {
	var want, not byte
	n := 0
	for _, p := range strings.FieldsFunc(unquote(o.Value), func(r rune) bool { return r == '|' || r == ',' || r == ' ' }) {
		rest, neg := strings.CutPrefix(strings.ToLower(p), "!")
		bit, ok := sslStates[rest]
		if !ok {
			return fail("ssl_state does not know %q", p)
		}
		if n++; neg {
			not |= bit
		} else {
			want |= bit
		}
	}
	if n == 0 {
		return fail("ssl_state needs a state")
	}
	c.check("tls.state", func(b []byte) bool { return len(b) == 1 && (b[0]&want != 0 || not != 0 && b[0]&^not != 0) })
	return nil
}

// setupFTPBounce compares the address of PORT with the client's.
func setupFTPBounce(c *compiler, o rules.Option) error {
	c.notPlain()
	l := c.list("ftp.command_data", true)
	l.steps = append(l.steps, inspect.Step{Kind: inspect.Call, Func: func(b []byte, user any) bool {
		x, ok := user.(*ctx)
		if !ok {
			return false
		}
		n, at := 0, 0
		var ip [4]byte
		for i := 0; i <= len(b) && at < 4; i++ {
			if i < len(b) && '0' <= b[i] && b[i] <= '9' {
				n = min(n*10+int(b[i]-'0'), 1000)
				continue
			}
			if n > 255 || i < len(b) && b[i] != ',' {
				return false
			}
			ip[at] = byte(n)
			at, n = at+1, 0
		}
		return at == 4 && x.src.Is4() && [4]byte(x.src[12:]) != ip
	}})
	return nil
}

// setupIface reads "uuid[,<version][,any_frag]". The buffer holds the UUID in
// the order of its text, the major version (2 octets) and whether the call is
// a first fragment.
func setupIface(c *compiler, o rules.Option) error {
	p := split(unquote(o.Value))
	uuid, err := hex.DecodeString(strings.ReplaceAll(p[0], "-", ""))
	if err != nil || len(uuid) != 16 {
		return fail("%q is no UUID", p[0])
	}
	var version *rules.UintRange
	anyFrag := false
	for _, m := range p[1:] {
		if m == "any_frag" {
			anyFrag = true
			continue
		}
		u, err := rules.ParseUintRange(m, math.MaxUint16)
		if err != nil {
			return err
		}
		version = &u
	}
	c.check("dcerpc.iface", func(b []byte) bool {
		return len(b) == 19 && bytes.Equal(b[:16], uuid) && (version == nil || version.Match(uint64(b[16])<<8|uint64(b[17]))) && (anyFrag || b[18] != 0)
	})
	return nil
}

func setupOpnum(c *compiler, o rules.Option) error {
	var ranges [][2]uint64
	for _, p := range split(unquote(o.Value)) {
		if strings.ContainsAny(p, "<>!=&") {
			lo, hi, err := sizeRange(p, math.MaxUint16)
			if err != nil {
				return err
			}
			ranges = append(ranges, [2]uint64{lo, hi})
			continue
		}
		a, b, isRange := strings.Cut(p, "-")
		lo, err := rules.ParseUint(a, math.MaxUint16)
		if err != nil {
			return err
		}
		hi := lo
		if isRange {
			if hi, err = rules.ParseUint(b, math.MaxUint16); err != nil {
				return err
			}
		}
		ranges = append(ranges, [2]uint64{lo, hi})
	}
	c.check("dcerpc.opnum", func(b []byte) bool {
		n := decimal(b)
		for _, r := range ranges {
			if n >= r[0] && n <= r[1] {
				return true
			}
		}
		return false
	})
	return nil
}
