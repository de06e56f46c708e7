package report

// Lang is a language of the accounts.
type Lang string

// Languages.
const (
	English  Lang = "en"
	Japanese Lang = "ja"
)

// LangFromLocale chooses from a POSIX locale name such as ja_JP.UTF-8.
func LangFromLocale(s string) Lang {
	if len(s) >= 2 && s[:2] == "ja" {
		return Japanese
	}
	return English
}

// text holds every sentence of an account in one language. A missing one does
// not compile.
type text struct {
	lang       Lang
	headline   string // source
	watched    string // interface
	traffic    string // packets, bytes, duration, from, to
	empty      string
	quiet      string            // no findings
	needsYou   [2]string         // one, several (number)
	happened   map[string]string // by explanation code
	howSure    map[string]string // by level
	know       string
	weDid      map[string]string // by action
	youDo      map[string]string // by explanation code or category
	details    string
	more       string
	devices    string
	flows      string
	unknown    string
	none       string
	unnamed    string
	problem    string
	malformed  string
	panics     string
	memory     string
	gaps       string
	mining     map[string]string // labels of mining details
	times      string
	since      string
	flowsCount string
}

var texts = map[Lang]*text{English: &english, Japanese: &japanese}

var english = text{
	lang:     English,
	headline: "Yamori read %s",
	watched:  "Yamori watched %s",
	traffic:  "%s packets, %s, over %s (from %s to %s)",
	empty:    "There was no network traffic in it.",
	quiet:    "Nothing needs you: no mining was found.",
	needsYou: [2]string{"1 thing needs you", "%d things need you"},
	happened: map[string]string{
		"mining.stratum":          "%s is mining cryptocurrency%s, for the pool %s.",
		"mining.getwork":          "%s is mining cryptocurrency%s, with work that it fetches piece by piece from %s.",
		"mining.getblocktemplate": "%s is mining cryptocurrency%s by itself, not for a pool: it fetches the blocks to mine from %s.",
		"mining.collector":        "%s gathers the mining of other devices in the home%s and passes it on to %s.",
		"mining.collector_alone":  "%s gathers the mining of other devices in the home%s, at %s.",
		"mining.encrypted":        "%s behaves as if it mined cryptocurrency%s in an encrypted connection, with %s.",
		"mining.farming":          "%s is farming cryptocurrency%s: it fills disks with data that may win coins, for %s.",
		"mining.browser":          "%s is mining cryptocurrency%s inside a web page that is open in its browser, for %s.",
		"other":                   "%s: %s",
	},
	howSure: map[string]string{"confirmed": "confirmed", "likely": "likely", "suspect": "unusual"},
	know:    "How we know",
	weDid: map[string]string{
		"allowed":     "Yamori only watched; nothing was blocked.",
		"blocked":     "Yamori stopped it.",
		"would_block": "Yamori would have stopped it, but is only watching.",
	},
	youDo: map[string]string{
		"mining":                 "If this is you, nothing. If not: unplug the device, update it, change its password, then connect it again.",
		"mining.browser":         "Close the web page, or the whole browser. If it comes back: remove the browser's add-ons that you do not know.",
		"mining.collector":       "If this is you, nothing. If not: unplug this device first, then look at each of the devices it serves.",
		"mining.collector_alone": "If this is you, nothing. If not: unplug this device first, then look at each of the devices it serves.",
		"mining.farming":         "If this is you, nothing. It takes disk space and wears disks out, but little electricity.",
		"other":                  "Look at this device before you trust it again.",
	},
	details:   "Details",
	more:      "%d further findings are counted but not listed.",
	devices:   "Devices seen in the home: %d",
	flows:     "What was spoken (connections, data)",
	unknown:   "not recognised",
	none:      "no content",
	unnamed:   "The device",
	problem:   "The capture could not be read to its end: %v",
	malformed: "%s packets were malformed.",
	panics:    "%s packets made Yamori stumble; their connections were let pass unseen. Please report this.",
	memory:    "%s connections were not read to the end because memory ran short.",
	gaps:      "%s holes in connections: the capture misses packets there.",
	mining: map[string]string{
		"dialect": "protocol", "coin": "coin", "algorithm": "algorithm", "agent": "program",
		"worker": "worker", "wallet": "wallet", "pool": "pool",
	},
	times:      "%d times, ",
	since:      "since %s",
	flowsCount: "%s connections",
}

var japanese = text{
	lang:     Japanese,
	headline: "%s を読みました",
	watched:  "%s を見守りました",
	traffic:  "%s パケット、%s、期間 %s（%s から %s まで）",
	empty:    "通信は記録されていませんでした。",
	quiet:    "対応は不要です。採掘（マイニング）は見つかりませんでした。",
	needsYou: [2]string{"ご確認ください：1 件", "ご確認ください：%d 件"},
	happened: map[string]string{
		"mining.stratum":          "%s が仮想通貨%sの採掘（マイニング）をしています。接続先：%s",
		"mining.getwork":          "%s が仮想通貨%sの採掘（マイニング）をしています。仕事を少しずつ受け取っている相手：%s",
		"mining.getblocktemplate": "%s がプールを通さず自力で仮想通貨%sの採掘（マイニング）をしています。採掘するブロックの受け取り先：%s",
		"mining.collector":        "%s が家の中のほかの機器による仮想通貨%sの採掘（マイニング）をまとめ、外へ中継しています。中継先：%s",
		"mining.collector_alone":  "%s が家の中のほかの機器による仮想通貨%sの採掘（マイニング）をまとめています。受け口：%s",
		"mining.encrypted":        "%s の暗号化された通信が、仮想通貨%sの採掘（マイニング）とよく似た動きをしています。接続先：%s",
		"mining.farming":          "%s が仮想通貨%sのファーミング（ディスクを大量のデータで埋めてコインを得る仕組み）をしています。接続先：%s",
		"mining.browser":          "%s が、ブラウザーで開いたウェブページの中で仮想通貨%sの採掘（マイニング）をしています。接続先：%s",
		"other":                   "%s：%s",
	},
	howSure: map[string]string{"confirmed": "確実", "likely": "可能性が高い", "suspect": "いつもと違う"},
	know:    "判断の根拠",
	weDid: map[string]string{
		"allowed":     "見守りのみで、通信は止めていません。",
		"blocked":     "通信を止めました。",
		"would_block": "見守り中のため、通信は止めていません（保護モードなら止めます）。",
	},
	youDo: map[string]string{
		"mining":                 "ご自身で行っている場合、対応は不要です。心当たりがなければ、機器のケーブルを抜き、更新し、パスワードを変えてから、つなぎ直してください。",
		"mining.browser":         "そのウェブページか、ブラウザー全体を閉じてください。繰り返す場合は、心当たりのないブラウザーの拡張機能を削除してください。",
		"mining.collector":       "ご自身で行っている場合、対応は不要です。心当たりがなければ、まずこの機器のケーブルを抜き、次にまとめられている機器を 1 台ずつ確認してください。",
		"mining.collector_alone": "ご自身で行っている場合、対応は不要です。心当たりがなければ、まずこの機器のケーブルを抜き、次にまとめられている機器を 1 台ずつ確認してください。",
		"mining.farming":         "ご自身で行っている場合、対応は不要です。電気はあまり使いませんが、ディスクの容量と寿命を使います。",
		"other":                  "この機器を再び信頼する前に、状態を確認してください。",
	},
	details:   "詳細",
	more:      "ほかに %d 件あります（件数のみ）。",
	devices:   "家の中の機器：%d 台",
	flows:     "通信の種類（接続数、データ量）",
	unknown:   "種類不明",
	none:      "中身なし",
	unnamed:   "機器",
	problem:   "記録を最後まで読めませんでした：%v",
	malformed: "%s パケットが壊れていました。",
	panics:    "%s パケットの処理に失敗し、その接続は検査せずに通しました。ご報告をお願いします。",
	memory:    "メモリー不足のため、%s 接続を最後まで読めませんでした。",
	gaps:      "接続に %s か所の抜けがあります（記録にないパケット）。",
	mining: map[string]string{
		"dialect": "方式", "coin": "通貨", "algorithm": "アルゴリズム", "agent": "プログラム",
		"worker": "ワーカー", "wallet": "ウォレット", "pool": "プール",
	},
	times:      "%d 回、",
	since:      "%s から",
	flowsCount: "%s 接続",
}
