package main

import (
	"github.com/spf13/cobra"

	"github.com/yamori-net/yamori/internal/config"
	"github.com/yamori-net/yamori/internal/match"
	"github.com/yamori-net/yamori/internal/report"
)

// rulesText is what the commands about rules say, in one language. Rules, the
// names of states and options, and what the compiler says of a rule are those
// of the rule language, and in English.
type rulesText struct {
	warning string
	sum     string // rules, those that load, those that do not
	states  string // packet, stream, transaction, address, protocol, event, inert

	sid       string // sid, gid, rev
	class     string // class, category, severity
	state     string
	file      string
	header    string
	options   string
	className string
	prefilter string
	fast      string // pattern, buffer
	noFast    string
	reference string
	problem   string

	alerts   string
	silent   string // why
	why      map[match.Stage]string
	parts    map[string]string // of a header; one without words stands for itself
	more     string
	alert    string // place
	match    string // place
	furthest string // place
	packet   string // number, time, protocol, source, destination
	data     string // buffer, size, bytes

	example, noEffect string

	noRule   string // sid
	noOption string // name
	meant    string // another name
	keywords string
}

var rulesTexts = map[report.Lang]*rulesText{
	report.English: {
		warning: "warning: ",
		sum:     "Rules: %d; %d load, %d do not.\n",
		states: "Of those that load, %d look at packets, %d at streams, %d at transactions, %d at addresses alone,\n" +
			"%d at the protocol recognised, %d at events; %d cannot match here.\n",
		sid: "%d (gid %d, rev %d)", class: "%s (%s), severity %d",
		state: "state", file: "file", header: "header", options: "options", className: "class", prefilter: "prefilter",
		fast: "%s in %s", noFast: "none: it is tried wherever its header fits", reference: "reference", problem: "problem",
		alerts: "It alerts.\n", silent: "It does not alert: %s.\n",
		why: map[match.Stage]string{
			match.NoPacket: "no packet is of the rule's protocol (%s)", match.AtAddress: "the %s never fits", match.AtFlow: "the flow does not fit: %s",
			match.AtApp: "no flow was recognised as %s", match.AtOption: "this option never holds: %s", match.AtBuffer: "there was never a %s to look into",
			match.AtContent: "this option fails on %s: %s", match.AtAlert: "the rule matches, and a threshold, noalert or a pass rule keeps the alert back",
		},
		more: "  … and more\n", alert: "  alert: %s\n", match: "  match: %s\n", furthest: "  came furthest: %s\n", packet: "packet %d, %s, %s %s -> %s",
		data: "  %s (%d bytes): %s\n", example: "example:", noEffect: "no effect:",
		noRule: "sid %d: %w; see yamori rules list", noOption: "there is no option %q; %s", meant: "did you mean %s?", keywords: "see yamori rules keywords",
	},
	report.Japanese: {
		warning: "注意：",
		sum:     "規則 %d 件：読み込めるもの %d 件、読み込めないもの %d 件。\n",
		states: "読み込める規則の内訳：パケット %d、ストリーム %d、やり取り %d、アドレスのみ %d、\n" +
			"プロトコルのみ %d、イベント %d、ここでは一致しないもの %d。\n",
		sid: "%d（gid %d、rev %d）", class: "%s（%s）、重大度 %d",
		state: "状態", file: "ファイル", header: "ヘッダー", options: "オプション", className: "分類", prefilter: "前段",
		fast: "%s（%s の中）", noFast: "なし（ヘッダーが合う通信すべてに試します）", reference: "参考", problem: "問題",
		alerts: "警告を出します。\n", silent: "警告を出しません：%s。\n",
		why: map[match.Stage]string{
			match.NoPacket: "規則のプロトコル（%s）のパケットがありません", match.AtAddress: "%s が規則と一度も合いません", match.AtFlow: "フローが合いません：%s",
			match.AtApp: "%s と認識された接続がありません", match.AtOption: "このオプションが一度も成り立ちません：%s", match.AtBuffer: "調べる対象の %s が一度も現れませんでした",
			match.AtContent: "%s でこのオプションが一致しません：%s", match.AtAlert: "規則は一致しますが、しきい値、noalert、pass 規則のいずれかが警告を抑えています",
		},
		parts: map[string]string{"source address": "送信元のアドレス", "destination address": "宛先のアドレス", "source port": "送信元のポート", "destination port": "宛先のポート"},
		more:  "  … ほかにもあります\n", alert: "  警告：%s\n", match: "  一致：%s\n", furthest: "  最も進んだところ：%s\n", packet: "パケット %d、%s、%s %s -> %s",
		data: "  %s（%d バイト）：%s\n", example: "例：", noEffect: "効果なし：",
		noRule: "sid %d：この sid の規則はありません。yamori rules list で一覧できます", noOption: "%q というオプションはありません。%s", meant: "もしかして %s ですか？",
		keywords: "yamori rules keywords で一覧できます",
	},
}

// wordsFlag adds --lang to a command about rules, and gives what it says in
// the language of the flag, else of the configuration or the environment.
func wordsFlag(cmd *cobra.Command) func() (*rulesText, error) {
	var lang string
	langFlag(cmd, &lang)
	return func() (*rulesText, error) {
		cfg, err := config.Load("")
		if err != nil { // rules are checked without it, too
			cfg = &config.Config{}
		}
		l, err := chosen(lang, cfg)
		if err != nil {
			return nil, err
		}
		return rulesTexts[l], nil
	}
}
