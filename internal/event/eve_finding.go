package event

// finding appends the alert object as Suricata's readers know it, and the
// object "yamori" with what they do not.
func (w *EVE) finding(ev *Event) {
	e, f := &w.enc, ev.Finding
	if f.Rule != nil {
		w.rule(ev)
		return
	}
	action := f.Action
	if action == "" {
		action = "allowed"
	}
	e.Obj("alert")
	e.Str("action", map[bool]string{true: "blocked", false: "allowed"}[action == "blocked"])
	e.Uint("gid", SignatureGID)
	e.Uint("signature_id", uint64(f.SignatureID))
	e.Uint("rev", 1)
	e.Str("signature", f.Signature)
	e.Str("category", categoryText[f.Category])
	e.Uint("severity", uint64(f.Severity))
	e.EndObj()

	e.Obj("yamori")
	e.Str("category", string(f.Category))
	e.Str("family", f.Family)
	e.Str("detector", f.Detector)
	e.Str("verdict", f.Level.String())
	e.Float("confidence", f.Confidence, 3)
	e.Str("action", action)
	e.OptStr("why", f.Why)
	e.OptStr("by", f.By)
	if f.Quiet {
		e.Bool("quiet", true)
	}
	EncodeEvidence(e, f.Evidence)
	if m := f.Mining; m != nil {
		EncodeMining(e, m)
	}
	if d := f.Device; d.ID != "" {
		e.Obj("device")
		e.Str("id", d.ID)
		e.Str("kind", d.Kind)
		e.Str("name", d.Name)
		e.EndObj()
	}
	e.Obj("explain")
	e.Str("code", f.Code)
	e.Obj("args")
	for _, a := range f.Args {
		e.Str(a.Name, a.Value)
	}
	e.EndObj()
	e.EndObj()
	e.EndObj()
}

// EncodeEvidence appends the member "evidence".
func EncodeEvidence(e *Encoder, ev []Evidence) {
	e.Arr("evidence")
	for _, x := range ev {
		e.Obj("")
		e.Str("code", x.Code)
		e.Str("value", x.Value)
		e.Float("weight", x.Weight, 2)
		e.EndObj()
	}
	e.EndArr()
}

// categoryText is the alert.category that readers show, in the manner of
// Suricata's classification.config.
var categoryText = map[Category]string{
	Mining:     "Crypto Currency Mining Activity Detected",
	Botnet:     "Botnet Activity Detected",
	Exploit:    "Exploit Attempt Detected",
	Malware:    "Malware Command and Control Activity Detected",
	Ransomware: "Ransomware Activity Detected",
	Scan:       "Detection of a Network Scan",
	Bruteforce: "Repeated Login Attempts Detected",
	Flood:      "Denial of Service Participation Detected",
	WebThreat:  "Malicious Site Contacted",
	DNS:        "Suspicious Name Resolution",
	Tunneled:   "Suspicious Tunnel",
	Policy:     "Policy Violation",
	Odd:        "Unusual Traffic",
}
