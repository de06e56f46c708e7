package report

import (
	"fmt"
	"strings"
)

// privWords say what is weaker than it could be about the daemon's privileges
// and the inspection in line, and what keeps plug-in mode from working, in English and Japanese. %s is what
// it is about.
var privWords = map[string][2]string{
	"priv.landlock.absent":  {"files are not kept from the daemon by Landlock: this kernel does not have it, or it is switched off", "このカーネルでは Landlock が使えないため、ファイルへの立ち入りはユーザー権限だけで制限しています"},
	"priv.landlock.old":     {"Landlock of this kernel is an early version (%s): cutting files short, or moving them, is not held back by it", "このカーネルの Landlock は古い版（%s）のため、ファイルの切り詰めや移動は制限されません"},
	"priv.seccomp.absent":   {"system calls are not filtered: the kernel or the processor (%s) does not allow it", "システムコールを制限できません（%s）。カーネルまたはプロセッサーが対応していません"},
	"priv.path.absent":      {"%s is not there; when it comes, the daemon cannot read it before the next start", "%s がありません。後から置いた場合は、次に起動するまで読めません"},
	"priv.path.owner":       {"%s could not be given to the daemon's user", "%s の所有者を変更できませんでした"},
	"priv.user.same":        {"the daemon stays user %s: it may not become another", "別のユーザーに切り替えられないため、ユーザー %s のまま動いています"},
	"priv.caps.bounding":    {"the set of capabilities that could be had could not be emptied (%s)", "獲得できるケーパビリティの一覧を空にできませんでした（%s）"},
	"priv.limit.unchanged":  {"the limit %s could not be lowered", "資源の上限 %s を下げられませんでした"},
	"inline.uninspected":    {"frames that the bridge carries cannot be inspected (no IP, or tags within tags): %s since the start", "ブリッジが運ぶフレームのうち検査できないもの（IP 以外、または多重タグ）があります: 開始から %s 個"},
	"inline.passed":         {"packets passed uninspected so that the home stays connected: %s since the start", "通信を止めないため、検査せずに通したパケットがあります: 開始から %s 個"},
	"plugin.failed":         {"plug-in mode does not begin: %s", "プラグインモードを開始できません: %s"},
	"plugin.interrupted":    {"plug-in mode is interrupted: %s", "プラグインモードを中断しています: %s"},
	"plugin.not_led":        {"no traffic of %s comes by: a switch or the Wi-Fi may watch for forged ARP, or it is switched off", "%s の通信が届いていません。スイッチや Wi-Fi が偽の ARP を止めているか、機器の電源が切れています"},
	"plugin.hidden":         {"traffic that is led here is not inspected: another program forwards it by a flow table (flow offload); switch that off", "引き込んだ通信を検査できていません。ほかのプログラムのフローテーブル（フローオフロード）を無効にしてください"},
	"plugin.still_led":      {"plug-in mode has ended, and some devices still send their traffic here: %s", "プラグインモードは終わりましたが、まだ通信がこちらへ届く機器があります: %s"},
	"plugin.no_address":     {"no address of %s is known yet: its traffic is not led here", "%s のアドレスがまだ分からないため、通信を引き込んでいません"},
	"plugin.one_process":    {"plug-in mode needs the process that keeps the privileges: start as root, without \"privileges: keep\"", "プラグインモードには権限を持つ別プロセスが必要です。root で起動し、privileges: keep を外してください"},
	"plugin.not_forwarding": {"plug-in mode is interrupted: this machine does not forward (net.ipv4.ip_forward, net.ipv6.conf.all.forwarding)", "プラグインモードを中断しています。このマシンでパケット転送（net.ipv4.ip_forward、net.ipv6.conf.all.forwarding）が有効になっていません"},
}

// explainPriv says what such a code stands for; empty: none of them.
func explainPriv(t *text, code string, arg func(names ...string) string) string {
	w, ok := privWords[code]
	if !ok {
		return ""
	}
	s := w[0]
	if t.lang == Japanese {
		s = w[1]
	}
	if strings.Contains(s, "%s") {
		return fmt.Sprintf(s, arg("what", "error"))
	}
	return s
}
