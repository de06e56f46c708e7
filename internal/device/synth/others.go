package synth

// Others returns products that were written down when the tables were done, to
// see how they do on what nobody had in mind. Sources: the makers' manuals and
// developer documents (ONVIF, HomeKit Accessory Protocol, Bonjour printing,
// AirPlay, Google Cast, Matter), default host names on the makers' support pages.
func Others() []Conversation {
	l := list{set: 3}
	l.screens()
	l.eyes()
	l.boxes()
	l.asking()
	return l.out
}

// hello announces a device in WS-Discovery (OASIS 1.1), with types and scopes.
func (t *talk) hello(types, scopes string) {
	t.udp(t.ip, [4]byte{239, 255, 255, 250}, 3702, 3702, []byte(`<?xml version="1.0"?><s:Envelope xmlns:s="http://www.w3.org/2003/05/soap-envelope"><s:Header>`+
		`<a:Action>http://schemas.xmlsoap.org/ws/2005/04/discovery/Hello</a:Action></s:Header><s:Body><d:Hello><a:EndpointReference><a:Address>urn:uuid:`+
		`1419d68a-1dd2-11b2-a105-`+hex(t.mac)+`</a:Address></a:EndpointReference><d:Types>`+types+`</d:Types><d:Scopes>`+scopes+`</d:Scopes></d:Hello></s:Body></s:Envelope>`))
}

func (l *list) screens() {
	l.add(private, "Sony television with AirPlay alone", "tv", func(t *talk) {
		t.mdns("KD-55XH9096", "Wohnzimmer TV", "_airplay._tcp", "model=KD-55XH9096", "manufacturer=Sony", "deviceid=AA:BB:CC:20:00:01")
	})
	l.add(private, "Samsung television with AirPlay alone", "tv", func(t *talk) {
		t.mdns("Samsung", "Samsung Q80 Series (55)", "_airplay._tcp", "model=QA55Q80", "manufacturer=Samsung", "integrator=Samsung")
	})
	l.add(private, "Philips Android television", "tv", func(t *talk) {
		t.dhcp("", "android-dhcp-9", android...)
		t.mdns("Android", "55PUS8505", "_androidtvremote._tcp", "bt=AA:BB")
		t.mdns("0a0b-0c", "TPM191E-0a0b", "_googlecast._tcp", "id=0b", "md=TPM191E", "fn=Philips TV")
	})
	l.add(private, "Vizio television", "tv", func(t *talk) {
		t.dhcp("", "", busybox...)
		t.mdns("vizio", "Family Room", "_viziocast._tcp", "name=P65")
	})
	l.add(private, "Panasonic television", "tv", func(t *talk) {
		t.dhcp("", "", busybox...)
		t.ssdp("urn:panasonic-com:device:p00RemoteController:1", "Linux/4.0 UPnP/1.0 Panasonic-MIL-DLNA-SV/1.0", "http://192.168.77.30:55000/nrc/ddd.xml")
	})
	l.add(private, "TCL Roku television", "tv", func(t *talk) {
		t.dhcp("TCLRokuTV-1A2", "", busybox...)
		t.mdns("tcl", "TCL Roku TV", "_airplay._tcp", "model=8106X", "manufacturer=TCL")
	})
	l.add(private, "PlayStation 3", "console", func(t *talk) {
		t.dhcp("", "", 1, 3, 15, 6)
		t.search("urn:schemas-upnp-org:device:MediaServer:1", "UPnP/1.0 DLNADOC/1.50 PLAYSTATION 3")
	})
	l.add(private, "PlayStation 4 of which its discovery is seen", "console", func(t *talk) { t.dhcp("PS4-123", "", 1, 3, 15, 6) })
	l.add(private, "Xbox that searches", "console|computer|unknown", func(t *talk) {
		t.dhcp("", "MSFT 5.0", windows...)
		t.dns("title.auth.xboxlive.com", "title.mgt.xboxlive.com", "licensing.mp.microsoft.com")
	})
	l.add(private, "Wii U", "console", func(t *talk) { t.dhcp("WiiU", "", 1, 3, 6, 15); t.dns("nus.c.shop.nintendowifi.net") })
	l.add(private, "JBL bar", "speaker", func(t *talk) {
		t.mdns("JBL-Bar-500", "JBL Bar 500", "_googlecast._tcp", "md=JBL Bar 500", "fn=Living room")
		t.mdns("JBL-Bar-500", "JBL Bar 500", "_spotify-connect._tcp", "CPath=/x")
	})
	l.add(private, "Yamaha receiver", "speaker", func(t *talk) {
		t.mdns("RX-V6A-1A2B", "RX-V6A 1A2B", "_airplay._tcp", "model=RX-V6A", "manufacturer=Yamaha Corporation")
	})
	l.add(private, "WiiM player", "speaker", func(t *talk) { t.mdns("WiiM-Pro-8A", "WiiM Pro-8A", "_linkplay._tcp", "uuid=FF97") })
	l.add(private, "Echo that joins a second time", "speaker|unknown", func(t *talk) {
		t.dhcp("amazon-77aa", "dhcpcd-7.2.3", dhcpcd...)
		t.dns("api.amazonalexa.com", "avs-alexa-4-na.amazon.com", "dcape-na.amazon.com")
	})
}

// by names that are asked for alone, as IoTrim lists them (Mandalari et al.,
// "Blocking without Breaking", PETS 2021).
func (l *list) asking() {
	l.add(amazon, "Fire TV by its names alone", "tv|unknown", func(t *talk) {
		t.dns("arcus-uswest.amazon.com", "bob-dispatch-prod-eu.amazon.com", "device-metrics-us.amazon.com", "api.amazon.com", "ktpx-eu.amazon.com",
			"mas-ext-eu.amazon.com", "mas-sdk.amazon.com", "msh.amazon.com", "unagi-eu.amazon.com")
	})
	l.add(amazon, "Echo Dot by its names alone", "speaker|unknown", func(t *talk) {
		t.dns("arcus-uswest.amazon.com", "bob-dispatch-prod-eu.amazon.com", "device-metrics-us.amazon.com", "dp-gw.amazon.com", "fireoscaptiveportal.com",
			"prod.amcs-tachyon.com", "unagi.amazon.com")
	})
	l.add(private, "Blink module by its names alone", "hub|unknown", func(t *talk) { t.dns("rest-hw-prde.immedia-semi.com", "cs-prde.immedia-semi.com") })
	l.add(osram, "Lightify by its names alone", "hub", func(t *talk) { t.dns("srm-emea-p01-lb02.arrayent.com") })
	l.add(private, "kettle by its names alone", "appliance", func(t *talk) { t.dns("ak.myappkettle.com", "query.jingxuncloud.com") })
	l.add(google, "Google Home by its names alone", "speaker|unknown", func(t *talk) {
		t.dns("clientservices.googleapis.com", "connectivitycheck.gstatic.com", "fcm.googleapis.com", "home-devices.googleapis.com", "play.googleapis.com")
	})
	l.add(tpLink, "TP-Link bulb by its names alone", "light|unknown", func(t *talk) {
		t.dns("euw1-api.tplinkra.com", "n-devs.tplinkcloud.com", "n-deventry.tplinkcloud.com", "use1-api.tplinkra.com")
	})
	l.add(private, "Hue bridge by its names alone", "hub", func(t *talk) { t.dns("dcp.dc1.philips.com", "diagnostics.meethue.com", "ws.meethue.com") })
	l.add(private, "Wansview by its names alone", "camera", func(t *talk) { t.dns("ajcloud.net", "cam-gw-isc-eu02.ajcloud.net", "htpdate.ajcloud.net") })
	l.add(private, "Yi by its names alone", "camera", func(t *talk) { t.dns("api.eu.xiaoyi.com", "log.eu.xiaoyi.com") })
	l.add(private, "rice cooker by its names alone", "appliance|unknown", func(t *talk) { t.dns("ot.io.mi.com") })
	l.add(private, "Reolink by its names alone", "camera", func(t *talk) { t.dns("p2p.reolink.com", "pushx.reolink.com") })
	l.add(nest, "Nest thermostat by its names alone", "appliance", func(t *talk) {
		t.dns("transport.home.nest.com", "logsink.devices.nest.com", "frontdoor.nest.com")
	})
}

func (l *list) eyes() {
	l.add(private, "Hikvision camera with ONVIF", "camera", func(t *talk) {
		t.hello("dn:NetworkVideoTransmitter tds:Device", "onvif://www.onvif.org/type/video_encoder onvif://www.onvif.org/hardware/DS-2CD2143G2-I onvif://www.onvif.org/name/HIKVISION%20DS-2CD2143G2-I")
	})
	l.add(private, "recorder with ONVIF", "recorder|camera", func(t *talk) {
		t.hello("dn:NetworkVideoDisplay tds:Device", "onvif://www.onvif.org/hardware/NVR5216 onvif://www.onvif.org/name/NVR")
	})
	l.add(private, "Axis camera", "camera", func(t *talk) {
		t.dhcp("axis-accc8e100101", "AXIS,Network Camera,M1065-L,9.80", busybox...)
		t.mdns("axis-accc8e100101", "AXIS M1065-L - ACCC8E100101", "_axis-video._tcp", "macaddress=ACCC8E100101")
	})
	l.add(private, "Reolink doorbell", "camera", func(t *talk) { t.dhcp("Reolink-Doorbell", "udhcp 1.24.1", busybox...) })
	l.add(private, "Eufy camera in HomeKit", "camera", func(t *talk) {
		t.mdns("eufy-a1", "eufyCam", "_hap._tcp", "md=T8400", "ci=17", "id=AA:BB:CC:20:01:01")
	})
	l.add(private, "Logitech Circle View", "camera", func(t *talk) { t.mdns("circle-1", "Circle View 7A", "_hap._tcp", "md=V-R0008", "ci=17") })
	l.add(private, "Foscam", "camera", func(t *talk) { t.dhcp("ipcamera_00626E100101", "", busybox...); t.dns("myfoscam.org") })
	l.add(private, "ESP32 camera", "camera|unknown|plug|light|appliance", func(t *talk) { t.dhcp("esp32-cam", "", 1, 3, 28, 6) })
	l.add(private, "UniFi Protect doorbell", "camera", func(t *talk) { t.dhcp("UVC-G4-Doorbell", "ubnt", busybox...) })
	l.add(private, "Meross plug", "plug", func(t *talk) {
		t.dhcp("Meross_Smart_Plug", "", 1, 3, 28, 6)
		t.mdns("Meross_Smart_Plug", "Smart Plug Mini", "_hap._tcp", "md=MSS110", "ci=7")
	})
	l.add(private, "Nanoleaf panels", "light", func(t *talk) {
		t.mdns("Nanoleaf-Shapes-55A1", "Shapes 55A1", "_nanoleafapi._tcp", "md=NL42", "id=AA:BB")
	})
	l.add(private, "Matter bulb", "light|unknown", func(t *talk) { t.mdns("0E1A2B3C4D5E", "87E1B004E235A130-8FC7772401CD0696", "_matter._tcp", "SII=300") })
	l.add(private, "Elgato light", "light", func(t *talk) {
		t.mdns("elgato-key-light-a1", "Elgato Key Light A1B2", "_elg._tcp", "mf=Elgato", "md=Elgato Key Light 20GAK9901")
	})
	l.add(private, "Dyson fan", "appliance", func(t *talk) { t.mdns("VS6-EU-ABC", "475_VS6-EU-ABC", "_dyson_mqtt._tcp") })
	l.add(private, "Roborock", "appliance", func(t *talk) { t.dhcp("roborock-vacuum-a15", "", 1, 3, 6, 12, 15, 28); t.dns("ot.io.mi.com") })
	l.add(private, "Daikin unit", "appliance", func(t *talk) { t.dhcp("DaikinAP12345", "", 1, 3, 6) })
	l.add(private, "Tesla wall connector", "appliance", func(t *talk) { t.dhcp("TeslaWallConnector_E4A1B2", "", 1, 3, 6) })
}

func (l *list) boxes() {
	l.add(private, "Aqara hub in HomeKit", "hub", func(t *talk) { t.mdns("aqara-1", "Aqara Hub-1A2B", "_hap._tcp", "md=AQARA HUB", "ci=2") })
	l.add(private, "DIRIGERA", "hub", func(t *talk) {
		t.dhcp("gw2-1a2b3c4d5e6f", "", busybox...)
		t.mdns("gw2-1a2b3c4d5e6f", "DIRIGERA", "_hap._tcp", "md=DIRIGERA Hub for smart products", "ci=2")
	})
	l.add(private, "Home Assistant", "hub", func(t *talk) {
		t.dhcp("homeassistant", "", nm...)
		t.mdns("homeassistant", "Home", "_home-assistant._tcp", "version=2024.1.0")
		t.dns("version.home-assistant.io")
	})
	l.add(private, "Bosch controller", "hub", func(t *talk) { t.mdns("shc0a1b2c", "Bosch SHC [64-da-a0-02-14-9b]", "_http._tcp") })
	l.add(private, "TrueNAS", "nas", func(t *talk) { t.dhcp("truenas", "", nm...); t.mdns("truenas", "truenas", "_smb._tcp") })
	l.add(private, "storage with a Time Machine", "nas", func(t *talk) {
		t.mdns("tower", "tower", "_smb._tcp")
		t.mdns("tower", "tower", "_adisk._tcp", "sys=waMa=0,adVF=0x100")
		t.mdns("tower", "tower", "_device-info._tcp", "model=TimeCapsule8,119")
	})
	l.add(private, "Asustor", "nas", func(t *talk) {
		t.dhcp("AS5304T-1A2B", "", dhcpcd...)
		t.mdns("AS5304T-1A2B", "AS5304T-1A2B", "_afpovertcp._tcp")
		t.dns("update.asustor.com")
	})
	l.add(private, "HP printer with WS-Discovery", "printer", func(t *talk) {
		t.dhcp("HP9C7BEF", "", 6, 3, 1, 15, 66, 67, 13, 44, 12)
		t.hello("wprt:PrintDeviceType wscn:ScanDeviceType", "")
	})
	l.add(private, "Canon printer", "printer", func(t *talk) {
		t.mdns("C0A1B2000001", "Canon TR8600 series", "_ipps._tcp", "ty=Canon TR8600 series", "usb_MFG=Canon")
	})
	l.add(private, "label printer", "printer", func(t *talk) {
		t.mdns("BRWB068E6A1B2C3", "Brother QL-820NWB", "_pdl-datastream._tcp", "ty=Brother QL-820NWB")
	})
	l.add(private, "Linksys mesh", "router", func(t *talk) { t.dhcp("Linksys12345", "udhcp 1.22.1", busybox...) })
	l.add(private, "ASUS mesh node", "router", func(t *talk) { t.dhcp("RT-AX92U-1A20", "udhcp 1.25.1", busybox...) })
	l.add(private, "OpenWrt access point", "router", func(t *talk) { t.dhcp("OpenWrt", "udhcp 1.36.1", busybox...); t.dns("2.openwrt.pool.ntp.org") })
	l.add(private, "another router", "router", func(t *talk) {
		t.ssdp("urn:schemas-upnp-org:device:InternetGatewayDevice:1", "Linux/3.4 UPnP/1.0 MiniUPnPd/1.9", "http://192.168.77.1:5000/rootDesc.xml")
	})
	l.add(private, "Snom telephone", "voip", func(t *talk) {
		t.dhcp("snomD785-1A2B3C", "snom-D785", 1, 3, 6, 15, 42, 66, 67)
		t.dns("secure-provisioning.snom.com")
	})
	l.add(private, "Grandstream adapter", "voip", func(t *talk) { t.dhcp("HT801", "Grandstream HT801 dslforum.org", 1, 3, 6, 15, 42, 43, 66) })
	l.add(private, "iMac", "computer", func(t *talk) { t.dhcp("iMac-von-Anna", "", macOS...) })
	l.add(private, "Mac without name", "computer", func(t *talk) { t.dhcp("", "", macOS...); t.dns("time.apple.com", "gs-loc.apple.com") })
	l.add(private, "Mac that shares a printer", "computer", func(t *talk) {
		t.dhcp("Studio", "", macOS...)
		t.mdns("Studio", "HP LaserJet M402dn @ Studio", "_ipp._tcp", "ty=HP LaserJet M402dn", "usb_MFG=HP", "product=(HP LaserJet M402dn)")
	})
	l.add(private, "Linux computer that shares a printer", "computer|unknown", func(t *talk) {
		t.dhcp("lukas", "", nm...)
		t.mdns("lukas", "Brother HL-L2350DW @ lukas", "_ipp._tcp", "ty=Brother HL-L2350DW")
		t.mdns("lukas", "lukas [9e:31:7c]", "_workstation._tcp")
	})
	l.add(private, "Android tablet with its browser", "tablet|unknown", func(t *talk) {
		t.dhcp("", "android-dhcp-11", android...)
		t.get("example.org", "/", "Mozilla/5.0 (Linux; Android 11; SM-T510) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/96.0.4664.45 Safari/537.36", linuxTCP)
	})
	l.add(private, "Galaxy phone of many programs", "phone", func(t *talk) {
		t.dhcp("S23-von-Lena", "android-dhcp-14", android...)
		t.dns("connectivitycheck.gstatic.com", "mtalk.google.com", "time.android.com", "api.ring.com", "meethue.com", "lgthinq.com")
	})
	l.add(private, "iPhone of which the names asked for are seen", "phone|unknown", func(t *talk) {
		t.dns("captive.apple.com", "iphone-ld.apple.com", "gs-loc.apple.com", "ws.sonos.com", "update.sonos.com", "netcom.netatmo.net")
	})
}
