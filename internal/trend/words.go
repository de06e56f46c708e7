package trend

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/yamori-net/yamori/internal/event"
	"github.com/yamori-net/yamori/internal/report"
)

// words holds everything a report says in one language. A missing sentence
// does not compile.
type words struct {
	lang, title, demo, period, sentence, none                string
	total, mining, share, blocked, outbound, busiest, growth string
	byMonth, byWeek, byCategory, byFamily, byKind, byMiner   string
	byDevice, byCountry, byNetwork, known                    string
	month, events, part, name, other, unknown, notes, source string
	plotEvents, plotShare, plotEventsDay, plotShareDay       string
	week, rest, date                                         string
	said                                                     map[string]string // notes and sources; those without words stand for themselves
	category                                                 map[event.Category]string
	kind                                                     map[string]string
}

func wordsOf(l report.Lang) *words {
	if l == report.Japanese {
		return &japanese
	}
	return &english
}

var english = words{
	lang: "en", title: "What happened in the home network", demo: "Demonstration with the public figures of 2017, not your home",
	period: "%s to %s", sentence: "%s security events, %s of them cryptocurrency mining (%s).", none: "No security events.",
	total: "All events", mining: "Mining", share: "Share of mining", blocked: "Blocked", outbound: "From inside the home", busiest: "Busiest month", growth: "Change",
	byMonth: "By month", byWeek: "By week", byCategory: "By category", byFamily: "By family", byKind: "By kind of device", byMiner: "What mined",
	byDevice: "By device", byCountry: "By country of the other end", byNetwork: "By network of the other end", known: "of the events where it is known",
	month: "Month", events: "Events", part: "Share", name: "Name", other: "all others", unknown: "not known", notes: "Notes", source: "Sources",
	plotEvents: "Events by month, mining and others", plotShare: "Share of mining by month",
	plotEventsDay: "Events by day, mining and others", plotShareDay: "Share of mining by day", week: "Week", rest: "Other events", date: "2 January 2006",
	category: map[event.Category]string{
		event.Mining: "Cryptocurrency mining", event.Botnet: "Botnets", event.Exploit: "Exploits", event.Malware: "Malware", event.Ransomware: "Ransomware",
		event.Scan: "Scans", event.Bruteforce: "Password guessing", event.Flood: "Flooding (DDoS)", event.WebThreat: "Malicious sites", event.DNS: "Suspicious names",
		event.Tunneled: "Tunnels", event.Policy: "House rules", event.Odd: "Unusual traffic",
	},
	kind: map[string]string{
		"computer": "Computers", "phone": "Phones", "tablet": "Tablets", "router": "Routers", "camera": "Cameras", "recorder": "Recorders", "nas": "Network storage", "tv": "TVs",
		"console": "Game consoles", "printer": "Printers", "speaker": "Speakers", "hub": "Smart home hubs", "plug": "Smart plugs", "light": "Lights", "appliance": "Appliances",
		"wearable": "Wearables", "voip": "IP phones", "server": "Servers", "unknown": "Kind not known",
	},
}

var japanese = words{
	lang: "ja", title: "家庭ネットワークで起きたこと", demo: "2017 年の公表値による見本です（ご家庭の記録ではありません）",
	period: "%s〜%s", sentence: "セキュリティーに関する出来事は %s 件、そのうち仮想通貨の採掘（マイニング）は %s 件（%s）です。", none: "セキュリティーに関する出来事はありませんでした。",
	total: "すべて", mining: "採掘", share: "採掘の割合", blocked: "止めた数", outbound: "家の中から", busiest: "最も多い月", growth: "増減",
	byMonth: "月ごと", byWeek: "週ごと", byCategory: "種類ごと", byFamily: "系統ごと", byKind: "機器の種類ごと", byMiner: "採掘していた機器の種類",
	byDevice: "機器ごと", byCountry: "相手の国ごと", byNetwork: "相手のネットワークごと", known: "相手が分かる出来事のうち",
	month: "月", events: "件数", part: "割合", name: "名前", other: "その他すべて", unknown: "不明", notes: "注記", source: "出典",
	plotEvents: "月ごとの件数（採掘とその他）", plotShare: "月ごとの採掘の割合",
	plotEventsDay: "日ごとの件数（採掘とその他）", plotShareDay: "日ごとの採掘の割合", week: "週", rest: "採掘以外", date: "2006年1月2日",
	said: map[string]string{
		demoPublished: "公表値：2017 年の採掘の件数は 4,560 万件で全体の 49 %。最も多い月は 10 月。9 月は全体の 59 %。7 月から 9 月にかけて 90 % 以上の増加。採掘していた機器の 6 % はカメラとゲーム機（1〜9 月）。" +
			"1〜6 月の攻撃は 180 万件、うち 8 % は家の中から。その相手の上位 10 か国。",
		demoIllustrative: "例示のために作った値：月ごとの配分、系統、その他の機器の種類、採掘以外の種類、止めた数。",
		demoSource:       "Trend Micro、Smart Home Network の検出記録、2017 年（公表された合計）",
	},
	category: map[event.Category]string{
		event.Mining: "仮想通貨の採掘", event.Botnet: "ボットネット", event.Exploit: "弱点への攻撃", event.Malware: "マルウェア", event.Ransomware: "ランサムウェア",
		event.Scan: "探り（スキャン）", event.Bruteforce: "パスワードの総当たり", event.Flood: "大量送信（DDoS）", event.WebThreat: "危険なサイト", event.DNS: "不審な名前解決",
		event.Tunneled: "トンネル", event.Policy: "家のきまり", event.Odd: "いつもと違う通信",
	},
	kind: map[string]string{
		"computer": "パソコン", "phone": "スマートフォン", "tablet": "タブレット", "router": "ルーター", "camera": "カメラ", "recorder": "録画機", "nas": "NAS", "tv": "テレビ",
		"console": "ゲーム機", "printer": "プリンター", "speaker": "スピーカー", "hub": "スマートホームのハブ", "plug": "スマートプラグ", "light": "照明", "appliance": "家電",
		"wearable": "ウェアラブル", "voip": "IP 電話", "server": "サーバー", "unknown": "種類不明",
	},
}

// lines are notes or sources in the language of w.
func (w *words) lines(list []string) []string {
	out := make([]string, len(list))
	for i, s := range list {
		out[i] = cmp.Or(w.said[s], s)
	}
	return out
}

// label is what a table calls the line s: in byCategory and byKind names are
// words of the language, elsewhere they stand for themselves.
func (w *words) label(s *Share, table string) string {
	switch {
	case s.Name == Other:
		return w.other
	case table == w.byCategory:
		if t := w.category[event.Category(s.Name)]; t != "" {
			return t
		}
	case table == w.byKind || table == w.byMiner:
		if t := w.kind[s.Name]; t != "" {
			return t
		}
	}
	if s.Label != "" {
		return s.Label
	}
	if s.Name == "" {
		return w.unknown
	}
	return s.Name
}

// number groups digits by three.
func number(n uint64) string {
	s := strconv.FormatUint(n, 10)
	for i := len(s) - 3; i > 0; i -= 3 {
		s = s[:i] + "," + s[i:]
	}
	return s
}

func percent(f float64) string { return strconv.FormatFloat(f*100, 'f', 1, 64) + "\u00a0%" }

// change writes growth with its sign; nil is a dash.
func change(g *float64) string {
	if g == nil {
		return "–"
	}
	s := percent(*g)
	if *g > 0 {
		return "+" + s
	}
	return strings.Replace(s, "-", "−", 1)
}

// span says which days a report is about: to is exclusive.
func (w *words) span(from, to time.Time) string {
	return fmt.Sprintf(w.period, from.Format(w.date), to.Add(-1).Format(w.date))
}

// table is one table of a report as the writers see it.
type table struct {
	title, note string
	rows        []Share
}

func (r *Report) tables(w *words) []table {
	return slices.DeleteFunc([]table{
		{title: w.byCategory, rows: r.Categories}, {title: w.byKind, rows: r.Kinds}, {title: w.byMiner, rows: r.Miners}, {title: w.byDevice, rows: r.Devices},
		{title: w.byFamily, rows: r.Families}, {title: w.byCountry, note: w.known, rows: r.Countries}, {title: w.byNetwork, note: w.known, rows: r.Networks},
	}, func(t table) bool { // says nothing
		return len(t.rows) == 0 || len(t.rows) == 1 && (t.rows[0].Name == "" || t.rows[0].Name == "unknown")
	})
}
