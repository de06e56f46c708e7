package report

import (
	"strings"

	"github.com/yamori-net/yamori/internal/device"
)

// kindWords names the kinds of devices for people.
var kindWords = map[Lang]map[string]string{
	English: {
		device.Computer: "a computer", device.Phone: "a phone", device.Tablet: "a tablet", device.Router: "a router", device.Camera: "a camera",
		device.Recorder: "a video recorder", device.NAS: "a network storage device", device.TV: "a television", device.Console: "a game console",
		device.Printer: "a printer", device.Speaker: "a speaker", device.Hub: "a smart home hub", device.Plug: "a smart plug",
		device.Light: "a light", device.Appliance: "a household appliance", device.Wearable: "a wearable", device.VoIP: "a telephone",
		device.Server: "a server",
	},
	Japanese: {
		device.Computer: "パソコン", device.Phone: "スマートフォン", device.Tablet: "タブレット", device.Router: "ルーター", device.Camera: "カメラ",
		device.Recorder: "録画機", device.NAS: "ネットワーク対応ハードディスク（NAS）", device.TV: "テレビ", device.Console: "ゲーム機",
		device.Printer: "プリンター", device.Speaker: "スピーカー", device.Hub: "スマートホームのハブ", device.Plug: "スマートプラグ",
		device.Light: "照明", device.Appliance: "家電", device.Wearable: "ウェアラブル機器", device.VoIP: "電話機",
		device.Server: "サーバー",
	},
}

// Sureness from which on a kind is told without "probably".
const certain = 0.95

// KindText says what a device is, for people: "probably a camera (D-Link
// DCS-935L)". It is empty when nothing is known.
func KindText(d *device.Device, lang Lang) string {
	words := kindWords[lang]
	if words == nil {
		words = kindWords[English]
	}
	kind := words[d.Kind]
	if kind != "" && d.Confidence < certain {
		if lang == Japanese {
			kind = "おそらく" + kind
		} else {
			kind = "probably " + kind
		}
	}
	make := strings.TrimSpace(d.Maker + " " + d.Model)
	if d.Maker != "" && strings.HasPrefix(strings.ToLower(d.Model), strings.ToLower(d.Maker)) {
		make = d.Model
	}
	if make != "" {
		if lang == Japanese {
			kind += "（" + printable(make) + "）"
		} else {
			kind = strings.TrimSpace(kind + " (" + printable(make) + ")")
		}
	}
	return kind
}
