package main

import (
	"fmt"

	"github.com/yamori-net/yamori/internal/report"
)

// labText is what the lab says in one language.
type labText struct {
	home, broken    string
	begin           [2]string         // watching, protecting
	marked          string            // of an infected story
	devices         map[string]string // by name
	does            map[string]string // by code of the story
	through         [2]string         // what nobody stopped, watching and protecting
	stopped         func(sent, answers int) string
	account         string
	watched         string // how many were bad
	protected, rest string // how many were stopped, of how many; what went through follows
}

var labWords = map[report.Lang]*labText{
	report.English: {
		home:    "A home of network namespaces: an internet, a router, a camera, a NAS, a PC, a TV and a phone. Nothing leaves it.",
		begin:   [2]string{"Yamori watches it. The day begins.", "Yamori protects it. The day begins."},
		marked:  " ** is what no owner wants.",
		broken:  "The day is broken off.",
		devices: map[string]string{"camera": "camera", "nas": "NAS", "pc": "PC", "tv": "TV", "phone": "phone", "internet": "internet"},
		does: map[string]string{
			"browse": "reads the news", "ntp": "sets its clock", "mqtt": "tells the cloud the temperature", "chat": "chats about mining",
			"update": "looks for an update", "print-farm": "sends a print job, in words that sound like mining", "light-bulb": "switches a light on",
			"video": "plays a video", "build-server": "builds a program elsewhere", "wallet": "opens a Bitcoin wallet", "node-status": "asks a Bitcoin node how it is",
			"guess-outside": "guesses passwords of the NAS, through the port that the router forwards", "command": "reports to a botnet's command server",
			"scan": "looks for more devices to take over, by telnet", "mine-quiet": "mines, and calls itself an updater", "pool-names": "looks up the names of mining pools",
			"mine": "mines Monero", "mine-tls": "mines Monero inside TLS, on port 443", "guess-home": "guesses the password of the NAS", "mine-page": "mines inside a web page",
			"mine-daemon": "mines with work from a Monero node",
		},
		through: [2]string{"went through", "nothing stopped it"},
		stopped: func(sent, answers int) string {
			n := func(n int, what string) string {
				switch n {
				case 0:
					return "no " + what
				case 1:
					return "1 " + what
				}
				return fmt.Sprintf("%d %ss", n, what)
			}
			return "stopped, with " + n(sent, "message") + " sent and " + n(answers, "answer")
		},
		account:   "The day is over. This is Yamori's account of it, by the real clock:",
		watched:   "Yamori only watched, so all %d things that no owner wants went through. To see them stopped: yamori lab --protect",
		protected: "Yamori stopped %d of the %d things that no owner wants.",
		rest:      "These went through (what only hours of regular messages show, a day of a minute cannot):",
	},
	report.Japanese: {
		home:    "ネットワーク名前空間の中に、インターネット、ルーター、カメラ、NAS、パソコン、テレビ、電話のある家を作りました。外へは何も出ません。",
		begin:   [2]string{"Yamori が見守っています。一日が始まります。", "Yamori が守っています。一日が始まります。"},
		marked:  "** は持ち主の望まない動きです。",
		broken:  "一日を途中で終えます。",
		devices: map[string]string{"camera": "カメラ", "nas": "NAS", "pc": "PC", "tv": "テレビ", "phone": "電話", "internet": "外部"},
		does: map[string]string{
			"browse": "ニュースを読む", "ntp": "時計を合わせる", "mqtt": "気温をクラウドに送る", "chat": "採掘（マイニング）の話をチャットでする",
			"update": "更新を確認する", "print-farm": "採掘に似た言葉で印刷を頼む", "light-bulb": "照明をつける",
			"video": "動画を再生する", "build-server": "外部でプログラムを組み立てる", "wallet": "ビットコインの財布を開く", "node-status": "ビットコインのノードの状態を尋ねる",
			"guess-outside": "ルーターが通すポートから NAS のパスワードを次々に試す", "command": "ボットネットの指令サーバーに連絡する",
			"scan": "乗っ取れる機器を telnet で探し回る", "mine-quiet": "更新ソフトを名乗って採掘する", "pool-names": "採掘プールの名前を調べる",
			"mine": "Monero を採掘する", "mine-tls": "TLS の中（443 番ポート）で Monero を採掘する", "guess-home": "NAS のパスワードを次々に試す", "mine-page": "ウェブページの中で採掘する",
			"mine-daemon": "Monero のノードから仕事を受けて採掘する",
		},
		through: [2]string{"そのまま通った", "止められなかった"},
		stopped: func(sent, answers int) string {
			return fmt.Sprintf("止められた（送ったメッセージ %d 件、受け取った応答 %d 件）", sent, answers)
		},
		account:   "一日が終わりました。Yamori の報告です（時刻は実際の時計のもの）：",
		watched:   "見守るだけなので、持ち主の望まない動き %d 件はすべてそのまま通りました。止めるところを見るには：yamori lab --protect",
		protected: "持ち主の望まない動き %[2]d 件のうち、%[1]d 件を止めました。",
		rest:      "止められなかったもの（何時間もの規則正しい通信から分かることは、一分間の一日では分かりません）：",
	},
}
