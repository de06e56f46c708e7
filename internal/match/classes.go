package match

import (
	"github.com/yamori-net/yamori/internal/event"
	"github.com/yamori-net/yamori/internal/rules"
)

// classRow is a class of rules: what readers of alerts show, and which of the
// findings' categories it belongs to.
type classRow struct {
	name, text string
	priority   int
	category   event.Category
}

// classTable is the classification that public rule sets use.
var classTable = []classRow{
	{"not-suspicious", "Not Suspicious Traffic", 3, event.Odd},
	{"unknown", "Unknown Traffic", 3, event.Odd},
	{"bad-unknown", "Potentially Bad Traffic", 2, event.Odd},
	{"attempted-recon", "Attempted Information Leak", 2, event.Scan},
	{"successful-recon-limited", "Information Leak", 2, event.Scan},
	{"successful-recon-largescale", "Large Scale Information Leak", 2, event.Scan},
	{"attempted-dos", "Attempted Denial of Service", 2, event.Flood},
	{"successful-dos", "Denial of Service", 2, event.Flood},
	{"attempted-user", "Attempted User Privilege Gain", 1, event.Exploit},
	{"unsuccessful-user", "Unsuccessful User Privilege Gain", 1, event.Exploit},
	{"successful-user", "Successful User Privilege Gain", 1, event.Exploit},
	{"attempted-admin", "Attempted Administrator Privilege Gain", 1, event.Exploit},
	{"successful-admin", "Successful Administrator Privilege Gain", 1, event.Exploit},
	{"rpc-portmap-decode", "Decode of an RPC Query", 2, event.Scan},
	{"shellcode-detect", "Executable code was detected", 1, event.Exploit},
	{"string-detect", "A suspicious string was detected", 3, event.Odd},
	{"suspicious-filename-detect", "A suspicious filename was detected", 2, event.Malware},
	{"suspicious-login", "An attempted login using a suspicious username was detected", 2, event.Bruteforce},
	{"system-call-detect", "A system call was detected", 2, event.Exploit},
	{"tcp-connection", "A TCP connection was detected", 4, event.Odd},
	{"trojan-activity", "A Network Trojan was detected", 1, event.Malware},
	{"unusual-client-port-connection", "A client was using an unusual port", 2, event.Odd},
	{"network-scan", "Detection of a Network Scan", 3, event.Scan},
	{"denial-of-service", "Detection of a Denial of Service Attack", 2, event.Flood},
	{"non-standard-protocol", "Detection of a non-standard protocol or event", 2, event.Odd},
	{"protocol-command-decode", "Generic Protocol Command Decode", 3, event.Odd},
	{"web-application-activity", "access to a potentially vulnerable web application", 2, event.Exploit},
	{"web-application-attack", "Web Application Attack", 1, event.Exploit},
	{"misc-activity", "Misc activity", 3, event.Odd},
	{"misc-attack", "Misc Attack", 2, event.Exploit},
	{"icmp-event", "Generic ICMP event", 3, event.Odd},
	{"inappropriate-content", "Inappropriate Content was Detected", 1, event.Policy},
	{"policy-violation", "Potential Corporate Privacy Violation", 1, event.Policy},
	{"default-login-attempt", "Attempt to login by a default username and password", 2, event.Bruteforce},
	{"targeted-activity", "Targeted Malicious Activity was Detected", 1, event.Malware},
	{"exploit-kit", "Exploit Kit Activity Detected", 1, event.Exploit},
	{"external-ip-check", "Device Retrieving External IP Address Detected", 2, event.Odd},
	{"domain-c2", "Domain Observed Used for C2 Detected", 1, event.Malware},
	{"pup-activity", "Possibly Unwanted Program Detected", 2, event.Policy},
	{"credential-theft", "Successful Credential Theft Detected", 1, event.WebThreat},
	{"social-engineering", "Possible Social Engineering Attempted", 2, event.WebThreat},
	{"coin-mining", "Crypto Currency Mining Activity Detected", 2, event.Mining},
	{"command-and-control", "Malware Command and Control Activity Detected", 1, event.Malware},
}

// DefaultClasses is the classification by name.
func DefaultClasses() map[string]rules.Class {
	out := make(map[string]rules.Class, len(classTable))
	for _, c := range classTable {
		out[c.name] = rules.Class{Name: c.name, Description: c.text, Priority: c.priority}
	}
	return out
}

// CategoryOf sorts a class of rules among the categories of findings.
func CategoryOf(class string) event.Category {
	for i := range classTable {
		if classTable[i].name == class {
			return classTable[i].category
		}
	}
	return event.Odd
}
