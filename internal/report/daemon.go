package report

import (
	"fmt"
	"time"
)

// DaemonText holds what the running daemon and its status say, in one language.
// Verbs that stand in them are those of fmt.
type DaemonText struct {
	Head     map[string]string // by what it does (watching, protecting, waiting): version, interface, since, how long
	Packets  string            // number, size, dropped
	Flows    string            // open
	Devices  string            // number, online
	Findings string            // number, open
	Kept     string            // size, limit
	Rules    string            // loaded, how long ago
	Failed   string            // rules that do not load
	Alerts   string            // of rules
	Whole    string            // one process: user
	Parted   string            // two processes: user
	Landlock string
	Seccomp  string
	Led      string // devices that come by, devices named
	Refused  string // how long ago, why
	Lost     string // number, and so to Panics
	Evicted  string
	Events   string
	Writes   string
	Panics   string

	Reloaded string // rules that are loaded
	Left     string // rules that are not loaded

	Invite string // link, fingerprint
	Live   string // interface, packets, packets a second, flows, devices, findings, dropped
}

var daemonTexts = map[Lang]*DaemonText{
	English: {
		Head: map[string]string{"watching": "Yamori %s is watching %s since %s (%s).", "protecting": "Yamori %s is protecting %s since %s (%s).",
			"waiting": "Yamori %s is waiting for %s since %s (%s)."},
		Packets:  "  packets   %s (%s), %s dropped",
		Flows:    "  flows     %s open",
		Devices:  "  devices   %s, online: %s",
		Findings: "  findings  %s, waiting for you: %s",
		Kept:     "  kept      %s of %s",
		Rules:    "  rules     %s loaded (%s ago)",
		Failed:   ", %s not usable (yamori run --check names them)",
		Alerts:   ", alerts: %s",
		Whole:    "  rights    one process with all it was started with, user %s",
		Parted:   "  rights    none; user %s",
		Landlock: ", files by Landlock", Seccomp: ", system calls filtered",
		Led:     "  plug-in   %d of %d named devices come by",
		Refused: "  ! rules were refused %s ago; those from before stay, after a start only the project's own: %s",
		Lost:    "  ! times the interface went away: %s",
		Evicted: "  ! flows pushed out because the table was full: %s",
		Events:  "  ! events dropped because the disk was slow: %s",
		Writes:  "  ! failed writes to the event file: %s",
		Panics:  "  ! packets that made the engine stumble (please report): %s",

		Reloaded: "The rules were read again; loaded: %d",
		Left:     ", not usable: %d (yamori run --check names them)",

		Invite: "Nobody can log in yet. Make the first user with this link, within an hour, from a device at home:\n  %s\nThe browser will warn of the certificate, which this machine made itself; its SHA-256 fingerprint is\n  %s\n",
		Live:   "%s: %s packets (%s/s), flows: %d, devices: %d, findings: %d, dropped: %d",
	},
	Japanese: {
		Head: map[string]string{"watching": "ヤモリ %s が %s を見守っています（%s から、%s）。", "protecting": "ヤモリ %s が %s を保護しています（%s から、%s）。",
			"waiting": "ヤモリ %s は %s が使えるようになるのを待っています（起動 %s、%s前）。"},
		Packets:  "  パケット      %s（%s）、取りこぼし %s",
		Flows:    "  接続          %s 件",
		Devices:  "  機器          %s 台、うち在宅 %s 台",
		Findings: "  検出          %s 件、うち確認待ち %s 件",
		Kept:     "  保存          %s（上限 %s）",
		Rules:    "  規則          %s 件（%s前に読み込み）",
		Failed:   "、使えない規則 %s 件（yamori run --check で確認できます）",
		Alerts:   "、警告 %s 件",
		Whole:    "  権限          起動時のまま（プロセスは 1 つ）、ユーザー %s",
		Parted:   "  権限          なし、ユーザー %s",
		Landlock: "、ファイルは Landlock で制限", Seccomp: "、システムコールも制限",
		Led:     "  プラグイン    指定した %[2]d 台のうち %[1]d 台の通信が届いています",
		Refused: "  ! %s前に規則を読み込めず、以前の規則のまま（起動した時は付属の規則だけ）です：%s",
		Lost:    "  ! インターフェースが %s 回使えなくなりました",
		Evicted: "  ! 接続表が満杯で、%s 件の接続を追い出しました",
		Events:  "  ! ディスクが遅く、%s 件のイベントを書けませんでした",
		Writes:  "  ! イベントのファイルへの書き込みに %s 回失敗しました",
		Panics:  "  ! %s パケットの処理に失敗しました。ご報告をお願いします",

		Reloaded: "規則を読み込み直しました（%d 件）",
		Left:     "。使えない規則 %d 件（yamori run --check で確認できます）",

		Invite: "ログインできる人はまだいません。1 時間以内に、家の中の機器で次のリンクを開いて最初のユーザーを作ってください：\n  %s\n証明書はこの機器が自分で作ったため、ブラウザーが警告を出します。証明書の SHA-256 フィンガープリント：\n  %s\n",
		Live:   "%s：%s パケット（毎秒 %s）、接続 %d、機器 %d、検出 %d、取りこぼし %d",
	},
}

// Daemon returns the words of the daemon in lang, English where there are none.
func Daemon(lang Lang) *DaemonText {
	if t := daemonTexts[lang]; t != nil {
		return t
	}
	return daemonTexts[English]
}

// For says how long d is, in seconds below an hour and minutes above.
func For(lang Lang, d time.Duration) string {
	d = max(0, d.Round(time.Second))
	h, m, s := int(d.Hours()), int(d.Minutes())%60, int(d.Seconds())%60
	words := [...]string{"%d h %d min", "%d min %d s", "%d s", "%d h", "%d min"}
	if lang == Japanese {
		words = [...]string{"%d 時間 %d 分", "%d 分 %d 秒", "%d 秒", "%d 時間", "%d 分"}
	}
	switch {
	case h > 0 && m > 0:
		return fmt.Sprintf(words[0], h, m)
	case h > 0:
		return fmt.Sprintf(words[3], h)
	case m > 0 && s > 0:
		return fmt.Sprintf(words[1], m, s)
	case m > 0:
		return fmt.Sprintf(words[4], m)
	}
	return fmt.Sprintf(words[2], s)
}
