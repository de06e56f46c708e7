package report

import (
	"cmp"
	"fmt"
	"strings"
)

// dnsWords are the sentences of the home's resolver, in English and Japanese.
var dnsWords = map[string][2]string{
	"dns.failed":        {"the home's names are not resolved: the resolver does not start. See the log", "家の DNS が起動できず、名前の問い合わせに答えていません。ログを確認してください"},
	"dns.not_listening": {"the home's resolver has not got all of its addresses; another program may hold port 53", "家の DNS が一部のアドレスで待ち受けできません。ほかのプログラムが 53 番ポートを使っている可能性があります"},
	"dns.no_upstream":   {"no upstream resolver answers: names are answered from what is remembered, or not at all", "上流の DNS サーバーがどれも応答しません。覚えている名前にだけ答えています"},
	"dns.upstream_down": {"an upstream resolver does not answer; the others are asked", "応答しない上流の DNS サーバーがあります。ほかのサーバーに問い合わせています"},
	"dns.list_refused":  {"a list of names could not be loaded; the one before holds, or none. See the log", "読み込めない名前のリストがあります。以前のリストがあればそれを使います。ログを確認してください"},
	"dns.loop":          {"an upstream resolver asks this one in turn; give it another upstream", "上流の DNS サーバーがこの DNS に問い合わせ返しています。別の上流を設定してください"},
	"dns.no_clock":      {"the clock is wrong: plain resolvers are asked until it is set", "時計が合っていません。合うまでは暗号化しない DNS に問い合わせます"},
	"dns.overloaded":    {"there were more questions for names than could be answered; some were dropped", "名前の問い合わせが多すぎて、一部に答えられませんでした"},
	"dns.panicked":      {"questions for names made the resolver stumble; please report", "処理に失敗した名前の問い合わせがありました。ご報告をお願いします"},
}

// askedFor are the sentences of a refused name, with a list and without.
var askedFor = [2][2]string{
	{"%s asked for %s, a name on the list %s.", "%s が、リスト %[3]s にある名前 %[2]s を問い合わせました。"},
	{"%s asked for %s, a name that is refused.", "%s が、止めている名前 %s を問い合わせました。"},
}

// dnsBlocked says who asked for which name.
func dnsBlocked(t *text, who string, arg func(name string) string) string {
	ja := 0
	if t.lang == Japanese {
		ja = 1
	}
	name := cmp.Or(arg("name"), "?")
	if list := arg("list"); list != "" {
		return fmt.Sprintf(askedFor[0][ja], who, name, list)
	}
	return fmt.Sprintf(askedFor[1][ja], who, name)
}

// dnsAbout are the arguments that say what a code of the resolver is about.
var dnsAbout = [...]string{"upstream", "address", "list", "count"}

// explainDNS says what a code of the resolver stands for; empty: none of them.
func explainDNS(t *text, code string, arg func(names ...string) string) string {
	if code == "dns.blocked" {
		return dnsBlocked(t, t.unnamed, func(n string) string { return arg(n) })
	}
	w, ok := dnsWords[code]
	if !ok || !strings.HasPrefix(code, "dns.") {
		return ""
	}
	s, open, shut := w[0], " (", ")"
	if t.lang == Japanese {
		s, open, shut = w[1], "（", "）"
	}
	about := arg(dnsAbout[:]...)
	if zone := arg("zone"); zone != "" {
		if about != "" {
			about += ", "
		}
		about += zone
	}
	if about != "" {
		s += open + about + shut
	}
	return s
}
