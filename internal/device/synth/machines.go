package synth

// Machines returns what the ordinary machines of a home say. Sources: the
// systems' own source text and manuals (Android DhcpClient, Apple IPConfiguration,
// dhcpcd, BusyBox, NetworkManager, ChromeOS shill), the makers' support pages
// (default host names, hosts for firewalls), Bonjour printing, RFC 6763.
func Machines() []Conversation {
	l := list{set: 2}
	l.people()
	l.living()
	l.office()
	return l.out
}

// private stands for an address that the device has made up: add sets the rest.
var private = [3]byte{0x9e, 0x31, 0x7c}

var (
	iosOld = []byte{1, 121, 3, 6, 15, 119, 252}
	nm     = []byte{1, 2, 6, 12, 15, 26, 28, 121, 3, 33, 40, 41, 42, 119, 249, 252, 17}
	winOld = []byte{1, 15, 3, 6, 44, 46, 47, 31, 33, 121, 249, 43}
)

func (l *list) people() {
	l.add(private, "iPhone with apps", "phone", func(t *talk) {
		t.dhcp("iPhone", "", ios...)
		t.dns("captive.apple.com", "gs-loc.apple.com", "courier.push.apple.com", "ws.sonos.com", "ws.meethue.com", "scribe.logs.roku.com")
	})
	l.add(private, "iPhone of a brother", "phone", func(t *talk) { t.dhcp("Brothers-iPhone", "", ios...) })
	l.add(private, "iPad of the coffee room", "tablet", func(t *talk) { t.dhcp("Coffee-room-iPad", "", iosOld...) })
	l.add(private, "MacBook of a Sonos owner", "computer", func(t *talk) {
		t.dhcp("Studio-MacBook-Pro", "", macOS...)
		t.dns("time.apple.com", "ws.sonos.com", "update.sonos.com", "conn-i-api.ws.sonos.com")
	})
	l.add(private, "Android phone with apps", "phone", func(t *talk) {
		t.dhcp("", "android-dhcp-14", android...)
		t.dns("connectivitycheck.gstatic.com", "mtalk.google.com", "api.wyzecam.com", "scribe.logs.roku.com", "ws.sonos.com", "fw.ring.com")
	})
	l.add(private, "Android phone with the SmartThings app", "phone", func(t *talk) {
		t.dhcp("Galaxy-A54-5G", "android-dhcp-13", android...)
		t.dns("connectivitycheck.gstatic.com", "connect.smartthings.com", "samsungcloudsolution.com")
	})
	l.add(private, "Xiaomi phone", "phone", func(t *talk) {
		t.dhcp("Redmi-Note-12", "android-dhcp-12", android...)
		t.dns("connectivitycheck.gstatic.com")
	})
	l.add(private, "OPPO phone", "phone", func(t *talk) {
		t.dhcp("OPPO-A54", "android-dhcp-11", android...)
		t.dns("connectivitycheck.gstatic.com")
	})
	l.add(private, "vivo phone", "phone", func(t *talk) { t.dhcp("vivo-1906", "android-dhcp-10", android...) })
	l.add(private, "Lenovo tablet", "tablet", func(t *talk) { t.dhcp("Lenovo-Tab-M10", "android-dhcp-12", android...) })
	l.add(private, "Apple Watch", "wearable", func(t *talk) { t.dhcp("Annas-Apple-Watch", "", ios...); t.dns("captive.apple.com") })
	l.add(private, "Galaxy Watch", "wearable", func(t *talk) { t.dhcp("Galaxy-Watch4-8F2C", "android-dhcp-11", android...) })
	l.add([3]byte{0x14, 0x13, 0x0b}, "Garmin watch", "wearable", func(t *talk) { t.dhcp("Garmin", "", 1, 3, 6); t.dns("omt.garmin.com") })
	l.add([3]byte{0xa4, 0xc3, 0xf0}, "Windows computer without name", "computer", func(t *talk) {
		t.dhcp("", "MSFT 5.0", windows...)
		t.dns("www.msftconnecttest.com", "xboxlive.com", "hpeprint.com")
	})
	l.add([3]byte{0xa4, 0xc3, 0xf0}, "Windows computer with a household's programs", "computer", func(t *talk) {
		t.dhcp("Kitchen", "MSFT 5.0", windows...)
		t.dns("www.msftconnecttest.com", "ws.sonos.com", "np.community.playstation.net", "ps4.update.playstation.net", "update.synology.com", "xmpp006.hpeprint.com")
	})
	l.add([3]byte{0xa4, 0xc3, 0xf0}, "Windows 7 computer", "computer", func(t *talk) { t.dhcp("Printer-room", "MSFT 5.0", winOld...); t.dns("www.msftncsi.com") })
	l.add([3]byte{0xa4, 0xc3, 0xf0}, "Linux laptop", "computer", func(t *talk) {
		t.dhcp("x1carbon", "", nm...)
		t.dns("nmcheck.gnome.org", "connectivity-check.ubuntu.com")
	})
	l.add([3]byte{0xa4, 0xc3, 0xf0}, "Fedora laptop", "computer", func(t *talk) { t.dhcp("fedora", "", nm...); t.dns("fedoraproject.org", "2.fedora.pool.ntp.org") })
	l.add([3]byte{0xa4, 0xc3, 0xf0}, "Chromebook", "computer", func(t *talk) {
		t.dhcp("", "dhcpcd-6.8.8:ChromeOS-5.4:x86_64", dhcpcd...)
		t.dns("www.gstatic.com", "clients2.google.com")
		t.get("www.gstatic.com", "/generate_204", "Mozilla/5.0 (X11; CrOS x86_64 14541.0.0) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/118.0.0.0 Safari/537.36", linuxTCP)
	})
	l.add([3]byte{0xb8, 0x27, 0xeb}, "Raspberry Pi", "computer|server|unknown", func(t *talk) { t.dhcp("raspberrypi", "dhcpcd-8.1.2:Linux-5.10:armv7l:BCM2711", dhcpcd...) })
	l.add([3]byte{0x00, 0x15, 0x5d}, "Plex server", "server|nas|computer|unknown", func(t *talk) { t.dhcp("plex", "", nm...) })
}

func (l *list) living() {
	l.add([3]byte{0x70, 0x9e, 0x29}, "PlayStation 5 without name", "console", func(t *talk) {
		t.dhcp("", "", 1, 3, 15, 6)
		t.dns("ps5.np.playstation.net", "sgst.prod.dl.playstation.net")
	})
	l.add([3]byte{0xc8, 0x3f, 0x26}, "Xbox without name", "console", func(t *talk) {
		t.dhcp("", "MSFT 5.0 XBOX", 1, 15, 3, 6, 44, 46, 47, 31, 33, 121, 249, 252, 43)
		t.dns("xsts.auth.xboxlive.com", "title.mgt.xboxlive.com")
	})
	l.add([3]byte{0xc8, 0x3f, 0x26}, "Xbox Series", "console", func(t *talk) {
		t.dhcp("XBOX", "MSFT 5.0", windows...)
		t.dns("xsts.auth.xboxlive.com", "www.msftconnecttest.com")
	})
	l.add([3]byte{0x98, 0xb6, 0xe9}, "Nintendo Switch", "console", func(t *talk) {
		t.dhcp("", "", 1, 3, 6, 15, 28, 33)
		t.dns("ctest.cdn.nintendo.net", "conntest.nintendowifi.net")
	})
	l.add([3]byte{0x48, 0xe7, 0xda}, "Steam Deck", "console|computer", func(t *talk) { t.dhcp("steamdeck", "", nm...); t.dns("steamcontent.com") })
	l.add([3]byte{0x2c, 0x26, 0x17}, "Meta Quest", "console|wearable|unknown", func(t *talk) { t.dhcp("Quest-2", "android-dhcp-10", android...); t.dns("graph.oculus.com") })
	l.add(google, "Chromecast with Google TV", "tv", func(t *talk) {
		t.dhcp("Chromecast", "android-dhcp-12", android...)
		t.mdns("Android", "Chromecast-HD-0a1b", "_androidtvremote2._tcp", "bt=AA:BB")
		t.mdns("0a1b-cccc", "Chromecast-HD-0a1b", "_googlecast._tcp", "id=0a1d", "md=Chromecast HD", "fn=TV")
	})
	l.add([3]byte{0x00, 0x04, 0x4b}, "NVIDIA Shield", "tv", func(t *talk) {
		t.dhcp("SHIELD", "android-dhcp-11", android...)
		t.mdns("Android", "SHIELD", "_androidtvremote2._tcp", "bt=AA:BB")
	})
	l.add([3]byte{0x4c, 0x57, 0xca}, "Apple TV without name", "tv", func(t *talk) {
		t.dhcp("", "", ios...)
		t.mdns("Living-Room", "Living Room", "_airplay._tcp", "model=AppleTV6,2", "deviceid=AA:BB:CC:00:15:22")
	})
	l.add([3]byte{0x84, 0xc0, 0xef}, "Samsung television without name", "tv", func(t *talk) {
		t.dhcp("", "", dhcpcd...)
		t.dns("cdn.samsungcloudsolution.com", "osb.samsungqbe.com", "infolink.pavv.co.kr", "time.samsungcloudsolution.com")
	})
	l.add([3]byte{0x84, 0xc0, 0xef}, "Samsung soundbar", "speaker", func(t *talk) {
		t.dhcp("Samsung-Soundbar", "", busybox...)
		t.mdns("Soundbar", "Samsung Soundbar Q800", "_spotify-connect._tcp", "CPath=/zc")
	})
	l.add([3]byte{0x84, 0xc0, 0xef}, "Hisense television", "tv", func(t *talk) { t.dhcp("Hisense-TV", "", busybox...); t.dns("auth-gateway.hismarttv.com") })
	l.add([3]byte{0x54, 0x2a, 0x1b}, "Sonos of which only mDNS is seen", "speaker", func(t *talk) {
		t.mdns("Sonos-542A1B100101", "RINCON_542A1B10010101400@Bath", "_sonos._tcp", "info=/api/v1/players/RINCON_542A/info")
	})
	l.add([3]byte{0x00, 0x05, 0xcd}, "Denon receiver", "speaker", func(t *talk) {
		t.dhcp("Denon-AVR-X1600H", "", busybox...)
		t.mdns("Denon-AVR-X1600H", "Denon AVR-X1600H", "_airplay._tcp", "model=AVR-X1600H", "manufacturer=Denon")
	})
	l.add([3]byte{0xd0, 0xe1, 0x40}, "Apple HomePod", "speaker", func(t *talk) {
		t.dhcp("Bedroom", "", ios...)
		t.mdns("Bedroom", "Bedroom", "_raop._tcp", "am=AudioAccessory1,1")
	})
	l.add([3]byte{0x7c, 0x2e, 0xbd}, "Kobo reader", "tablet", func(t *talk) { t.dhcp("kobo", "udhcp 1.17.1", busybox...); t.dns("storeapi.kobo.com") })
	l.add([3]byte{0x00, 0x03, 0x78}, "Humax box", "tv|recorder", func(t *talk) { t.dhcp("HUMAX-FVP5000T", "", busybox...) })
	l.add([3]byte{0x9c, 0x31, 0xc3}, "Sky Q box", "tv|recorder", func(t *talk) {
		t.dhcp("SkyQ-EM150", "", busybox...)
		t.ssdp("urn:schemas-nds-com:device:SkyServe:2", "Linux UPnP/1.0 Sky", "http://192.168.77.40:49153/description2.xml")
	})
	l.add([3]byte{0x34, 0x27, 0x92}, "Freebox player", "tv", func(t *talk) {
		t.dhcp("Freebox-Player", "android-dhcp-9", android...)
		t.mdns("Android", "Freebox Player POP", "_androidtvremote2._tcp", "bt=AA")
	})
}

func (l *list) office() {
	l.add([3]byte{0x00, 0x11, 0x32}, "Synology with a name of its own", "nas", func(t *talk) {
		t.dhcp("vault", "", busybox...)
		t.mdns("vault", "vault", "_http._tcp", "vendor=Synology", "model=DS920+")
		t.ssdp("urn:schemas-upnp-org:device:Basic:1", "Synology/DSM/192.168.77.30", "http://192.168.77.30:5000/ssdp/desc-DSM-eth0.xml")
	})
	l.add([3]byte{0x24, 0x5e, 0xbe}, "QNAP with a name of its own", "nas", func(t *talk) {
		t.dhcp("vault2", "", dhcpcd...)
		t.mdns("vault2", "vault2", "_qdiscover._tcp", "accessType=http,accessPort=8080,model=TS-X53D,displayModel=TS-453D")
		t.mdns("vault2", "vault2", "_smb._tcp")
		t.dns("update.qnap.com")
	})
	l.add([3]byte{0x00, 0x14, 0xee}, "My Cloud", "nas", func(t *talk) {
		t.dhcp("MyCloudEX2Ultra", "", busybox...)
		t.mdns("MyCloudEX2Ultra", "MyCloudEX2Ultra", "_smb._tcp")
	})
	for _, p := range [][2]string{
		{"HP OfficeJet Pro 9010 series", "HP"}, {"Canon TS5300 series", "Canon"}, {"EPSON XP-4100 Series", "EPSON"}, {"Brother MFC-L2710DW series", "Brother"},
		{"Samsung M2020 Series", "Samsung"}, {"Kyocera ECOSYS M5526cdw", "Kyocera"}, {"Lexmark MC3224dwe", "Lexmark"}, {"RICOH SP C260", "RICOH"}, {"Xerox C235", "Xerox"}, {"OKI C332", "OKI"},
	} {
		l.add([3]byte{0x00, 0x15, 0x99}, "printer "+p[0], "printer", func(t *talk) {
			t.dhcp("", "", 1, 3, 6, 15, 44, 47)
			t.mdns("prn-0101", p[0], "_ipp._tcp", "ty="+p[0], "usb_MFG="+p[1])
		})
	}
	l.add([3]byte{0x84, 0xba, 0x3b}, "Canon printer by DHCP alone", "printer", func(t *talk) { t.dhcp("84BA3B100101", "Canon MF240 Series", 1, 3, 6, 15, 44, 47) })
	l.add([3]byte{0x80, 0x5e, 0xc0}, "Yealink telephone", "voip", func(t *talk) { t.dhcp("SIP-T46S", "yealink", 1, 3, 6, 15, 42, 43, 66, 67, 120, 125) })
	l.add([3]byte{0x00, 0x04, 0xf2}, "Polycom telephone", "voip", func(t *talk) { t.dhcp("Polycom_0004f2100101", "Polycom-VVX300", 1, 3, 6, 15, 42, 43, 66, 160) })
	l.add([3]byte{0x00, 0x0e, 0x08}, "Linksys telephone adapter", "voip", func(t *talk) { t.dhcp("SipuraSPA", "Linksys SPA-2102", 1, 3, 6, 15, 42, 66, 159, 160) })
	l.add([3]byte{0x7c, 0x2f, 0x80}, "Gigaset base", "voip", func(t *talk) { t.dhcp("Gigaset-N510-IP-PRO", "", 1, 3, 6, 15, 42, 66, 114, 120) })
	l.add([3]byte{0x44, 0x4e, 0x6d}, "AVM repeater", "router", func(t *talk) {
		t.dhcp("fritz-repeater", "", busybox...)
		t.ssdp("urn:schemas-upnp-org:device:fritzbox:1", "fritz.repeater UPnP/1.0 AVM FRITZ!Repeater 2400", "http://192.168.77.40:49000/fboxdesc.xml")
	})
	l.add(tpLink, "TP-Link range extender", "router", func(t *talk) { t.dhcp("RE305", "udhcp 1.19.4", busybox...) })
	l.add(tpLink, "TP-Link Deco", "router", func(t *talk) { t.dhcp("Deco-M4R", "udhcp 1.24.1", busybox...); t.dns("n-deco-gw.tplinkcloud.com") })
	l.add([3]byte{0x20, 0xbe, 0xcd}, "eero", "router", func(t *talk) { t.dhcp("eero-3xyz", "", busybox...); t.dns("api-node.e2ro.com") })
	l.add([3]byte{0x78, 0x8a, 0x20}, "UniFi access point", "router", func(t *talk) {
		t.dhcp("UAP-AC-Lite", "ubnt", busybox...)
		t.shout(10001, "\x02\x06\x00\x04\x01\x02\x03\x04")
	})
	l.add([3]byte{0x78, 0x8a, 0x20}, "UniFi camera", "camera", func(t *talk) { t.dhcp("UVC-G4-Bullet", "", busybox...); t.serves(7442, linuxTCP) })
	l.add(dLink, "D-Link access point", "router", func(t *talk) { t.dhcp("DAP-1360", "", busybox...) })
	l.add(netgear, "Orbi satellite", "router", func(t *talk) { t.dhcp("RBS50", "udhcp 1.22.1", busybox...); t.dns("updates1.netgear.com") })
	l.add([3]byte{0x64, 0x69, 0xbc}, "Hikvision recorder", "recorder", func(t *talk) { t.dhcp("DS-7608NI-K2", "", busybox...); t.dns("dev.hik-connect.com") })
	l.add([3]byte{0x3c, 0xef, 0x8c}, "Dahua camera", "camera", func(t *talk) {
		t.dhcp("IPC-HFW2431S", "", busybox...)
		t.mdns("ipc-0101", "IPC-HFW2431S", "_http._tcp")
	})
	l.add([3]byte{0xec, 0x71, 0xdb}, "Reolink camera", "camera", func(t *talk) { t.dhcp("", "udhcp 1.22.1", busybox...); t.dns("p2p.reolink.com", "pushx.reolink.com") })
	l.add(dLink, "D-Link storage DNS-320", "nas", func(t *talk) {
		t.dhcp("dlink-DNS320", "", busybox...)
		t.mdns("dlink-DNS320", "dlink-DNS320", "_smb._tcp")
	})
}
