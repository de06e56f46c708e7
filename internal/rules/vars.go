package rules

import (
	"maps"
	"slices"
)

// Vars are the variables rules use: $NAME in an address list is looked up in
// Addrs, in a port list in Ports; names are without the dollar sign. Values
// are lists as rules write them and may use other variables.
type Vars struct{ Addrs, Ports map[string]string }

// DefaultVars returns the variables of Suricata's stock suricata.yaml.
func DefaultVars() Vars {
	return Vars{
		Addrs: map[string]string{
			"HOME_NET":     "[192.168.0.0/16,10.0.0.0/8,172.16.0.0/12]",
			"EXTERNAL_NET": "!$HOME_NET",

			"HTTP_SERVERS":   "$HOME_NET",
			"SMTP_SERVERS":   "$HOME_NET",
			"SQL_SERVERS":    "$HOME_NET",
			"DNS_SERVERS":    "$HOME_NET",
			"TELNET_SERVERS": "$HOME_NET",
			"AIM_SERVERS":    "$EXTERNAL_NET",
			"DC_SERVERS":     "$HOME_NET",
			"DNP3_SERVER":    "$HOME_NET",
			"DNP3_CLIENT":    "$HOME_NET",
			"MODBUS_CLIENT":  "$HOME_NET",
			"MODBUS_SERVER":  "$HOME_NET",
			"ENIP_CLIENT":    "$HOME_NET",
			"ENIP_SERVER":    "$HOME_NET",
		},
		Ports: map[string]string{
			"HTTP_PORTS":      "80",
			"SHELLCODE_PORTS": "!80",
			"ORACLE_PORTS":    "1521",
			"SSH_PORTS":       "22",
			"DNP3_PORTS":      "20000",
			"MODBUS_PORTS":    "502",
			"FILE_DATA_PORTS": "[$HTTP_PORTS,110,143]",
			"FTP_PORTS":       "21",
			"GENEVE_PORTS":    "6081",
			"VXLAN_PORTS":     "4789",
			"TEREDO_PORTS":    "3544",
		},
	}
}

// With returns v with the variables of over added or replaced; v is not changed.
func (v Vars) With(over Vars) Vars {
	out := Vars{maps.Clone(v.Addrs), maps.Clone(v.Ports)}
	if out.Addrs == nil {
		out.Addrs = map[string]string{}
	}
	if out.Ports == nil {
		out.Ports = map[string]string{}
	}
	maps.Copy(out.Addrs, over.Addrs)
	maps.Copy(out.Ports, over.Ports)
	return out
}

// Check evaluates every variable. A set whose EXTERNAL_NET is !$HOME_NET with
// HOME_NET any is refused here, as Suricata refuses it: such an EXTERNAL_NET
// holds no address and no rule that uses it could be loaded.
func (v Vars) Check() []*Problem {
	var out []*Problem
	p := newParser(ParseConfig{Vars: v})
	for _, name := range slices.Sorted(maps.Keys(v.Addrs)) {
		if _, _, err := p.addresses("$" + name); err != nil {
			out = append(out, &Problem{File: "variables", Reason: err.Reason, Cure: variableCure(name, err.Cure)})
		}
	}
	for _, name := range slices.Sorted(maps.Keys(v.Ports)) {
		if _, _, err := p.portList("$" + name); err != nil {
			out = append(out, &Problem{File: "variables", Reason: err.Reason, Cure: err.Cure})
		}
	}
	return out
}

func variableCure(name, cure string) string {
	if name == "EXTERNAL_NET" {
		return "with HOME_NET any, set EXTERNAL_NET to any as well"
	}
	return cure
}
