package krb5

import (
	"strconv"

	"github.com/yamori-net/yamori/internal/event"
)

// EncodeEVE appends "krb5":{…} in Suricata's shape.
func (m *Message) EncodeEVE(e *event.Encoder) {
	e.Obj("krb5")
	e.Str("msg_type", typeName(m.Type))
	if m.Type == Error {
		e.Str("failed_request", typeName(m.Request))
		m.errorName(e)
	}
	m.name(e, "cname", &m.Client)
	if len(m.Realm) > 0 {
		e.Bytes("realm", m.Realm)
	} else {
		e.Str("realm", "<empty>")
	}
	m.name(e, "sname", &m.Service)
	m.encName(e, "encryption", m.Enc, m.HasEnc)
	e.Bool("weak_encryption", m.HasEnc && weak(m.Enc))
	if m.HasTicket {
		m.encName(e, "ticket_encryption", m.TicketEnc, true)
		e.Bool("ticket_weak_encryption", weak(m.TicketEnc))
	}
	e.EndObj()
}

// name appends a principal's parts between slashes.
func (m *Message) name(e *event.Encoder, key string, n *Name) {
	if n.N == 0 {
		e.Str(key, "<empty>")
		return
	}
	var buf [256]byte // longer names are cut
	b := buf[:0]
	for i, p := range n.Parts[:n.N] {
		if i > 0 && len(b) < cap(b) {
			b = append(b, '/')
		}
		b = append(b, p[:min(len(p), cap(b)-len(b))]...)
	}
	e.Bytes(key, b)
}

func typeName(t uint8) string {
	switch t {
	case ASReq:
		return "KRB_AS_REQ"
	case ASRep:
		return "KRB_AS_REP"
	case TGSReq:
		return "KRB_TGS_REQ"
	case TGSRep:
		return "KRB_TGS_REP"
	case APReq:
		return "KRB_AP_REQ"
	case APRep:
		return "KRB_AP_REP"
	case Error:
		return "KRB_ERROR"
	}
	return "UNKNOWN"
}

func (m *Message) errorName(e *event.Encoder) {
	for _, n := range errorNames {
		if n.code == m.ErrorCode {
			e.Str("error_code", n.name)
			return
		}
	}
	e.Bytes("error_code", strconv.AppendInt(m.text[:0], int64(m.ErrorCode), 10))
}

func (m *Message) encName(e *event.Encoder, key string, enc int32, has bool) {
	if !has {
		e.Str(key, "<none>")
		return
	}
	for _, n := range encNames {
		if n.code == enc {
			e.Str(key, n.name)
			return
		}
	}
	e.Bytes(key, strconv.AppendInt(m.text[:0], int64(enc), 10))
}

// weak reports whether an encryption type is no longer to be used: DES (RFC
// 6649), RC4 and triple DES (RFC 8429).
func weak(enc int32) bool {
	switch enc {
	case 1, 2, 3, 5, 7, 16, 23, 24:
		return true
	}
	return enc < 0 // Microsoft's own variants of RC4
}

type numbered struct {
	code int32
	name string
}

// encNames are the names of the IANA registry "Kerberos Encryption Type
// Numbers".
var encNames = [...]numbered{
	{1, "des-cbc-crc"}, {2, "des-cbc-md4"}, {3, "des-cbc-md5"}, {5, "des3-cbc-md5"}, {7, "des3-cbc-sha1"},
	{16, "des3-cbc-sha1-kd"}, {17, "aes128-cts-hmac-sha1-96"}, {18, "aes256-cts-hmac-sha1-96"},
	{19, "aes128-cts-hmac-sha256-128"}, {20, "aes256-cts-hmac-sha384-192"}, {23, "rc4-hmac"}, {24, "rc4-hmac-exp"},
	{25, "camellia128-cts-cmac"}, {26, "camellia256-cts-cmac"}, {-128, "rc4-md4"}, {-133, "rc4-hmac-old"}, {-135, "rc4-hmac-old-exp"},
}

// errorNames are the error codes of RFC 4120 section 7.5.9 that are seen.
var errorNames = [...]numbered{
	{0, "KDC_ERR_NONE"}, {1, "KDC_ERR_NAME_EXP"}, {2, "KDC_ERR_SERVICE_EXP"}, {3, "KDC_ERR_BAD_PVNO"},
	{6, "KDC_ERR_C_PRINCIPAL_UNKNOWN"}, {7, "KDC_ERR_S_PRINCIPAL_UNKNOWN"}, {8, "KDC_ERR_PRINCIPAL_NOT_UNIQUE"},
	{9, "KDC_ERR_NULL_KEY"}, {10, "KDC_ERR_CANNOT_POSTDATE"}, {11, "KDC_ERR_NEVER_VALID"}, {12, "KDC_ERR_POLICY"},
	{13, "KDC_ERR_BADOPTION"}, {14, "KDC_ERR_ETYPE_NOSUPP"}, {15, "KDC_ERR_SUMTYPE_NOSUPP"}, {16, "KDC_ERR_PADATA_TYPE_NOSUPP"},
	{18, "KDC_ERR_CLIENT_REVOKED"}, {20, "KDC_ERR_TGT_REVOKED"}, {23, "KDC_ERR_KEY_EXPIRED"}, {24, "KDC_ERR_PREAUTH_FAILED"},
	{25, "KDC_ERR_PREAUTH_REQUIRED"}, {26, "KDC_ERR_SERVER_NOMATCH"}, {29, "KDC_ERR_SVC_UNAVAILABLE"},
	{31, "KRB_AP_ERR_BAD_INTEGRITY"}, {32, "KRB_AP_ERR_TKT_EXPIRED"}, {33, "KRB_AP_ERR_TKT_NYV"}, {34, "KRB_AP_ERR_REPEAT"},
	{35, "KRB_AP_ERR_NOT_US"}, {36, "KRB_AP_ERR_BADMATCH"}, {37, "KRB_AP_ERR_SKEW"}, {41, "KRB_AP_ERR_MODIFIED"},
	{52, "KRB_ERR_RESPONSE_TOO_BIG"}, {60, "KRB_ERR_GENERIC"}, {68, "KDC_ERR_WRONG_REALM"},
}
