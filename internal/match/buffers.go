package match

import (
	"bytes"
	"slices"

	"github.com/yamori-net/yamori/internal/match/inspect"
	"github.com/yamori-net/yamori/internal/rules"
)

// sticky is a buffer of Suricata's language. Protocols that have more name
// them themselves.
type sticky struct {
	name    string
	aliases []string
	multi   bool // several instances in a transaction
	doc     string
	frame   bool // a packet header, not part of a transaction
}

// stickyBuffers lists the sticky buffers with their other names.
var stickyBuffers = []sticky{
	{name: "http.uri", doc: "request target, normalised"},
	{name: "http.uri.raw"},
	{name: "http.method"},
	{name: "http.host"},
	{name: "http.host.raw"},
	{name: "http.user_agent"},
	{name: "http.referer", aliases: []string{"http_referer"}},
	{name: "http.cookie"},
	{name: "http.header"},
	{name: "http.header.raw"},
	{name: "http.header_names", aliases: []string{"http_header_names"}},
	{name: "http.request_line", aliases: []string{"http_request_line"}},
	{name: "http.request_body"},
	{name: "http.request_header", multi: true},
	{name: "http.response_header", multi: true},
	{name: "http.content_type", aliases: []string{"http_content_type"}},
	{name: "http.content_len", aliases: []string{"http_content_len"}},
	{name: "http.accept", aliases: []string{"http_accept"}},
	{name: "http.accept_lang", aliases: []string{"http_accept_lang"}},
	{name: "http.accept_enc", aliases: []string{"http_accept_enc"}},
	{name: "http.connection", aliases: []string{"http_connection"}},
	{name: "http.protocol", aliases: []string{"http_protocol"}},
	{name: "http.start", aliases: []string{"http_start"}},
	{name: "http.stat_code"},
	{name: "http.stat_msg"},
	{name: "http.response_line", aliases: []string{"http_response_line"}},
	{name: "http.response_body"},
	{name: "http.server"},
	{name: "http.location"},
	{name: "file.data", aliases: []string{"file_data"}, multi: true},
	{name: "file.name", multi: true},
	{name: "file.magic", multi: true},
	{name: "http2.header_name", multi: true},
	{name: "http2.header", multi: true, aliases: []string{"http2.header"}},
	{name: "dns.query", aliases: []string{"dns_query"}, multi: true},
	{name: "dns.query.name", multi: true},
	{name: "dns.answer.name", multi: true},
	{name: "dns.queries.rrname", multi: true},
	{name: "dns.answers.rrname", multi: true},
	{name: "dns.authorities.rrname", multi: true},
	{name: "dns.additionals.rrname", multi: true},
	{name: "dns.response.rrname", multi: true},
	{name: "mdns.queries.rrname", multi: true},
	{name: "mdns.answers.rrname", multi: true},
	{name: "tls.sni", aliases: []string{"tls_sni"}},
	{name: "tls.cert_subject", aliases: []string{"tls_cert_subject"}},
	{name: "tls.cert_issuer", aliases: []string{"tls_cert_issuer"}},
	{name: "tls.cert_serial", aliases: []string{"tls_cert_serial"}},
	{name: "tls.cert_fingerprint", aliases: []string{"tls_cert_fingerprint"}},
	{name: "tls.certs", multi: true},
	{name: "tls.subjectaltname", multi: true},
	{name: "tls.alpn", multi: true},
	{name: "tls.random"},
	{name: "tls.random_time"},
	{name: "tls.random_bytes"},
	{name: "ja3.hash", aliases: []string{"ja3_hash"}},
	{name: "ja3.string", aliases: []string{"ja3_string"}},
	{name: "ja3s.hash"},
	{name: "ja3s.string"},
	{name: "ja4.hash"},
	{name: "ssh.proto", aliases: []string{"ssh_proto"}},
	{name: "ssh.software", aliases: []string{"ssh_software"}},
	{name: "ssh.hassh"},
	{name: "ssh.hassh.string"},
	{name: "ssh.hassh.server"},
	{name: "ssh.hassh.server.string"},
	{name: "smb.named_pipe", aliases: []string{"smb_named_pipe"}},
	{name: "smb.share", aliases: []string{"smb_share"}},
	{name: "smb.ntlmssp_user"},
	{name: "smb.ntlmssp_domain"},
	{name: "dcerpc.stub_data", aliases: []string{"dce_stub_data"}},
	{name: "smtp.helo"},
	{name: "smtp.mail_from"},
	{name: "smtp.rcpt_to", multi: true},
	{name: "ftp.command"},
	{name: "ftp.command_data"},
	{name: "ftp.reply", multi: true},
	{name: "ftp.completion_code", multi: true},
	{name: "snmp.community"},
	{name: "snmp.usm"},
	{name: "sip.method"},
	{name: "sip.uri"},
	{name: "sip.protocol"},
	{name: "sip.stat_code"},
	{name: "sip.stat_msg"},
	{name: "sip.request_line"},
	{name: "sip.response_line"},
	{name: "sip.from", multi: true},
	{name: "sip.to", multi: true},
	{name: "sip.via", multi: true},
	{name: "sip.user_agent", multi: true},
	{name: "sip.content_type", multi: true},
	{name: "sip.content_length", multi: true},
	{name: "sdp.session_name"},
	{name: "sdp.bandwidth", multi: true},
	{name: "sdp.time", multi: true},
	{name: "sdp.repeat_time", multi: true},
	{name: "sdp.attribute", multi: true},
	{name: "sdp.media.media", multi: true},
	{name: "sdp.media.media_info", multi: true},
	{name: "sdp.media.connection_data", multi: true},
	{name: "sdp.media.encryption_key", multi: true},
	{name: "mqtt.connect.clientid"},
	{name: "mqtt.connect.username"},
	{name: "mqtt.connect.password"},
	{name: "mqtt.connect.protocol_string"},
	{name: "mqtt.connect.willtopic"},
	{name: "mqtt.connect.willmessage"},
	{name: "mqtt.publish.topic"},
	{name: "mqtt.publish.message"},
	{name: "mqtt.subscribe.topic", multi: true},
	{name: "mqtt.unsubscribe.topic", multi: true},
	{name: "krb5.cname", aliases: []string{"krb5_cname"}, multi: true},
	{name: "krb5.sname", aliases: []string{"krb5_sname"}, multi: true},
	{name: "ldap.request.attribute_type", multi: true},
	{name: "ldap.responses.dn", multi: true},
	{name: "ldap.responses.message", multi: true},
	{name: "ldap.responses.attribute_type", multi: true},
	{name: "rfb.name"},
	{name: "quic.sni"},
	{name: "quic.ua"},
	{name: "quic.version"},
	{name: "quic.cyu.hash", multi: true},
	{name: "quic.cyu.string", multi: true},
	{name: "ike.init_spi"}, {name: "ike.resp_spi"}, {name: "ike.vendor", multi: true}, {name: "ike.key_exchange_payload"}, {name: "ike.nonce_payload"},
	{name: "rdp.cookie"},
	{name: "websocket.payload", multi: true},
	{name: "cip_service"}, {name: "enip_command"},
	{name: "modbus"}, {name: "dnp3_data", aliases: []string{"dnp3.data"}},
	{name: "template.buffer"},
	{name: "email.from"}, {name: "email.subject"}, {name: "email.to"}, {name: "email.cc"}, {name: "email.date"},
	{name: "email.message_id"}, {name: "email.x_mailer"}, {name: "email.url", multi: true}, {name: "email.received", multi: true}, {name: "email.body_md5"},
	{name: "tcp.hdr", frame: true, doc: "header of the TCP segment with its options"},
	{name: "udp.hdr", frame: true, doc: "header of the UDP datagram"},
	{name: "ipv4.hdr", frame: true, doc: "IPv4 header with its options"},
	{name: "ipv6.hdr", frame: true, doc: "IPv6 header with its extensions"},
	{name: "icmpv4.hdr", frame: true, doc: "ICMP header"},
	{name: "icmpv6.hdr", frame: true, doc: "ICMPv6 header, 8 bytes"},
	{name: "igmp.hdr", frame: true, doc: "IGMP message"},
	{name: "sctp.hdr", frame: true, doc: "SCTP packet with its chunks"},
	{name: "sctp.chunk_data", frame: true, doc: "value of a chunk of SCTP"},
	{name: "ether.hdr", frame: true, doc: "Ethernet header, 14 bytes"},
	{name: "ip.src", frame: true, doc: "source address, 4 or 16 bytes"},
	{name: "ip.dst", frame: true, doc: "destination address, 4 or 16 bytes"},
}

// upperBuffers and lowerBuffers hold hexadecimal text that is always written
// so; what rules look for in them is brought to the same form, as Suricata does.
var (
	upperBuffers = []string{"tls.cert_serial"}
	lowerBuffers = []string{"tls.cert_fingerprint", "ja3.hash", "ja3s.hash", "ssh.hassh", "ssh.hassh.server"}
)

// recase brings the contents of a list to the form of its buffer.
func (l *list) recase() {
	change := bytes.ToLower
	switch {
	case slices.Contains(upperBuffers, l.name):
		change = bytes.ToUpper
	case !slices.Contains(lowerBuffers, l.name):
		return
	}
	for i := range l.steps {
		if s := &l.steps[i]; s.Kind == inspect.Content {
			s.Pattern = change(s.Pattern)
		}
	}
}

func isMulti(name string) bool {
	for i := range stickyBuffers {
		if stickyBuffers[i].name == name {
			return stickyBuffers[i].multi
		}
	}
	return false
}

func isFrame(name string) bool {
	for i := range stickyBuffers {
		if stickyBuffers[i].name == name {
			return stickyBuffers[i].frame
		}
	}
	return false
}

// stickySetup makes the Setup of a sticky buffer.
func stickySetup(name string) func(*compiler, rules.Option) error {
	multi := isMulti(name)
	return func(c *compiler, o rules.Option) error {
		side, err := c.side(o)
		if err != nil {
			return err
		}
		c.notPlain()
		l := c.list(name, multi)
		if len(l.steps) == 0 {
			l.side = side
		} else if l.side != side {
			if l = c.sideList(name, side); l == nil {
				l = c.list(name, true)
				l.side = side
			}
		}
		c.cur, c.stuck = l, true
		c.last, c.base64, c.base64In = nil, nil, nil
		return nil
	}
}

// legacy makes a modifier of the old kind: it moves the content before it to a
// buffer.
func legacy(name, buffer string) Keyword {
	return Keyword{Name: name, Family: "http", Doc: "the content before it is of " + buffer + " (old form)",
		Example: `content:"x"; ` + name + `;`, Setup: func(c *compiler, o rules.Option) error {
			k := c.last
			if k == nil {
				return fail("%s has no content before it", name)
			}
			if k.l != c.lists[0] {
				if k.l.name == buffer {
					return nil
				}
				return fail("%s cannot stand after the sticky buffer %s", name, k.l.name)
			}
			s := *k.step()
			from, at := k.l, k.i
			from.steps = append(from.steps[:at], from.steps[at+1:]...)
			to := c.list(buffer, false)
			to.steps = append(to.steps, s)
			k.l, k.i = to, len(to.steps)-1
			c.lastL = to
			for _, other := range c.contents {
				if other != k && other.l == from && other.i > at {
					other.i--
				}
			}
			return nil
		}}
}

var legacyKeywords = []Keyword{
	legacy("http_uri", "http.uri"), legacy("http_raw_uri", "http.uri.raw"), legacy("http_method", "http.method"),
	legacy("http_user_agent", "http.user_agent"), legacy("http_header", "http.header"), legacy("http_raw_header", "http.header.raw"),
	legacy("http_cookie", "http.cookie"), legacy("http_client_body", "http.request_body"), legacy("http_server_body", "http.response_body"),
	legacy("http_stat_code", "http.stat_code"), legacy("http_stat_msg", "http.stat_msg"), legacy("http_host", "http.host"),
	legacy("http_raw_host", "http.host.raw"),
}
