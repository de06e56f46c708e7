package match

import (
	"strings"

	"github.com/yamori-net/yamori/internal/rules"
)

var ldapKeywords = []Keyword{
	{Name: "ldap.request.operation", Family: "ldap", Doc: "operation asked for, by name or number", Example: `ldap.request.operation:search_request;`, Setup: setupCodes("ldap.request.operation", 1, ldapOperations)},
	{Name: "ldap.responses.operation", Family: "ldap", Doc: "operation of an answer: name or number, then which: any, all or a position, from the end with -", Example: `ldap.responses.operation:search_result_done,-1;`, Setup: setupCodes("ldap.responses.operation", 1, ldapOperations)},
	{Name: "ldap.responses.result_code", Family: "ldap", Doc: "result code of an answer: name or number, then which: any, all or a position, from the end with -", Example: `ldap.responses.result_code:invalid_credentials;`, Setup: setupCodes("ldap.responses.result_code", 2, ldapResults)},
	{Name: "ldap.responses.count", Family: "ldap", Doc: "number of answers", Example: `ldap.responses.count:>2;`, Setup: bufferNumber("ldap.responses.count", 1<<32-1, nil)},
}

// setupCodes makes the Setup of a keyword that compares numbers of width bytes
// each, in network order, which a protocol offers together as one buffer:
// "value" or "value,which".
func setupCodes(buffer string, width int, words map[string]uint64) func(*compiler, rules.Option) error {
	return func(c *compiler, o rules.Option) error {
		if !o.HasValue || o.Value == "" {
			return stickySetup(buffer)(c, o)
		}
		parts := split(unquote(o.Value))
		if len(parts) > 2 {
			return fail("%s takes a value and which of them", o.Name)
		}
		most := uint64(1)<<(8*width) - 1
		word := lowerTrim(parts[0])
		name, not := strings.CutPrefix(word, "!")
		n, known := words[lowerTrim(name)]
		same := func(x uint64) bool { return (x == n) != not }
		if !known {
			u, err := rules.ParseUintRange(word, most)
			if err != nil {
				return err
			}
			same = u.Match
		}
		which, at := "any", int64(0)
		if len(parts) == 2 {
			switch which = lowerTrim(parts[1]); which {
			case "any", "all":
			default:
				digits, back := strings.CutPrefix(which, "-")
				u, err := rules.ParseUint(digits, 1<<16)
				if err != nil {
					return fail("%s knows any, all and positions, not %q", o.Name, parts[1])
				}
				if which, at = "at", int64(u); back {
					at = -at
				}
			}
		}
		c.check(buffer, func(b []byte) bool {
			count := int64(len(b) / width)
			get := func(i int64) (x uint64) {
				for _, v := range b[i*int64(width) : (i+1)*int64(width)] {
					x = x<<8 | uint64(v)
				}
				return x
			}
			if which == "at" {
				i := at
				if i < 0 {
					i += count
				}
				return i >= 0 && i < count && same(get(i))
			}
			for i := range count {
				if same(get(i)) != (which == "all") {
					return which == "any"
				}
			}
			return which == "all" && count > 0
		})
		return nil
	}
}

// ldapOperations are the numbers of LDAP's operations (RFC 4511 section 4.2
// and following) under Suricata's names.
var ldapOperations = map[string]uint64{"bind_request": 0, "bind_response": 1, "unbind_request": 2, "search_request": 3, "search_result_entry": 4,
	"search_result_done": 5, "modify_request": 6, "modify_response": 7, "add_request": 8, "add_response": 9, "del_request": 10, "del_response": 11,
	"mod_dn_request": 12, "mod_dn_response": 13, "compare_request": 14, "compare_response": 15, "abandon_request": 16, "search_result_reference": 19,
	"extended_request": 23, "extended_response": 24, "intermediate_response": 25}

// ldapResults are the result codes of RFC 4511 section 4.1.9.
var ldapResults = map[string]uint64{"success": 0, "operations_error": 1, "protocol_error": 2, "time_limit_exceeded": 3, "size_limit_exceeded": 4,
	"compare_false": 5, "compare_true": 6, "auth_method_not_supported": 7, "stronger_auth_required": 8, "referral": 10, "admin_limit_exceeded": 11,
	"unavailable_critical_extension": 12, "confidentiality_required": 13, "sasl_bind_in_progress": 14, "no_such_attribute": 16,
	"undefined_attribute_type": 17, "inappropriate_matching": 18, "constraint_violation": 19, "attribute_or_value_exists": 20,
	"invalid_attribute_syntax": 21, "no_such_object": 32, "alias_problem": 33, "invalid_dns_syntax": 34, "is_leaf": 35,
	"alias_dereferencing_problem": 36, "inappropriate_authentication": 48, "invalid_credentials": 49, "insufficient_access_rights": 50, "busy": 51,
	"unavailable": 52, "unwilling_to_perform": 53, "loop_detect": 54, "naming_violation": 64, "object_class_violation": 65,
	"not_allowed_on_non_leaf": 66, "not_allowed_on_rdn": 67, "entry_already_exists": 68, "object_class_mods_prohibited": 69,
	"affects_multiple_dsas": 71, "other": 80}
