package tls

// Versions as they stand in hellos. DTLS counts downwards (RFC 9147 section
// 5.3); its first version, feff, is TLS 1.1's sibling.
const (
	VersionSSL2   = 0x0002
	VersionSSL3   = 0x0300
	VersionTLS10  = 0x0301
	VersionTLS11  = 0x0302
	VersionTLS12  = 0x0303
	VersionTLS13  = 0x0304
	VersionDTLS0  = 0x0100 // OpenSSL before 0.9.8f and Cisco AnyConnect: DTLS1_BAD_VER
	VersionDTLS10 = 0xfeff
	VersionDTLS12 = 0xfefd
	VersionDTLS13 = 0xfefc
)

const (
	draft13 = 0x7f00 // TLS 1.3 drafts: low byte is the draft (RFC 8446 appendix, drafts 18 to 28)
	fb13    = 0xfb00 // Facebook's private drafts of TLS 1.3
)

var draftNames = [...]string{
	16: "TLS 1.3 draft-16", 17: "TLS 1.3 draft-17", 18: "TLS 1.3 draft-18", 19: "TLS 1.3 draft-19",
	20: "TLS 1.3 draft-20", 21: "TLS 1.3 draft-21", 22: "TLS 1.3 draft-22", 23: "TLS 1.3 draft-23",
	24: "TLS 1.3 draft-24", 25: "TLS 1.3 draft-25", 26: "TLS 1.3 draft-26", 27: "TLS 1.3 draft-27",
	28: "TLS 1.3 draft-28",
}

// VersionName returns the text that Suricata's EVE and tls.version carry for
// v, and "" for a version nobody has defined.
func VersionName(v uint16) string {
	switch v {
	case VersionSSL2:
		return "SSLv2"
	case VersionSSL3:
		return "SSLv3"
	case VersionTLS10:
		return "TLSv1"
	case VersionTLS11:
		return "TLS 1.1"
	case VersionTLS12:
		return "TLS 1.2"
	case VersionTLS13:
		return "TLS 1.3"
	case VersionDTLS0, VersionDTLS10:
		return "DTLS 1.0"
	case VersionDTLS12:
		return "DTLS 1.2"
	case VersionDTLS13:
		return "DTLS 1.3"
	}
	switch v & 0xff00 {
	case draft13:
		if d := int(v & 0xff); d < len(draftNames) {
			return draftNames[d]
		}
	case fb13:
		return "TLS 1.3 draft-fb"
	}
	return ""
}

// is13 reports whether a negotiated version hides everything after the
// ServerHello: TLS 1.3, its drafts, and DTLS 1.3.
func is13(v uint16) bool {
	return v == VersionTLS13 || v == VersionDTLS13 || v&0xff00 == draft13 || v&0xff00 == fb13
}

// IsGREASE reports whether v is one of the sixteen values that clients send to
// keep servers tolerant, RFC 8701 section 2.
func IsGREASE(v uint16) bool { return v&0x0f0f == 0x0a0a && v>>8 == v&0xff }
