package ldap

import (
	"strconv"
	"unsafe"

	"github.com/yamori-net/yamori/internal/event"
)

const (
	sizeTx      = unsafe.Sizeof(Tx{})
	sizeMessage = unsafe.Sizeof(Message{})
)

// EncodeEVE implements proto.Tx: Suricata's ldap object. Passwords and values
// of attributes are left out.
func (t *Tx) EncodeEVE(e *event.Encoder) {
	e.Obj("ldap")
	if t.Asked {
		e.Obj("request")
		e.Uint("message_id", uint64(t.ID))
		t.Request.encode(e)
		e.EndObj()
	}
	if len(t.Responses) > 0 {
		e.Arr("responses")
		for i := range t.Responses {
			e.Obj("")
			t.Responses[i].encode(e)
			e.Uint("message_id", uint64(t.ID))
			e.EndObj()
		}
		e.EndArr()
	}
	if t.Count > len(t.Responses) {
		e.Uint("responses_count", uint64(t.Count))
	}
	e.EndObj()
}

func (m *Message) encode(e *event.Encoder) {
	name := operations[m.Op].name
	e.Str("operation", name)
	if m.Op == UnbindRequest || m.Op == SearchReference {
		return
	}
	e.Obj(name)
	switch m.Op {
	case BindRequest:
		e.Uint("version", uint64(m.Version))
		e.Bytes("name", m.DN)
		if m.SASL {
			e.Obj("sasl")
			e.Bytes("mechanism", m.Name)
			e.EndObj()
		}
	case SearchRequest:
		e.Bytes("base_object", m.DN)
		e.Uint("scope", uint64(m.Scope))
		e.Uint("deref_alias", uint64(m.Deref))
		e.Uint("size_limit", uint64(m.SizeLimit))
		e.Uint("time_limit", uint64(m.TimeLimit))
		e.Bool("types_only", m.TypesOnly)
		e.Arr("attributes")
		for _, a := range m.Attributes {
			e.Bytes("", a)
		}
		e.EndArr()
	case SearchEntry:
		e.Bytes("base_object", m.DN)
		m.attributes(e, "attributes", "type")
	case AddRequest:
		e.Bytes("entry", m.DN)
		m.attributes(e, "attributes", "name")
	case ModifyRequest:
		e.Bytes("object", m.DN)
		m.attributes(e, "changes", "modification_type")
	case DelRequest:
		e.Bytes("dn", m.DN)
	case ModDNRequest:
		e.Bytes("entry", m.DN)
		e.Bytes("new_rdn", m.NewRDN)
		e.Bool("delete_old_rdn", m.DeleteOld)
		e.OptBytes("new_superior", m.NewParent)
	case CompareRequest:
		e.Bytes("entry", m.DN)
		e.Obj("attribute_value_assertion")
		for _, a := range m.Attributes {
			e.Bytes("description", a)
		}
		e.EndObj()
	case AbandonRequest:
		e.Uint("message_id", uint64(m.Abandons))
	case ExtendedRequest, Intermediate:
		e.OptBytes("name", m.Name)
	default:
		if m.HasCode {
			e.Str("result_code", ResultName(m.Code))
		}
		e.Bytes("matched_dn", m.DN)
		e.Bytes("message", m.Text)
		e.OptBytes("name", m.Name)
	}
	e.EndObj()
}

// attributes lists the names of attributes, of a modify request with what
// becomes of them.
func (m *Message) attributes(e *event.Encoder, key, member string) {
	e.Arr(key)
	for i, a := range m.Attributes {
		e.Obj("")
		if i < len(m.Changes) && int(m.Changes[i]) < len(changeNames) {
			e.Str("operation", changeNames[m.Changes[i]])
		}
		e.Bytes(member, a)
		e.EndObj()
	}
	e.EndArr()
}

// changeNames: section 4.6, and RFC 4525.
var changeNames = [...]string{"add", "delete", "replace", "increment"}

// results are the names of result codes, section 4.1.9, as Suricata writes them.
var results = map[uint16]string{
	0: "success", 1: "operations_error", 2: "protocol_error", 3: "time_limit_exceeded", 4: "size_limit_exceeded", 5: "compare_false", 6: "compare_true",
	7: "auth_method_not_supported", 8: "stronger_auth_required", 10: "referral", 11: "admin_limit_exceeded", 12: "unavailable_critical_extension",
	13: "confidentiality_required", 14: "sasl_bind_in_progress", 16: "no_such_attribute", 17: "undefined_attribute_type", 18: "inappropriate_matching",
	19: "constraint_violation", 20: "attribute_or_value_exists", 21: "invalid_attribute_syntax", 32: "no_such_object", 33: "alias_problem",
	34: "invalid_dns_syntax", 35: "is_leaf", 36: "alias_dereferencing_problem", 48: "inappropriate_authentication", 49: "invalid_credentials",
	50: "insufficient_access_rights", 51: "busy", 52: "unavailable", 53: "unwilling_to_perform", 54: "loop_detect", 64: "naming_violation",
	65: "object_class_violation", 66: "not_allowed_on_non_leaf", 67: "not_allowed_on_rdn", 68: "entry_already_exists",
	69: "object_class_mods_prohibited", 71: "affects_multiple_dsas", 80: "other",
}

// ResultName is the name of a result code, its number when it has none.
func ResultName(code uint16) string {
	if s := results[code]; s != "" {
		return s
	}
	return strconv.Itoa(int(code))
}
