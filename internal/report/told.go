package report

import (
	"cmp"
	"fmt"
	"strings"
)

// Told is what people are told of a finding that is kept: the same sentences
// as of one that is made, from its codes.
type Told struct {
	Who      string // name of the device; empty: none
	Code     string // of the explanation
	Category string
	Title    string // of the rule or detection
	Remote   string // address of the other side
	Verdict  string // suspect, likely, confirmed
	Action   string // allowed, blocked, would_block
	Args     map[string]string
}

func textOf(lang Lang) *text {
	if t := texts[lang]; t != nil {
		return t
	}
	return &english
}

// Happened says what was found, in one sentence.
func (f *Told) Happened(lang Lang) string {
	t := textOf(lang)
	who := cmp.Or(printable(f.Who), t.unnamed)
	if f.Code == "dns.blocked" {
		return dnsBlocked(t, who, func(n string) string { return printable(f.Args[n]) })
	}
	if (f.Category != "mining" || f.Code == "rule" || f.Code == "rule.match") && f.Code != "mining.farming" {
		return fmt.Sprintf(t.happened["other"], who, printable(ruleName(t.lang, cmp.Or(f.Args["rule"], f.Title, f.Code))))
	}
	coin := cmp.Or(f.Args["coin"], f.Args["algorithm"])
	if coin != "" {
		coin = bracket(lang, printable(coin))
	}
	return fmt.Sprintf(cmp.Or(t.happened[f.Code], t.happened["mining.stratum"]), who, coin, printable(cmp.Or(f.Args["pool"], f.Remote, "?")))
}

// Sure says how certain that is, in a word.
func (f *Told) Sure(lang Lang) string { return cmp.Or(textOf(lang).howSure[f.Verdict], f.Verdict) }

// Did says what was done about it.
func (f *Told) Did(lang Lang) string { return textOf(lang).weDid[cmp.Or(f.Action, "allowed")] }

// Do says what the owner may do.
func (f *Told) Do(lang Lang) string {
	t := textOf(lang)
	return cmp.Or(t.youDo[f.Code], t.youDo[f.Category], t.youDo["other"])
}

// EvidenceText says what a piece of evidence shows, with its value.
func EvidenceText(lang Lang, code, value string) string {
	value = printable(value)
	s := words(code, lang)
	switch {
	case s == "" && value == "":
		return printable(code)
	case s == "":
		return value
	case value == "":
		return s
	}
	return s + bracket(lang, value)
}

// colon is what stands between a label and what it labels.
func colon(lang Lang) string {
	if lang == Japanese {
		return "："
	}
	return ": "
}

// bracket puts s into the brackets of a language, to stand behind a word.
func bracket(lang Lang, s string) string {
	if lang == Japanese {
		return "（" + s + "）"
	}
	return " (" + s + ")"
}

// KindName names a kind of device in a table: a word, without an article.
func KindName(lang Lang, kind string) string {
	if lang == Japanese {
		return cmp.Or(kindWords[Japanese][kind], "不明")
	}
	s := cmp.Or(kindWords[English][kind], "unknown")
	return strings.TrimPrefix(strings.TrimPrefix(s, "an "), "a ")
}

// categoryWords names what findings are about.
var categoryWords = map[string][2]string{
	"mining": {"mining", "採掘"}, "botnet": {"botnet", "ボットネット"}, "exploit": {"exploit", "弱点への攻撃"}, "malware": {"malware", "マルウェア"},
	"ransomware": {"ransomware", "ランサムウェア"}, "scan": {"scan", "探り"}, "bruteforce": {"password guessing", "総当たり"}, "flood": {"flooding", "大量送信"},
	"webthreat": {"malicious site", "危険なサイト"}, "dns": {"suspicious name", "不審な名前解決"}, "tunnel": {"tunnel", "トンネル"},
	"policy": {"house rule", "家のきまり"}, "anomaly": {"unusual traffic", "いつもと違う通信"},
}

// CategoryName names a category in a table.
func CategoryName(lang Lang, category string) string {
	w, ok := categoryWords[category]
	switch {
	case !ok:
		return printable(category)
	case lang == Japanese:
		return w[1]
	}
	return w[0]
}
