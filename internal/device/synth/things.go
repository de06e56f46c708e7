package synth

import "github.com/yamori-net/yamori/internal/packet"

// Things returns what household things say when they are set up: those of
// public collections of captures (IoT Sentinel, UNSW, YourThings, CIC IoT) of
// which no capture is at hand. Each has an address of its real maker. Sources:
// hackerspace-bamberg.de (Fitbit Aria), openHAB's and Home Assistant's manuals
// for WeMo, Hue, LIFX, Netatmo, Roomba, TP-Link, D-Link, myQ; D-Link's published
// firmware sources (firmware query); MUD profiles of the University of New
// South Wales; manuals and support pages of the makers (hosts for firewalls,
// default host names); Apple's HomeKit Accessory Protocol; Google Cast.
func Things() []Conversation {
	l := list{set: 1}
	l.sentinel()
	l.testbed()
	l.later()
	return l.out
}

// list gathers conversations. Addresses of hardware are numbered.
type list struct {
	set byte
	out []Conversation
}

// add makes the conversation of a product whose maker's block begins with oui.
func (l *list) add(oui [3]byte, label, kind string, f func(t *talk)) {
	n := byte(len(l.out) + 1)
	t := &talk{mac: packet.MAC{oui[0], oui[1], oui[2], 0x10, l.set, n}, ip: [4]byte{192, 168, 77, 20 + n}, now: start, sport: 49000}
	f(t)
	l.out = append(l.out, Conversation{Name: label, Kind: kind, MAC: t.mac, Frames: t.out})
}

// Address blocks, as IEEE's registry has them.
var (
	gainSpan  = [3]byte{0x00, 0x1d, 0xc9}
	dLink     = [3]byte{0xb0, 0xc5, 0x54}
	edimax    = [3]byte{0x74, 0xda, 0x38}
	philips   = [3]byte{0x00, 0x17, 0x88}
	espressif = [3]byte{0x5c, 0xcf, 0x7f}
	osram     = [3]byte{0x84, 0x18, 0x26}
	tpLink    = [3]byte{0x50, 0xc7, 0xbf}
	belkin    = [3]byte{0x94, 0x10, 0x3e}
	withings  = [3]byte{0x00, 0x24, 0xe4}
	amazon    = [3]byte{0x44, 0x65, 0x0d}
	dropcam   = [3]byte{0x30, 0x8c, 0xfb}
	netatmo   = [3]byte{0x70, 0xee, 0x50}
	samsung   = [3]byte{0x00, 0x16, 0x6c}
	nest      = [3]byte{0x18, 0xb4, 0x30}
	invoxia   = [3]byte{0x18, 0xb7, 0x9e}
	ampak     = [3]byte{0xe0, 0x76, 0xd0}
	lifiLabs  = [3]byte{0xd0, 0x73, 0xd5}
	hp        = [3]byte{0x70, 0x5a, 0x0f}
	azureWave = [3]byte{0x74, 0xc6, 0x3b}
	rezolt    = [3]byte{0x74, 0x6a, 0x89}
	samjin    = [3]byte{0x28, 0x6d, 0x97}
	netgear   = [3]byte{0xb0, 0xb9, 0x8a}
	wyze      = [3]byte{0x2c, 0xaa, 0x8e}
	iRobot    = [3]byte{0x50, 0x14, 0x79}
	tuya      = [3]byte{0xd8, 0x1f, 0x12}
	google    = [3]byte{0xd8, 0xeb, 0x46}
	myQ       = [3]byte{0x64, 0x52, 0x99}
	gubei     = [3]byte{0x34, 0xea, 0x34}
	lg        = [3]byte{0xa8, 0x23, 0xfe}
)

// wemo announces itself as all of Belkin's WeMo do: the root device, its type
// and the service common to all of them, under an identifier with the product.
func (t *talk) wemo(product, typ string) {
	id := product + "-1_0-221517K0101769"
	for _, nt := range []string{"upnp:rootdevice", "urn:Belkin:device:" + typ + ":1", "urn:Belkin:service:basicevent:1", "urn:Belkin:service:firmwareupdate:1"} {
		t.ssdpAs(id, nt, "Unspecified, UPnP/1.0, Unspecified", "http://192.168.77.50:49153/setup.xml")
	}
}

// sentinel: device types of IoT Sentinel.
func (l *list) sentinel() {
	l.add(gainSpan, "Fitbit Aria scale", "appliance", func(t *talk) {
		t.dhcp("", "", 1, 3, 6)
		t.dns("www.fitbit.com")
		t.get("www.fitbit.com", "/scale/register?serialNumber=00112233", "", lwip)
	})
	l.add(dLink, "D-Link day camera DCS-930L", "camera", func(t *talk) {
		t.dhcp("DCS-930L", "", busybox...)
		t.dns("signal.auto.mydlink.com")
	})
	for _, p := range [][2]string{{"DCH-S150", "motion sensor"}, {"DCH-S160", "water sensor"}, {"DCH-S220", "siren"}} {
		l.add(dLink, "D-Link "+p[1]+" "+p[0], "appliance", func(t *talk) {
			t.dhcp("", "", busybox...)
			t.mdns("dch0101", "D-Link HNAP Service", "_dhnap._tcp", "path=/HNAP1/")
			t.dns("wrpd.dlink.com", "ntp1.dlink.com")
			t.get("wrpd.dlink.com", "/router/firmware/query.aspx?model="+p[0]+"_Ax_Default_FW_0122_B0C554100101", "", linuxTCP)
		})
	}
	l.add(edimax, "Edimax camera IC-3115W", "camera", func(t *talk) {
		t.dhcp("", "", busybox...)
		t.dns("pool.ntp.org", "www.myedimax.com")
		t.ssdp("urn:schemas-upnp-org:device:Basic:1", "Embedded UPnP/1.0", "http://192.168.77.26:80/ipcamdesc.xml")
	})
	l.add(philips, "Hue bridge", "hub", func(t *talk) {
		t.dhcp("Philips-hue", "", busybox...)
		t.ssdpAs("2f402f80-da50-11e1-9b23-"+hex(t.mac), "urn:schemas-upnp-org:device:basic:1", "Linux/3.14.0 UPnP/1.0 IpBridge/1.16.0", "http://192.168.77.27:80/description.xml")
		t.dns("dcp.cpp.philips.com", "www.ecdinterface.philips.com")
	})
	l.add(philips, "Hue bridge of which only SSDP is seen", "hub", func(t *talk) {
		t.ssdpAs("2f402f80-da50-11e1-9b23-"+hex(t.mac), "urn:schemas-upnp-org:device:basic:1", "Linux/3.14.0 UPnP/1.0", "http://192.168.77.28:80/description.xml")
	})
	for _, p := range []string{"iKettle 2.0", "SmarterCoffee"} {
		l.add(espressif, "Smarter "+p, "appliance", func(t *talk) {
			t.dhcp("ESP_100110", "", 1, 3, 28, 6)
			t.serves(2081, lwip)
		})
	}
	l.add(osram, "OSRAM Lightify gateway", "hub", func(t *talk) {
		t.dhcp("Lightify-100B1C", "", 1, 3, 6, 15)
		t.mdns("Lightify-100B1C", "Lightify-100B1C", "_http._tcp")
	})
	l.add(tpLink, "TP-Link HS100", "plug", func(t *talk) {
		t.dhcp("HS100", "", busybox...)
		t.dns("devs.tplinkcloud.com", "time-b.nist.gov")
		t.connects(50443, linuxTCP)
	})
	l.add(belkin, "WeMo switch", "plug", func(t *talk) { t.dhcp("", "", busybox...); t.wemo("Socket", "controllee"); t.dns("api.xbcs.net") })
	l.add(belkin, "WeMo Insight", "plug", func(t *talk) { t.dhcp("", "", busybox...); t.wemo("Insight", "insight"); t.dns("api.xbcs.net") })
	l.add(belkin, "WeMo Link", "hub", func(t *talk) {
		t.dhcp("", "", busybox...)
		t.wemo("Bridge", "bridge")
		t.dns("api.xbcs.net", "nat.xbcs.net")
	})
	l.add(belkin, "WeMo Link that names no type", "hub", func(t *talk) {
		t.ssdpAs("Bridge-1_0-231447B010024F", "upnp:rootdevice", "Unspecified, UPnP/1.0, Unspecified", "http://192.168.77.50:49154/setup.xml")
		t.dns("api.xbcs.net")
	})
	l.add(withings, "Withings scale", "appliance", func(t *talk) { t.dhcp("", "", 1, 3, 6); t.dns("scalews.withings.net") })
}

// testbed: those of UNSW's.
func (l *list) testbed() {
	l.add(amazon, "Amazon Echo", "speaker", func(t *talk) {
		t.dhcp("amazon-1a2b3c4d5", "dhcpcd-5.5.6", 1, 33, 3, 6, 15, 28, 51, 58, 59)
		t.dns("dcape-na.amazon.com", "softwareupdates.amazon.com", "pindorama.amazon.com", "device-metrics-us.amazon.com", "ntp-g7g.amazon.com", "www.example.org")
	})
	l.add(belkin, "WeMo motion sensor", "appliance", func(t *talk) {
		t.dhcp("", "", busybox...)
		t.wemo("Sensor", "sensor")
		t.dns("api.xbcs.net", "nat.xbcs.net")
	})
	l.add(dropcam, "Dropcam", "camera", func(t *talk) { t.dhcp("", "", busybox...); t.dns("nexus.dropcam.com", "oculus519-vir.dropcam.com") })
	l.add(netatmo, "Netatmo weather station", "appliance", func(t *talk) {
		t.dhcp("", "", 1, 3, 6)
		t.dns("netcom.netatmo.net")
		t.connects(25050, lwip)
	})
	l.add(netatmo, "Netatmo Welcome", "camera", func(t *talk) {
		t.dhcp("netatmo-welcome-a1b2c3", "udhcp 1.21.1", busybox...)
		t.dns("netcom.netatmo.net")
	})
	l.add(netatmo, "Netatmo Welcome without name", "camera|unknown", func(t *talk) {
		t.dhcp("", "udhcp 1.21.1", busybox...)
		t.dns("netcom.netatmo.net")
	})
	l.add(netatmo, "Netatmo Presence in HomeKit", "camera", func(t *talk) {
		t.dhcp("", "udhcp 1.21.1", busybox...)
		t.mdns("Presence-a1b2", "Presence", "_hap._tcp", "md=Presence", "ci=17", "id=AA:BB:CC:00:11:22")
		t.dns("netcom.netatmo.net")
	})
	l.add(samsung, "Samsung SmartCam", "camera", func(t *talk) {
		t.dhcp("", "udhcp 1.20.2", busybox...)
		t.dns("www.samsungsmartcam.com", "xmpp.samsungsmartcam.com")
	})
	l.add(nest, "Nest Protect", "appliance", func(t *talk) {
		t.dhcp("", "", 1, 3, 6, 15)
		t.dns("frontdoor.nest.com", "time.nestlabs.com", "log-rts01-iad01.devices.nest.com")
	})
	l.add(invoxia, "Triby", "speaker", func(t *talk) {
		t.dhcp("triby", "udhcp 1.22.1", busybox...)
		t.mdns("triby-a1b2", "Triby", "_spotify-connect._tcp", "CPath=/zc")
		t.dns("udp.invoxia.com", "sip.invoxia.com")
	})
	l.add(ampak, "PIX-STAR photo frame", "appliance|tv|unknown", func(t *talk) {
		t.dhcp("", "udhcp 1.15.3", busybox...)
		t.dns("api.pix-star.com", "iptime.pix-star.com")
	})
	l.add(lifiLabs, "LIFX bulb", "light", func(t *talk) { t.dhcp("LIFX Bulb", "", 1, 3, 6); t.dns("v2.broker.lifx.co", "pool.ntp.org") })
	l.add(lifiLabs, "LIFX bulb without name", "light", func(t *talk) { t.dhcp("", "", 1, 3, 6); t.dns("v2.broker.lifx.co") })
	l.add(hp, "HP Envy", "printer", func(t *talk) {
		t.dhcp("HP705A0F", "", 6, 3, 1, 15, 66, 67, 13, 44, 12)
		t.dns("chat.hpeprint.com", "xmpp009.hpeprint.com")
	})
	l.add(tpLink, "TP-Link camera NC220", "camera", func(t *talk) {
		t.dhcp("NC220", "udhcp 1.19.4", busybox...)
		t.dns("devs.tplinkcloud.com", "relay.tplinkcloud.com")
	})
	l.add(tpLink, "TP-Link camera without name", "camera|unknown", func(t *talk) {
		t.dhcp("", "udhcp 1.19.4", busybox...)
		t.dns("devs.tplinkcloud.com", "n-devs.tplinkcloud.com")
		t.connects(50443, linuxTCP)
	})
	l.add(azureWave, "iHome plug", "plug", func(t *talk) {
		t.dhcp("", "", 1, 3, 6, 12, 15, 28)
		t.mdns("iHome-SmartPlug-A1B2C3", "iHome SmartPlug-A1B2C3", "_hap._tcp", "md=iSP5", "ci=7", "id=AA:BB:CC:00:11:44")
		t.dns("mqtt.evrythng.com")
	})
	l.add(rezolt, "Blipcare blood pressure meter", "appliance", func(t *talk) { t.dhcp("", "", 1, 3, 6); t.dns("tech.carematix.com"); t.connects(8777, lwip) })
	l.add([3]byte{0xe8, 0xab, 0xfa}, "Insteon camera", "camera", func(t *talk) {
		t.dhcp("Insteon-Camera", "udhcp 0.9.9", busybox...)
		t.mdns("Insteon-Camera", "Insteon Camera", "_rtsp._tcp")
	})
	l.add(withings, "Withings baby monitor", "camera", func(t *talk) {
		t.dhcp("", "udhcp 1.15.3", busybox...)
		t.dns("babyws.withings.net", "xmpp.withings.net")
	})
	l.add([3]byte{0x24, 0xfd, 0x5b}, "SmartThings hub", "hub", func(t *talk) {
		t.dhcp("", "", busybox...)
		t.dns("dc.connect.smartthings.com", "fw-update2.smartthings.com")
	})
}
