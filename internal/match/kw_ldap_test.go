package match_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/yamori-net/yamori/internal/match"
	"github.com/yamori-net/yamori/internal/proto/ldap"
)

// TestLDAP: numbers of operations and results by name, and which of them.
func TestLDAP(t *testing.T) {
	want := map[string]bool{
		"ldap.request.operation:search_request": true, "ldap.request.operation:3": true, "ldap.request.operation:!bind_request": true,
		"ldap.request.operation:bind_request": false, "ldap.responses.operation:search_result_entry": true,
		"ldap.responses.operation:search_result_entry,all": true /* as long as no other came */, "ldap.responses.operation:search_result_done,all": false, "ldap.responses.operation:4-6,all": false, "ldap.responses.operation:>3,all": true,
		"ldap.responses.operation:search_result_done,0": false, "ldap.responses.operation:search_result_done,1": true,
		"ldap.responses.operation:search_result_done,-1": true, "ldap.responses.operation:search_result_entry,-2": true,
		"ldap.responses.operation:search_result_entry,2": false, "ldap.responses.operation:search_result_entry,-3": false,
		"ldap.responses.result_code:size_limit_exceeded": true, "ldap.responses.result_code:4": true, "ldap.responses.result_code:success": false,
		"ldap.responses.count:2": true, "ldap.responses.count:>2": false,
		`ldap.responses.dn; content:"cn=a"; bsize:4`: true, `ldap.responses.message; content:"too many"`: true,
		`ldap.request.attribute_type; content:"mail"; ldap.responses.attribute_type; content:"mail"`: false,
		`ldap.request.dn; content:"dc=home"; ldap.request.operation:search_request`:                  true,
	}
	var text strings.Builder
	var list []string
	for o := range want {
		list = append(list, o)
		fmt.Fprintf(&text, "alert ldap any any -> any any (%s; sid:%d;)\n", o, len(list))
	}
	r := replay(t, compile(t, text.String(), match.Options{}))
	f := r.open(4000, 389)
	f.send(toServer, "\x30\x26\x02\x01\x02\x63\x21\x04\x07dc=home\x0a\x01\x02\x0a\x01\x00\x02\x01\x01\x02\x01\x00\x01\x01\x00\x87\x01x\x30\x04\x04\x02cn")
	f.send(toClient, "\x30\x18\x02\x01\x02\x64\x13\x04\x04cn=a\x30\x0b\x30\x09\x04\x02cn\x31\x03\x04\x01a")
	f.send(toClient, "\x30\x14\x02\x01\x02\x65\x0f\x0a\x01\x04\x04\x00\x04\x08too many")
	f.close()
	n := map[uint32]int{}
	for _, sid := range r.end() {
		n[sid]++
	}
	for i, o := range list {
		if got := n[uint32(i+1)]; got > 1 || (got == 1) != want[o] {
			t.Errorf("%s: %d alerts, want %v", o, got, want[o])
		}
	}
}

// TestLDAPResults: names of result codes are those of the events.
func TestLDAPResults(t *testing.T) {
	for _, name := range []string{"success", "invalid_credentials", "no_such_object", "other", "sasl_bind_in_progress"} {
		found := false
		for code := range uint16(256) {
			found = found || ldap.ResultName(code) == name
		}
		if why := loads("x", "ldap.responses.result_code:"+name+";"); !found || why != "" {
			t.Error(name, found, why)
		}
	}
	for _, bad := range []string{"sucess", "success,first", "success,1,2", "70000"} {
		if loads("x", "ldap.responses.result_code:"+bad+";") == "" {
			t.Error(bad, "loads")
		}
	}
}
