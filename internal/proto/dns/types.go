package dns

import "strconv"

// Type is a resource record type of the IANA registry "Domain Name System
// (DNS) Parameters".
type Type uint16

// Types whose data this package reads.
const (
	TypeA     Type = 1
	TypeNS    Type = 2
	TypeCNAME Type = 5
	TypeSOA   Type = 6
	TypeNULL  Type = 10
	TypePTR   Type = 12
	TypeMX    Type = 15
	TypeTXT   Type = 16
	TypeAAAA  Type = 28
	TypeNB    Type = 32 // NetBIOS name service, RFC 1002; NIMLOC in DNS
	TypeSRV   Type = 33 // NBSTAT in the NetBIOS name service
	TypeDNAME Type = 39
	TypeOPT   Type = 41
	TypeSSHFP Type = 44
	TypeNSEC  Type = 47
	TypeSVCB  Type = 64
	TypeHTTPS Type = 65
	TypeTSIG  Type = 250
	TypeANY   Type = 255
	TypeCAA   Type = 257
)

// Mnemonic returns the registry's name of t, or "" when it has none here.
func (t Type) Mnemonic() string {
	switch t {
	case TypeTSIG:
		return "TSIG"
	case 249:
		return "TKEY"
	case 251:
		return "IXFR"
	case 252:
		return "AXFR"
	case 253:
		return "MAILB"
	case 254:
		return "MAILA"
	case TypeANY:
		return "ANY"
	case 256:
		return "URI"
	case TypeCAA:
		return "CAA"
	case 108:
		return "EUI48"
	case 109:
		return "EUI64"
	case 99:
		return "SPF"
	case 32768:
		return "TA"
	case 32769:
		return "DLV"
	}
	if int(t) < len(lowTypes) {
		return lowTypes[t]
	}
	return ""
}

// lowTypes are the names of types 1 to 65.
var lowTypes = [...]string{
	"", "A", "NS", "MD", "MF", "CNAME", "SOA", "MB", "MG", "MR", "NULL", "WKS", "PTR", "HINFO", "MINFO", "MX", "TXT",
	"RP", "AFSDB", "X25", "ISDN", "RT", "NSAP", "NSAPPTR", "SIG", "KEY", "PX", "GPOS", "AAAA", "LOC", "NXT", "EID",
	"NIMLOC", "SRV", "ATMA", "NAPTR", "KX", "CERT", "A6", "DNAME", "SINK", "OPT", "APL", "DS", "SSHFP", "IPSECKEY",
	"RRSIG", "NSEC", "DNSKEY", "DHCID", "NSEC3", "NSEC3PARAM", "TLSA", "SMIMEA", "", "HIP", "NINFO", "RKEY", "TALINK",
	"CDS", "CDNSKEY", "OPENPGPKEY", "CSYNC", "ZONEMD", "SVCB", "HTTPS",
}

// appendType appends the name of t, or its number.
func appendType(dst []byte, t Type) []byte {
	if s := t.Mnemonic(); s != "" {
		return append(dst, s...)
	}
	return strconv.AppendUint(dst, uint64(t), 10)
}

// appendRCode appends the name of a response code, or its number. Sixteen is
// BADVERS, as in an OPT record, not the BADSIG of TSIG (RFC 6895 section 2.3).
func appendRCode(dst []byte, c uint16) []byte {
	if int(c) < len(rcodes) && rcodes[c] != "" {
		return append(dst, rcodes[c]...)
	}
	return strconv.AppendUint(dst, uint64(c), 10)
}

var rcodes = [...]string{
	"NOERROR", "FORMERR", "SERVFAIL", "NXDOMAIN", "NOTIMP", "REFUSED", "YXDOMAIN", "YXRRSET", "NXRRSET", "NOTAUTH",
	"NOTZONE", "DSOTYPENI", "", "", "", "", "BADVERS", "BADKEY", "BADTIME", "BADMODE", "BADNAME", "BADALG", "BADTRUNC",
	"BADCOOKIE",
}
