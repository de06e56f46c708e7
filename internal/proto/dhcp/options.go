package dhcp

// Options that this package names, RFC 2132 unless said otherwise.
const (
	OptSubnetMask       = 1
	OptRouter           = 3
	OptDNS              = 6
	OptHostname         = 12
	OptDomain           = 15
	OptNTP              = 42
	OptRequestedIP      = 50
	OptLeaseTime        = 51
	OptOverload         = 52
	OptMessageType      = 53
	OptServerID         = 54
	OptParameters       = 55
	OptMessage          = 56
	OptMaxSize          = 57
	OptRenewal          = 58
	OptRebinding        = 59
	OptVendorClass      = 60
	OptClientID         = 61
	OptTFTPServer       = 66
	OptBootFile         = 67
	OptUserClass        = 77  // RFC 3004
	OptFQDN             = 81  // RFC 4702
	OptRelayAgent       = 82  // RFC 3046
	OptCaptivePortal    = 114 // RFC 8910
	OptDomainSearch     = 119 // RFC 3397
	OptRoutes           = 121 // RFC 3442
	OptProxyAutoconfig  = 252 // WPAD, in use but never registered
	optPad, optEnd      = 0, 255
	overFile, overSname = 1, 2 // bits of OptOverload
)

// MaxOptions bounds the different options kept of one message.
const MaxOptions = 96

// Option is one option with its whole value: the pieces of a split one are
// joined (RFC 3396).
type Option struct {
	Code  byte
	Value []byte
}

// walk reads the options in b, the pieces of one code joined. It returns false
// when they do not end as they should.
func (m *Message) walk(b []byte) bool {
	for len(b) > 0 {
		code := b[0]
		b = b[1:]
		switch code {
		case optPad:
			continue
		case optEnd:
			return true
		}
		if len(b) == 0 || len(b) < 1+int(b[0]) {
			return false
		}
		v := b[1 : 1+int(b[0])]
		b = b[1+len(v):]
		m.add(code, v)
	}
	return false
}

func (m *Message) add(code byte, v []byte) {
	if n := len(m.Order); n < cap(m.Order) {
		m.Order = append(m.Order, code)
	}
	for i := range m.Options {
		o := &m.Options[i]
		if o.Code != code {
			continue
		}
		at := len(m.joined)
		if at+len(o.Value)+len(v) > maxJoined {
			m.tooMany = true
			return
		}
		m.joined = append(append(m.joined, o.Value...), v...)
		o.Value = m.joined[at:]
		return
	}
	if len(m.Options) == MaxOptions {
		m.tooMany = true
		return
	}
	m.Options = append(m.Options, Option{code, v})
}

// Option returns the value of an option, nil when it is absent.
func (m *Message) Option(code byte) []byte {
	for i := range m.Options {
		if m.Options[i].Code == code {
			return m.Options[i].Value
		}
	}
	return nil
}

// parameterName is what Suricata calls a requested parameter in its events.
func parameterName(code byte) string {
	switch code {
	case OptSubnetMask:
		return "subnet_mask"
	case OptRouter:
		return "router"
	case OptDNS:
		return "dns_server"
	case OptHostname:
		return "hostname"
	case OptDomain:
		return "domain"
	case 35:
		return "arp_timeout"
	case OptNTP:
		return "ntp_server"
	case OptTFTPServer:
		return "tftp_server_name"
	case 150:
		return "tftp_server_ip"
	}
	return ""
}

func typeName(t byte) string {
	switch t {
	case 1:
		return "discover"
	case 2:
		return "offer"
	case 3:
		return "request"
	case 4:
		return "decline"
	case 5:
		return "ack"
	case 6:
		return "nak"
	case 7:
		return "release"
	case 8:
		return "inform"
	case 9:
		return "forcerenew" // RFC 3203
	case 10:
		return "leasequery" // RFC 4388
	}
	return "unknown"
}
