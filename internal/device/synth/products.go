package synth

import "github.com/yamori-net/yamori/internal/packet"

// Parameter lists (option 55) of the clients, from their source text or
// documentation: Android's DhcpClient, Apple's IPConfiguration, Microsoft's,
// BusyBox udhcpc, dhcpcd, HP Jetdirect.
var (
	android = []byte{1, 3, 6, 15, 26, 28, 51, 58, 59, 43, 114, 108}
	ios     = []byte{1, 121, 3, 6, 15, 108, 114, 119, 252}
	macOS   = []byte{1, 121, 3, 6, 15, 108, 114, 119, 252, 95, 44, 46}
	windows = []byte{1, 3, 6, 15, 31, 33, 43, 44, 46, 47, 119, 121, 249, 252}
	busybox = []byte{1, 3, 6, 12, 15, 28, 42}
	dhcpcd  = []byte{1, 121, 33, 3, 6, 12, 15, 26, 28, 51, 54, 58, 59, 119}
	jet     = []byte{6, 3, 1, 15, 66, 67, 13, 44, 12, 81}
	plain   = []byte{1, 3, 15, 6}
)

// Products returns the conversations. The sources of the strings are the
// makers' developer documents: Apple's Bonjour and AirPlay, Google Cast,
// Roku ECP, Samsung SmartView, LG webOS Connect, Sony BRAVIA REST, Sonos, Bose
// SoundTouch, IPP Everywhere and Bonjour printing, Synology and QNAP manuals.
func Products() []Conversation {
	var out []Conversation
	add := func(label, kind string, f func(t *talk)) {
		n := byte(len(out) + 1)
		t := &talk{mac: packet.MAC{0x02, 0x5e, 0x10, 0, 0, n}, ip: [4]byte{192, 168, 77, 100 + n}, now: start}
		f(t)
		out = append(out, Conversation{Name: label, Kind: kind, MAC: t.mac, Frames: t.out})
	}
	add("iPhone", "phone", func(t *talk) {
		t.dhcp("Marias-iPhone", "", ios...)
		t.mdns("Marias-iPhone", "aa:bb:cc:00:11:22@fe80::1", "_apple-mobdev2._tcp")
		t.dns("captive.apple.com", "gs-loc.apple.com", "time-ios.apple.com")
	})
	add("iPhone with private name", "phone", func(t *talk) {
		t.dhcp("iPhone", "", ios...)
		t.dns("captive.apple.com", "iphone-ld.apple.com")
	})
	add("iPad", "tablet", func(t *talk) {
		t.dhcp("iPad", "", ios...)
		t.mdns("iPad", "iPad", "_companion-link._tcp", "rpMac=1", "rpVr=360.4")
	})
	add("Android phone, Pixel", "phone", func(t *talk) {
		t.dhcp("Pixel-7", "android-dhcp-13", android...)
		t.dns("connectivitycheck.gstatic.com", "time.android.com", "mtalk.google.com")
	})
	add("Android phone, Galaxy", "phone", func(t *talk) {
		t.dhcp("Galaxy-S21-5G", "android-dhcp-12", android...)
		t.dns("connectivitycheck.gstatic.com")
	})
	add("Android phone without name", "phone", func(t *talk) {
		t.dhcp("", "android-dhcp-14", android...)
		t.dns("connectivitycheck.gstatic.com", "mtalk.google.com", "android.clients.google.com")
		t.search("urn:dial-multiscreen-org:service:dial:1", "")
	})
	add("Galaxy Tab", "tablet", func(t *talk) { t.dhcp("Galaxy-Tab-S8", "android-dhcp-13", android...) })
	add("MacBook", "computer", func(t *talk) {
		t.dhcp("Lenas-MBP", "", macOS...)
		t.mdns("Lenas-MBP", "Lena's MacBook Pro", "_device-info._tcp", "model=MacBookPro18,3", "osxvers=22")
	})
	add("Windows computer", "computer", func(t *talk) {
		t.dhcp("DESKTOP-8KQ2M1L", "MSFT 5.0", windows...)
		t.dns("www.msftconnecttest.com", "ctldl.windowsupdate.com", "v10.events.data.microsoft.com")
	})
	add("Ubuntu computer", "computer", func(t *talk) {
		t.dhcp("lukas-desktop", "", 1, 2, 6, 12, 15, 26, 28, 121, 3, 33, 40, 41, 42, 119, 249, 252, 17)
		t.mdns("lukas-desktop", "lukas-desktop [02:5e:10]", "_workstation._tcp")
		t.dns("connectivity-check.ubuntu.com", "ntp.ubuntu.com")
	})
	add("Apple TV", "tv", func(t *talk) {
		t.dhcp("Wohnzimmer", "", ios...)
		t.mdns("Wohnzimmer", "Wohnzimmer", "_airplay._tcp", "deviceid=AA:BB:CC:00:11:22", "model=AppleTV11,1", "srcvers=670.6.2")
	})
	add("Samsung television", "tv", func(t *talk) {
		t.dhcp("Samsung", "dhcpcd-5.5.6:Linux-4.1.10:armv7l:sdp", dhcpcd...)
		t.ssdp("urn:samsung.com:device:RemoteControlReceiver:1", "SHP, UPnP/1.0, Samsung UPnP SDK/1.0", "http://192.168.77.112:9197/dmr")
		t.dns("cdn.samsungcloudsolution.com", "time.samsungcloudsolution.com")
	})
	add("LG webOS television", "tv", func(t *talk) {
		t.dhcp("LGwebOSTV", "", busybox...)
		t.ssdp("urn:lge-com:service:webos-second-screen:1", "WebOS/4.1.0 UPnP/1.0", "http://192.168.77.113:1754/")
		t.dns("eic.lgtvsdp.com")
	})
	add("Sony BRAVIA", "tv", func(t *talk) {
		t.dhcp("BRAVIA-4K-GB", "android-dhcp-9", android...)
		t.mdns("Android", "BRAVIA-4K-GB-0a1b2c", "_googlecast._tcp", "id=0123456789abcdef0123456789abcdef", "md=BRAVIA 4K GB", "fn=Living room TV", "ca=2053")
	})
	add("Roku", "tv", func(t *talk) {
		t.dhcp("", "", busybox...)
		t.ssdp("roku:ecp", "Roku/11.5.0 UPnP/1.0 Roku/11.5.0", "http://192.168.77.115:8060/")
		t.dns("scribe.logs.roku.com", "api.sr.roku.com")
	})
	add("Fire TV", "tv", func(t *talk) {
		t.dhcp("", "android-dhcp-7.1.2", android...)
		t.mdns("Android", "amzn.dmgr:ABCD", "_amzn-wplay._tcp", "t=8", "n=Fire TV Stick")
		t.dns("device-metrics-us.amazon.com", "fireoscaptiveportal.com")
	})
	add("Chromecast", "tv", func(t *talk) {
		t.dhcp("Chromecast", "", dhcpcd...)
		t.mdns("12345678-aaaa", "Chromecast-0123456789abcdef", "_googlecast._tcp", "id=0123456789abcdef", "md=Chromecast", "fn=Bedroom", "ca=4101")
	})
	add("PlayStation 5", "console", func(t *talk) {
		t.dhcp("PS5-741", "", plain...)
		t.dns("ps5.update.playstation.net", "ena.net.playstation.net")
	})
	add("PlayStation 4", "console", func(t *talk) {
		t.dhcp("", "PS4", plain...)
		t.dns("fus01.ps4.update.playstation.net", "asm.np.community.playstation.net")
	})
	add("Xbox", "console", func(t *talk) {
		t.dhcp("XBOXONE", "MSFT 5.0", 1, 15, 3, 6, 44, 46, 47, 31, 33, 121, 249, 252, 43)
		t.dns("title.mgt.xboxlive.com", "xsts.auth.xboxlive.com")
	})
	add("Nintendo Switch", "console", func(t *talk) {
		t.dhcp("", "", 1, 3, 6, 15, 28, 33)
		t.dns("ctest.cdn.nintendo.net", "dauth-lp1.ndas.srv.nintendo.net")
	})
	add("HP LaserJet", "printer", func(t *talk) {
		t.dhcp("NPI8D2A1C", "Hewlett-Packard JetDirect", jet...)
		t.mdns("NPI8D2A1C", "HP LaserJet M402dn (8D2A1C)", "_ipp._tcp", "txtvers=1", "ty=HP LaserJet M402dn", "product=(HP LaserJet M402dn)", "usb_MFG=HP")
	})
	add("Brother printer", "printer", func(t *talk) {
		t.dhcp("BRWA8DB03112233", "", 1, 3, 6, 15, 44, 47)
		t.mdns("BRWA8DB03112233", "Brother HL-L2350DW series", "_pdl-datastream._tcp", "ty=Brother HL-L2350DW series", "usb_MDL=HL-L2350DW series")
	})
	add("Epson printer", "printer", func(t *talk) {
		t.dhcp("EPSON8A1B2C", "", 1, 3, 6, 15, 44, 46, 47)
		t.mdns("EPSON8A1B2C", "EPSON ET-2720 Series", "_ipp._tcp", "ty=EPSON ET-2720 Series", "usb_MFG=EPSON")
		t.ssdp("urn:schemas-upnp-org:device:Printer:1", "EPSON_Linux UPnP/1.0 Epson UPnP SDK/1.0", "http://192.168.77.124:80/PRESENTATION/BONJOUR")
	})
	add("Synology storage", "nas", func(t *talk) {
		t.dhcp("DiskStation", "", busybox...)
		t.mdns("DiskStation", "DiskStation", "_http._tcp", "vendor=Synology", "model=DS220+", "serial=2040SJR")
		t.mdns("DiskStation", "DiskStation", "_smb._tcp")
		t.dns("checkip.synology.com", "update.synology.com")
	})
	add("QNAP storage", "nas", func(t *talk) {
		t.dhcp("NASB7C2D1", "", dhcpcd...)
		t.mdns("NASB7C2D1", "NASB7C2D1", "_afpovertcp._tcp")
		t.mdns("NASB7C2D1", "NASB7C2D1", "_device-info._tcp", "model=Xserve")
		t.dns("edge.api.myqnapcloud.com")
	})
	add("Sonos", "speaker", func(t *talk) {
		t.dhcp("SonosZP", "", busybox...)
		t.mdns("Sonos-949F3E001122", "RINCON_949F3E00112201400@Kitchen", "_sonos._tcp", "info=/api/v1/players/x/info")
		t.ssdp("urn:schemas-upnp-org:device:ZonePlayer:1", "Linux UPnP/1.0 Sonos/70.3-35220 (ZPS14)", "http://192.168.77.127:1400/xml/device_description.xml")
	})
	add("Google Home Mini", "speaker", func(t *talk) {
		t.dhcp("Google-Home-Mini", "", dhcpcd...)
		t.mdns("aabbccdd-1122", "Google-Home-Mini-0123", "_googlecast._tcp", "id=fedcba9876543210", "md=Google Home Mini", "fn=Kitchen speaker", "ca=199172")
	})
	add("Bose SoundTouch", "speaker", func(t *talk) {
		t.dhcp("Bose-SM2-A1B2C3", "", busybox...)
		t.mdns("Bose-SM2-a1b2c3", "Bathroom", "_soundtouch._tcp", "DESCRIPTION=SoundTouch", "MAC=A1B2C3D4E5F6", "MANUFACTURER=Bose Corporation", "MODEL=SoundTouch")
	})
	add("HomePod", "speaker", func(t *talk) {
		t.dhcp("Kueche", "", ios...)
		t.mdns("Kueche", "Kueche", "_airplay._tcp", "deviceid=AA:BB:CC:00:11:33", "model=AudioAccessory5,1")
	})
	add("Echo Dot", "speaker", func(t *talk) {
		t.dhcp("", "", dhcpcd...)
		t.dns("device-metrics-us.amazon.com", "avs-alexa-16-na.amazon.com", "bob-dispatch-prod-na.amazon.com")
	})
	add("Windows server of an unknown sort", "computer|server|unknown", func(t *talk) { t.dhcp("srv-files", "MSFT 5.0", windows...) })
	add("Device that says nothing", "unknown", func(t *talk) { t.dhcp("", "", 1, 3, 6) })
	return out
}
