package synth

// later: things of YourThings, the CIC's and other collections since 2018.
func (l *list) later() {
	l.add(google, "Nest Mini", "speaker", func(t *talk) {
		t.dhcp("Google-Nest-Mini", "", dhcpcd...)
		t.mdns("0a1b2c3d-aaaa", "Google-Nest-Mini-0a1b", "_googlecast._tcp", "id=0a1b", "md=Google Nest Mini", "fn=Office", "ca=199172")
	})
	l.add(google, "Nest Hub", "speaker|hub", func(t *talk) {
		t.dhcp("Google-Nest-Hub", "", dhcpcd...)
		t.mdns("0a1b2c3d-bbbb", "Google-Nest-Hub-0a1c", "_googlecast._tcp", "id=0a1c", "md=Google Nest Hub", "fn=Kitchen", "ca=231429")
	})
	l.add(amazon, "Echo Show without name", "speaker|unknown", func(t *talk) {
		t.dhcp("", "android-dhcp-7.1.2", android...)
		t.dns("fireoscaptiveportal.com", "device-metrics-us-2.amazon.com", "avs-alexa-14-na.amazon.com", "api.amazonalexa.com")
	})
	l.add(amazon, "Fire tablet", "tablet|unknown", func(t *talk) {
		t.dhcp("amazon-0011aabb2", "android-dhcp-9", android...)
		t.dns("fireoscaptiveportal.com", "device-metrics-us.amazon.com", "softwareupdates.amazon.com", "kindle-time.amazon.com")
	})
	l.add(amazon, "Kindle reader", "tablet|unknown", func(t *talk) {
		t.dhcp("kindle", "", busybox...)
		t.dns("kindle-time.amazon.com", "ntp-g7g.amazon.com", "todo-g7g.amazon.com")
	})
	l.add([3]byte{0x94, 0x9f, 0x3e}, "Sonos One", "speaker", func(t *talk) {
		t.dhcp("SonosZP", "", busybox...)
		t.ssdpAs("RINCON_949F3E10010101400", "upnp:rootdevice", "Linux UPnP/1.0 Sonos/57.3-77280 (ZPS13)", "http://192.168.77.61:1400/xml/device_description.xml")
		t.dns("conn-i-api.ws.sonos.com")
	})
	l.add(lg, "LG television", "tv", func(t *talk) { t.dhcp("LGwebOSTV", "", busybox...); t.dns("gb.lgtvsdp.com", "snu.lge.com") })
	l.add(lg, "LG television without name", "tv", func(t *talk) {
		t.dhcp("", "", busybox...)
		t.dns("us.ad.lgsmartad.com", "ngfts.lge.com", "aic-ngfts.lge.com")
	})
	l.add(lg, "LG washing machine", "appliance", func(t *talk) { t.dhcp("LG_Smart_Laundry2_open", "", 1, 3, 6, 15); t.dns("common.lgthinq.com") })
	l.add([3]byte{0x64, 0x1c, 0xb0}, "Samsung fridge", "appliance", func(t *talk) {
		t.dhcp("Samsung-Refrigerator", "dhcpcd-5.5.6:Linux-3.10.65:armv7l:sdp1601", dhcpcd...)
		t.dns("config.samsungads.com", "osb.samsungqbe.com", "api.smartthings.com", "ocfconnect-shard-na04-useast2.samsungiotcloud.com")
	})
	l.add([3]byte{0x64, 0x1c, 0xb0}, "Samsung fridge without name", "appliance|unknown", func(t *talk) {
		t.dhcp("localhost", "", dhcpcd...)
		t.dns("osb.samsungqbe.com", "otnprd8.samsungcloudsolution.net", "ocfconnect-shard-na04-useast2.samsungiotcloud.com")
	})
	l.add(netgear, "Arlo base station", "hub|camera", func(t *talk) {
		t.dhcp("VMB4000-59U1", "udhcp 1.22.1", busybox...)
		t.dns("updates.netgear.com", "vzweb02-prod.vz.netgear.com", "arlo-device.messaging.netgear.com")
	})
	l.add(netgear, "Arlo Q camera", "camera", func(t *talk) {
		t.dhcp("VMC3040-48D1", "udhcp 1.22.1", busybox...)
		t.dns("updates.netgear.com", "arlo-device.messaging.netgear.com")
	})
	l.add([3]byte{0x8c, 0x85, 0x80}, "Eufy HomeBase", "hub|unknown", func(t *talk) {
		t.dhcp("", "udhcp 1.24.1", busybox...)
		t.dns("security-app.eufylife.com", "zhixin-security-wifi-ci.eufylife.com")
	})
	l.add(wyze, "Wyze Cam", "camera", func(t *talk) {
		t.dhcp("WyzeCam", "udhcp 1.22.1", busybox...)
		t.dns("api.wyzecam.com", "wyze-general-api.wyzecam.com")
	})
	l.add(wyze, "Wyze Cam v3", "camera", func(t *talk) {
		t.dhcp("WYZE_CAKP2JFUS-2CAA8E100110", "udhcp 1.24.1", busybox...)
		t.dns("api.wyzecam.com")
	})
	l.add(wyze, "Wyze bulb without name", "light|unknown", func(t *talk) { t.dhcp("", "", 1, 3, 28, 6); t.dns("api.wyzecam.com", "wyze-iot.s3.amazonaws.com") })
	l.add([3]byte{0x0c, 0x47, 0xc9}, "Ring doorbell", "camera", func(t *talk) { t.dhcp("Ring-0c47c9", "", busybox...); t.dns("fw.ring.com", "es.ring.com") })
	l.add(samjin, "Ring alarm base", "hub|unknown", func(t *talk) { t.dhcp("", "", busybox...); t.dns("fw.rss.ring.com", "iot.ring.com") })
	l.add([3]byte{0xb0, 0xa7, 0x37}, "Roku", "tv", func(t *talk) {
		t.dhcp("", "", busybox...)
		t.dns("scribe.logs.roku.com", "cooper.logs.roku.com", "api.sr.roku.com")
	})
	l.add([3]byte{0x78, 0x8b, 0x2a}, "Yi camera", "camera", func(t *talk) {
		t.dhcp("antscam", "udhcp 1.20.2", busybox...)
		t.dns("api.us.xiaoyi.com", "log.us.xiaoyi.com")
	})
	l.add([3]byte{0x78, 0x8b, 0x2a}, "Yi camera without name", "camera", func(t *talk) { t.dhcp("", "udhcp 1.20.2", busybox...); t.dns("api.us.xiaoyi.com") })
	l.add(tuya, "Tuya plug without name", "plug|unknown", func(t *talk) {
		t.dhcp("lwip0", "", 1, 3, 28, 6)
		t.dns("a2.tuyaus.com", "m2.tuyaus.com")
		t.connects(8883, lwip)
	})
	l.add(tuya, "Tuya bulb without name", "light|unknown", func(t *talk) {
		t.dhcp("wlan0", "", 1, 3, 28, 6)
		t.dns("a2.tuyaus.com", "m2.tuyaus.com")
		t.connects(8883, lwip)
	})
	l.add(tuya, "Tuya coffee maker without name", "appliance|unknown", func(t *talk) { t.dhcp("", "", 1, 3, 28, 6); t.dns("a2.tuyaus.com") })
	l.add(iRobot, "Roomba", "appliance", func(t *talk) {
		t.dhcp("iRobot-0123456789ABCDEF", "", 1, 3, 6, 12, 15, 28)
		t.mdns("iRobot-0123456789ABCDEF", "iRobot-0123456789ABCDEF", "_amzn-alexa._tcp")
	})
	l.add(iRobot, "Roomba of which only mDNS is seen", "appliance|unknown", func(t *talk) {
		t.mdns("host-77", "robot", "_amzn-alexa._tcp")
		t.dns("disc-prod.iot.irobotapi.com")
	})
	l.add(myQ, "myQ garage hub", "hub|appliance", func(t *talk) {
		t.dhcp("MyQ-1A2", "", 1, 3, 6, 15)
		t.dns("connect.myqdevice.com")
		t.connects(8883, lwip)
	})
	l.add(gubei, "Broadlink remote", "hub|appliance|unknown", func(t *talk) { t.dhcp("", "", 1, 3, 6); t.dns("device-heartbeat-us-abc.ibroadlink.com") })
	l.add([3]byte{0x70, 0x88, 0x6b}, "Awair air monitor", "appliance", func(t *talk) {
		t.dhcp("AWAIR-ELEM-1234", "", 1, 3, 6)
		t.dns("messaging.awair.is", "ota.awair.is")
	})
	l.add([3]byte{0x7c, 0x70, 0xbc}, "Canary camera", "camera", func(t *talk) { t.dhcp("", "udhcp 1.20.2", busybox...); t.dns("api-v2.canaryis.com") })
	l.add([3]byte{0xe0, 0x76, 0xd0}, "August doorbell camera", "camera|unknown", func(t *talk) { t.dhcp("August-Doorbell", "udhcp 1.20.2", busybox...); t.dns("logger.august.com") })
	l.add([3]byte{0xb8, 0x5f, 0x98}, "Blink Mini", "camera", func(t *talk) { t.dhcp("Blink-Mini-7A1", "", 1, 3, 6); t.dns("rest-prod.immedia-semi.com") })
	l.add([3]byte{0xa8, 0xbb, 0x50}, "WiZ bulb", "light", func(t *talk) { t.dhcp("wiz_a8bb50", "", 1, 3, 6); t.dns("eu.wiz.world") })
	l.add([3]byte{0x78, 0x11, 0xdc}, "Yeelight", "light", func(t *talk) { t.dhcp("yeelink-light-color1_miio1234567", "", 1, 3, 28, 6); t.dns("ot.io.mi.com") })
	l.add([3]byte{0x78, 0x11, 0xdc}, "Xiaomi gateway", "hub", func(t *talk) { t.dhcp("lumi-gateway-v3_miio12345678", "", 1, 3, 6, 12, 15, 28); t.dns("ot.io.mi.com") })
	l.add([3]byte{0x78, 0x11, 0xdc}, "Xiaomi robot", "appliance", func(t *talk) { t.dhcp("rockrobo", "udhcp 1.22.1", busybox...); t.dns("ot.io.mi.com", "ott.io.mi.com") })
	l.add([3]byte{0xb0, 0xce, 0x18}, "IKEA gateway", "hub", func(t *talk) {
		t.dhcp("GW-B8D7AF100101", "", 1, 3, 6, 15)
		t.mdns("TRADFRI-Gateway-b8d7af100101", "gw-b8d7af100101", "_coap._udp")
		t.dns("fw.ota.homesmart.ikea.net")
	})
	l.add(espressif, "Shelly plug", "plug", func(t *talk) { t.dhcp("shellyplug-s-100110", "", 1, 3, 28, 6) })
	l.add(espressif, "ESPHome board", "unknown|plug|light|appliance", func(t *talk) {
		t.dhcp("node-1", "", 1, 3, 28, 6)
		t.mdns("node-1", "node-1", "_esphomelib._tcp", "version=2023.5")
	})
	l.add([3]byte{0x00, 0x0e, 0xf3}, "Insteon hub", "hub", func(t *talk) { t.dhcp("", "", 1, 3, 6); t.dns("connect.insteon.com") })
	l.add([3]byte{0x64, 0x16, 0x66}, "Nest thermostat", "appliance", func(t *talk) {
		t.dhcp("", "", 1, 3, 6, 12, 15, 28)
		t.dns("transport06-rts11-iad01.transport.home.nest.com", "weather01.home.nest.com")
	})
	l.add([3]byte{0x64, 0x16, 0x66}, "Nest camera", "camera", func(t *talk) {
		t.dhcp("", "", busybox...)
		t.dns("nexus.dropcam.com", "stream.dropcam.com", "frontdoor.nest.com")
	})
	l.add([3]byte{0x44, 0x61, 0x32}, "ecobee", "appliance", func(t *talk) {
		t.dhcp("ecobee", "", 1, 3, 6)
		t.mdns("ecobee-x", "My ecobee", "_hap._tcp", "md=ecobee3 lite", "ci=9", "id=AA:BB:CC:00:12:44")
	})
	l.add([3]byte{0xc8, 0xd7, 0x78}, "Bosch dishwasher", "appliance", func(t *talk) { t.dhcp("BOSCH-SMV68-0011", "", 1, 3, 6, 15); t.dns("prod.reu.rest.homeconnectegw.com") })
	l.add([3]byte{0x50, 0xc7, 0xbf}, "TP-Link Tapo plug", "plug", func(t *talk) { t.dhcp("P115", "", 1, 3, 28, 6); t.dns("euw1-device-cloudgateway.iot.i.tplinknbu.com") })
	l.add([3]byte{0x50, 0xc7, 0xbf}, "TP-Link Tapo camera", "camera", func(t *talk) {
		t.dhcp("C200_AB12CD", "udhcp 1.24.1", busybox...)
		t.dns("n-euw1-device-api.tplinkcloud.com")
	})
}
