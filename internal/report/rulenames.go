package report

import "strings"

// homeRule begins the names of the project's own rules.
const homeRule = "YAMORI "

// ruleName is what people are told of a rule: the names of the project's own
// in their language, those of others as they are.
func ruleName(lang Lang, msg string) string {
	name, own := strings.CutPrefix(msg, homeRule)
	if !own || lang != Japanese {
		return name
	}
	what, which := name, ""
	if k := strings.LastIndex(name, " ("); k > 0 && strings.HasSuffix(name, ")") {
		what, which = name[:k], bracket(lang, name[k+2:len(name)-1])
	}
	if ja := ruleNames[what]; ja != "" {
		return ja + which
	}
	return name
}

// ruleNames are the project's own rules in Japanese, without what stands in
// brackets behind them.
var ruleNames = map[string]string{
	"Shell asked for a made-up busybox applet, as Mirai does":           "Mirai と同じく、実在しない busybox の命令をシェルで確かめる通信",
	"Device answered the shell of a Mirai loader":                       "Mirai の侵入プログラムに応じた機器",
	"Commands of an IoT worm that looks for a writable folder":          "書き込めるフォルダーを探す IoT ワームの命令",
	"Telnet login with a password from a worm's list":                   "ワームの一覧にあるパスワードによる telnet ログイン",
	"DHT message of the Mozi botnet":                                    "ボットネット Mozi の DHT 通信",
	"SMB Trans2 SESSION_SETUP, the channel of the DoublePulsar implant": "裏口 DoublePulsar が使う SMB の通信（Trans2 SESSION_SETUP）",
	"Machine carries the DoublePulsar implant":                          "裏口 DoublePulsar が仕掛けられた機器",
	"SMB version 1 from the internet":                                   "インターネットからの SMB バージョン 1",
	"Android debug bridge reached from the internet":                    "インターネットから届いた Android デバッグ接続（ADB）",
	"Shell opened over the Android debug bridge from the internet":      "インターネットから Android デバッグ接続（ADB）で開かれたシェル",
	"Device looks for Android debug bridges on the internet":            "インターネット上の Android デバッグ接続（ADB）を探す機器",
	"Command smuggled into a Huawei HG532 router":                       "Huawei HG532 ルーターへの命令の注入",
	"Command smuggled into a router with Realtek's SDK":                 "Realtek の SDK を使うルーターへの命令の注入",
	"Command smuggled into a Zyxel modem by TR-064":                     "TR-064 による Zyxel モデムへの命令の注入",
	"Command smuggled into a GPON router":                               "GPON ルーターへの命令の注入",
	"Command smuggled into a D-Link router by HNAP":                     "HNAP による D-Link ルーターへの命令の注入",
	"Command smuggled into a Netgear router by setup.cgi":               "setup.cgi による Netgear ルーターへの命令の注入",
	"Command smuggled into a Zyxel NAS at login":                        "ログイン画面からの Zyxel NAS への命令の注入",
	"Command smuggled into a Zyxel firewall":                            "Zyxel ファイアウォールへの命令の注入",
	"Command smuggled into a TP-Link router":                            "TP-Link ルーターへの命令の注入",
	"Commands for the open shell of an MVPower recorder":                "MVPower 録画機の開いたシェルへの命令",
	"Command smuggled into a Hikvision camera":                          "Hikvision カメラへの命令の注入",
	"Log4Shell request to a device of the home":                         "家の機器への Log4Shell 攻撃",
	"Shellshock request":                                                "Shellshock 攻撃",
	"Request whose address makes a device fetch a program":              "機器にプログラムを取得させるアドレスへの要求",
	"Request whose address makes a device fetch a program by TFTP":      "機器に TFTP でプログラムを取得させるアドレスへの要求",
	"Form that makes a device of the home fetch a program":              "家の機器にプログラムを取得させるフォームの送信",
	"Download of the miner XMRig":                                       "採掘プログラム XMRig のダウンロード",
	"Name of a mining pool asked for":                                   "採掘プールの名前の問い合わせ",
	"TLS to a mining pool":                                              "採掘プールへの TLS 接続",
}
