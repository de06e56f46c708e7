package report

import (
	"cmp"
	"fmt"
	"strings"
)

// Explain says in one sentence what a code with its arguments stands for, for
// pages that show what is kept about one device. Empty: the code has none.
func Explain(lang Lang, code string, args map[string]string) string {
	t := texts[lang]
	if t == nil {
		t = texts[English]
	}
	arg := func(names ...string) string {
		for _, n := range names {
			if v := args[n]; v != "" {
				return printable(v)
			}
		}
		return ""
	}
	switch {
	case code == "rule":
		return fmt.Sprintf(t.happened["other"], t.unnamed, ruleName(t.lang, arg("rule")))
	case strings.HasPrefix(code, "mining."):
		coin := arg("coin", "algorithm")
		if coin != "" {
			coin = bracket(t.lang, coin)
		}
		return fmt.Sprintf(cmp.Or(t.happened[code], t.happened["mining.stratum"]), t.unnamed, coin, cmp.Or(arg("pool"), "?"))
	}
	if c, ok := strings.CutPrefix(code, "category."); ok {
		return CategoryName(lang, c)
	}
	if c, ok := strings.CutPrefix(code, "verdict."); ok {
		return t.howSure[c]
	}
	if s := explainDNS(t, code, arg); s != "" {
		return s
	}
	if s := explainPriv(t, code, arg); s != "" {
		return s
	}
	w, ok := pageWords[code]
	if !ok {
		w, ok = clueWords[code]
	}
	if ok {
		if t.lang == Japanese {
			return w[1]
		}
		return w[0]
	}
	return words(code, t.lang)
}

// pageWords are the kinds of devices and of what is kept, in English and
// Japanese.
var pageWords = map[string][2]string{
	"computer": {"computer", "パソコン"}, "phone": {"phone", "スマートフォン"}, "tablet": {"tablet", "タブレット"}, "router": {"router", "ルーター"},
	"camera": {"camera", "カメラ"}, "recorder": {"recorder", "録画機"}, "nas": {"network storage", "NAS"}, "tv": {"TV", "テレビ"},
	"console": {"game console", "ゲーム機"}, "printer": {"printer", "プリンター"}, "speaker": {"speaker", "スピーカー"}, "hub": {"smart home hub", "スマートホームのハブ"},
	"plug": {"smart plug", "スマートプラグ"}, "light": {"light", "照明"}, "appliance": {"appliance", "家電"}, "wearable": {"wearable", "ウェアラブル"},
	"voip": {"IP phone", "IP 電話"}, "server": {"server", "サーバー"}, "unknown": {"unknown", "不明"},

	"action.blocked": {"stopped", "遮断"}, "action.allowed": {"watched", "見守り"}, "action.would_block": {"would be stopped when protecting", "保護モードなら遮断"},

	"device": {"Entry in the list of devices", "機器一覧の記録"}, "findings": {"Findings", "見つかったこと"}, "events": {"What became of it", "機器の出来事"},
	"flows": {"Connections", "接続"}, "captures": {"Captures that prove findings", "証拠の通信記録"}, "figures": {"Share in the home's figures", "集計に含まれる件数"},
	"traffic": {"Amounts of traffic", "通信量"}, "entries": {"What you decided about it", "この機器についての設定"}, "audit": {"Lines of the audit log", "操作の記録"},
}
