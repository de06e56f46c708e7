package report

import (
	"cmp"
	"maps"
	"slices"
	"strings"
)

// advice is what a code of a status or of the doctor stands for and what helps,
// in English and Japanese. {name} stands for an argument.
type advice struct{ what, cure, whatJA, cureJA string }

// Diagnosis says in a sentence what a code stands for, and what helps against
// it. Both are empty when the code has none.
func Diagnosis(lang Lang, code string, args map[string]string) (what, cure string) {
	a, ok := adviceOn[code]
	if !ok {
		return Explain(lang, code, args), ""
	}
	what, cure = a.what, a.cure
	if lang == Japanese {
		what, cure = a.whatJA, a.cureJA
	}
	var pairs []string
	for k, v := range args {
		pairs = append(pairs, "{"+k+"}", cmp.Or(modeWord(lang, k, v), printable(v)))
	}
	r := strings.NewReplacer(pairs...)
	return r.Replace(what), r.Replace(cure)
}

// modeWord names the mode that the argument name holds; empty: it holds none.
func modeWord(lang Lang, name, value string) string {
	w := map[string][2]string{"watch": {"in mode watch", "見守りモード"}, "protect": {"in mode protect", "保護モード"}}[value]
	switch {
	case name != "mode":
		return ""
	case lang == Japanese:
		return w[1]
	}
	return w[0]
}

// DiagnosisCodes lists the codes that Diagnosis has advice on.
func DiagnosisCodes() []string { return slices.Sorted(maps.Keys(adviceOn)) }

var adviceOn = map[string]advice{
	// What the packet filter offers.
	"enforce.ok": {"The packet filter can stop packets and let them be inspected in line.", "", "パケットフィルターは、通信の遮断と経路上の検査に対応しています。", ""},
	"enforce.no_nft": {"The program nft is missing or cannot be used: nothing can be stopped.", "Install the package nftables; the kernel needs nf_tables.",
		"nft コマンドがないか使えないため、何も遮断できません。", "nftables パッケージを入れてください。カーネルには nf_tables が必要です。"},
	"enforce.no_queue": {"Neither nft nor iptables can hand packets to a program: nothing can be inspected before it leaves. What is found can still be cut afterwards.", "Load the kernel module nft_queue or xt_NFQUEUE (OpenWrt: kmod-nft-queue).",
		"nft でも iptables でもパケットをプログラムへ渡せないため、送り出す前の検査ができません。見つけた後の遮断は可能です。", "カーネルモジュール nft_queue か xt_NFQUEUE を入れてください（OpenWrt では kmod-nft-queue）。"},
	"enforce.no_bridge": {"The kernel has no br_netfilter: what a bridge carries cannot be inspected.", "Load it with: modprobe br_netfilter. Without bridge mode it is not needed.",
		"カーネルに br_netfilter がないため、ブリッジの通信は検査できません。", "modprobe br_netfilter で読み込んでください。ブリッジモードを使わなければ不要です。"},
	"enforce.flow_tables": {"Another program forwards connections past all rules after their first packets ({tables}): what is said in them later is neither seen nor stopped.", "Switch flow offload off. OpenWrt: uci set firewall.@defaults[0].flow_offloading=0; uci commit firewall; service firewall restart",
		"ほかのプログラムのフローオフロード（{tables}）により、接続の最初の数パケットより後は検査も遮断もできません。", "フローオフロードを無効にしてください。OpenWrt では uci set firewall.@defaults[0].flow_offloading=0; uci commit firewall; service firewall restart"},
	"enforce.hardware_flows": {"The hardware forwards connections after their first packets ({tables}): what is said in them later is neither seen, stopped nor counted.", "Switch hardware offload off. OpenWrt: uci set firewall.@defaults[0].flow_offloading_hw=0; uci commit firewall; service firewall restart",
		"ハードウェアオフロード（{tables}）により、接続の最初の数パケットより後は検査も遮断も計数もできません。", "ハードウェアオフロードを無効にしてください。OpenWrt では uci set firewall.@defaults[0].flow_offloading_hw=0; uci commit firewall; service firewall restart"},
	"enforce.left": {"Rules of yamori are in the packet filter although it does not run.", "Take them out with: yamori unhook",
		"yamori が動いていないのに、パケットフィルターに規則が残っています。", "yamori unhook で取り除いてください。"},

	// How findings are stopped.
	"acts.after": {"Nothing is inspected in line: what is found is cut afterwards, so its first packets get through.", "Leave out \"off: true\" in the section inline, if packets are to be inspected before they leave.",
		"経路上での検査はしていません。見つけた後に接続を切るため、最初のパケットは通ります。", "送り出す前に検査するには、設定の inline から off: true を外してください。"},
	"acts.reset": {"This is a mirror port: connections in which something is found are reset from here, a race that is sometimes lost. Datagrams are only told of.", "To stop things for certain, let the traffic pass through this machine.",
		"ミラーポートで監視中です。脅威を見つけた TCP 接続にはリセットを送りますが、間に合わないこともあります。UDP は知らせるだけです。", "確実に止めるには、この機器を通信の経路上に置いてください。"},
	"acts.tell": {"Protection is on, and yet nothing is stopped: packets do not pass through this machine, so that it can only tell.", "Let the traffic pass through it (docs/inline.md), or name the interface for resets in inline.resets.",
		"保護モードですが、通信がこの機器を通らないため遮断できず、知らせるだけです。", "通信がこの機器を通るようにするか（docs/inline.md）、inline.resets でリセットを送るインターフェースを指定してください。"},
	"acts.failed": {"Flows in which something is found cannot be cut.", "See the log; the other lines here may say why.",
		"脅威を見つけても接続を切ることができません。", "ログを確認してください。この診断のほかの項目が原因のこともあります。"},

	// This machine.
	"doctor.not_root": {"The packet filter was not looked at: this command does not run as root.", "Run it with: sudo yamori doctor",
		"root で実行していないため、パケットフィルターは調べていません。", "sudo yamori doctor で実行してください。"},
	"caps.missing": {"The process lacks the capabilities {missing}: it can neither listen to the network nor stop anything.", "Start yamori as root, or give its service these capabilities.",
		"ケーパビリティ {missing} がないため、通信の監視も遮断もできません。", "root で起動するか、サービスにこれらの権限を与えてください。"},
	"forward.ok": {"The machine forwards packets.", "", "この機器はパケットを転送しています。", ""},
	"forward.off": {"The machine does not forward packets: what devices send to the internet does not pass through it.", "On a router: sysctl -w net.ipv4.ip_forward=1 net.ipv6.conf.all.forwarding=1. On a bridge, for DNS alone or on a mirror port it is not needed.",
		"この機器はパケットを転送していないため、機器とインターネットの通信はここを通りません。", "ルーターとして使う場合は sysctl -w net.ipv4.ip_forward=1 net.ipv6.conf.all.forwarding=1 を実行してください。ブリッジ、DNS だけの利用、ミラーポートでは不要です。"},
	"forward.v6_off": {"The machine forwards IPv4 and not IPv6.", "If the home has IPv6: sysctl -w net.ipv6.conf.all.forwarding=1",
		"この機器は IPv4 だけを転送し、IPv6 は転送していません。", "家に IPv6 があれば sysctl -w net.ipv6.conf.all.forwarding=1 を実行してください。"},
	"interface.ok": {"The interface {interface} is up.", "", "インターフェース {interface} は動いています。", ""},
	"interface.missing": {"There is no interface to watch: {error}", "Name one of the machine's in the configuration (interface), as \"ip link\" lists them.",
		"監視するインターフェースがありません: {error}", "ip link に出るインターフェースを設定（interface）で指定してください。"},
	"interface.down": {"The interface {interface} is down: nothing is seen.", "Set it up with: ip link set {interface} up; see whether its cable is in.",
		"インターフェース {interface} が停止していて、通信が見えません。", "ip link set {interface} up を実行し、ケーブルも確かめてください。"},
	"clock.ok": {"The clock is right, as far as can be seen.", "", "時計は合っているようです。", ""},
	"clock.wrong": {"The clock says {now}: names and certificates cannot be checked, and times of findings are wrong.", "Let the machine fetch the time (NTP: ntpd, chrony or systemd-timesyncd).",
		"時計が {now} を示しています。証明書を確かめられず、記録の日時も誤りになります。", "NTP（ntpd、chrony、systemd-timesyncd）で時刻を合わせてください。"},
	"clock.unsynchronised": {"Nobody keeps the clock right.", "Let the machine fetch the time (NTP: ntpd, chrony or systemd-timesyncd).",
		"時刻合わせが行われていません。", "NTP（ntpd、chrony、systemd-timesyncd）を動かしてください。"},
	"disk.ok": {"{free} are free for what is kept in {folder}.", "", "{folder} の空き容量は {free} です。", ""},
	"disk.low": {"Only {free} are free in {folder}; what is kept may take {limit}.", "Make room, or lower state.max_mb.",
		"{folder} の空きが {free} しかありません（保存の上限は {limit}）。", "空きを増やすか、state.max_mb を小さくしてください。"},
	"disk.full": {"The disk is full ({free} free in {folder}): nothing is kept.", "Make room, or name another folder in state.dir.",
		"ディスクに空きがなく（{folder}、残り {free}）、何も保存できません。", "空きを増やすか、state.dir で別のフォルダーを指定してください。"},
	"disk.unknown": {"The folder for what is kept cannot be looked at: {error}", "Make {folder}, or name another one in state.dir.",
		"保存先のフォルダーを調べられません: {error}", "{folder} を作るか、state.dir で別のフォルダーを指定してください。"},
	"memory.low": {"Only {free} of memory are available.", "Stop other programs, load fewer rules, or lower the limits in the configuration.",
		"使えるメモリーが {free} しかありません。", "ほかのプログラムを止めるか、規則を減らすか、設定の上限を下げてください。"},
	"conntrack.full": {"The kernel's table of connections is nearly full ({count} of {most}): new ones may fail.", "Raise it with: sysctl -w net.netfilter.nf_conntrack_max={double}",
		"カーネルの接続表がほぼ満杯です（{most} 件中 {count} 件）。新しい接続が失敗することがあります。", "sysctl -w net.netfilter.nf_conntrack_max={double} で増やしてください。"},

	// The configuration and what it names.
	"config.ok": {"The configuration is good.", "", "設定に問題はありません。", ""},
	"config.bad": {"The configuration cannot be used: {error}", "Correct it; yamori run --check looks at it again.",
		"設定を読み込めません: {error}", "設定を直してください。yamori run --check で確かめられます。"},
	"config.files": {"A file that the configuration names cannot be used: {error}", "Put it there, or take it out of the configuration.",
		"設定が指すファイルを使えません: {error}", "ファイルを用意するか、設定から外してください。"},
	"rules.none":    {"No rules are configured besides the project's own.", "", "プロジェクト自身の規則のほかに、規則は設定されていません。", ""},
	"rules.ok":      {"Days since the newest file of rules was written: {days}.", "", "規則ファイルの最終更新は {days} 日前です。", ""},
	"rules.old":     {"The rules are old: the newest file was written {days} days ago.", "Fetch them anew from where they come from, then: yamori rules reload", "規則が古くなっています（最終更新は {days} 日前）。", "配布元から取り直し、yamori rules reload を実行してください。"},
	"rules.missing": {"There are no rules where the configuration says: {path}", "Put them there, or correct rules.files.", "設定の場所に規則がありません: {path}", "規則を置くか、rules.files を直してください。"},
	"rules.refused": {"Rules were refused; those from before stay, after a start only the project's own.", "yamori run --check says what is wrong with them.", "規則を読み込めませんでした。以前の規則のまま（起動した時は付属の規則だけ）です。", "yamori run --check で問題を確かめてください。"},
	"dns.port_taken": {"The home's names cannot be answered: another program holds {address}.", "Stop it or let it use another port: often dnsmasq (port=0) or systemd-resolved (DNSStubListener=no).",
		"ほかのプログラムが {address} を使っているため、家の DNS が動きません。", "そのプログラムを止めるか、別のポートにしてください（よくあるのは dnsmasq：port=0、systemd-resolved：DNSStubListener=no）。"},

	// The daemon.
	"daemon.ok": {"The daemon runs, version {version}, {mode}.", "", "デーモンは動いています（バージョン {version}、{mode}）。", ""},
	"daemon.down": {"The daemon does not run, or does not answer.", "Start it with: yamori run, or by the service manager.",
		"デーモンが動いていないか、応答しません。", "yamori run かサービス管理で起動してください。"},
	"store.temporary": {"What was known cannot be read; what is found now is lost at the end.", "See the log, then start again.", "これまでの記録を読めません。今の記録は終了時に失われます。", "ログを確認し、起動し直してください。"},
	"store.full":      {"The disk is full: nothing more is kept.", "Make room.", "ディスクがいっぱいで、これ以上保存できません。", "空きを増やしてください。"},
	"store.failing":   {"The disk does not take what is to be kept.", "See the log.", "ディスクに書き込めません。", "ログを確認してください。"},
	"store.damaged":   {"The event store is damaged.", "The next start repairs it.", "記録が壊れています。", "次の起動時に修復します。"},
	"store.repaired":  {"The event store was damaged and has been repaired; the old file stands beside it.", "", "記録が壊れていたため修復しました。元のファイルは隣に残っています。", ""},
	"findings.dropped": {"Findings came faster than the disk takes them; some are not kept.", "A faster disk helps; see what makes so many findings.",
		"検出が多く、一部を保存できませんでした。", "速いディスクにするか、原因になっている通信を確かめてください。"},
	"policy.unreadable": {"A part of the policy cannot be read.", "See the log.", "方針の一部を読めません。", "ログを確認してください。"},
	"inline.failed":     {"Packets cannot be stopped: the inspection in line does not start.", "See the log.", "経路上の検査を始められず、遮断できません。", "ログを確認してください。"},
	"inline.passing":    {"Packets pass by uninspected: a worker does not take its turn.", "A faster machine or fewer rules help, when it happens often.", "検査が追いつかず、パケットが検査されずに通っています。", "たびたび起こる場合は、より速い機器にするか規則を減らしてください。"},
	"api.down":          {"The API does not answer over the network.", "See the log.", "ネットワーク越しの API が応答しません。", "ログを確認してください。"},
}
