package labnet

import (
	"net"
	"net/netip"
)

// model is what a device is: the addresses it has and what it says of itself
// when it joins the network, as documented products of its kind do.
type model struct {
	Name string // "camera"
	Kind string // as the gateway ought to recognise it
	MAC  net.HardwareAddr
	IP4  netip.Addr
	IP6  netip.Addr

	hostname, vendorClass string
	params                []byte // DHCP option 55
	agent                 string // of its HTTP requests
	services              []service
	ssdp                  [][2]string // type, server
	discovery             string      // WS-Discovery types and scopes
	lookups               []string    // names it asks for when it starts
	open                  []uint16    // ports on which it serves its own page
}

// service is announced by mDNS.
type service struct {
	instance, name string
	port           uint16
	text           []string
}

// DeviceNames lists the devices.
func DeviceNames() (out []string) {
	for i := range inventory {
		out = append(out, inventory[i].Name)
	}
	return out
}

// loginPort is where the NAS lets people log in, and what the router forwards
// to it.
const loginPort = 5000

const nasIndex = 1

// routerMAC is of a maker of home routers (Buffalo).
const routerMAC = "b0:c7:45:61:3d:02"

// inventory is the home. The blocks of the hardware addresses belong to makers
// of such devices; the phone's address is made up, as phones do.
var inventory = [...]model{
	{Name: "camera", Kind: "camera", MAC: mac("c0:56:e3:5a:10:20"), IP4: ip("192.168.50.20"), IP6: ip("2001:db8:50::20"),
		hostname: "DS-2CD2042WD-I", vendorClass: "udhcp 1.19.4", params: []byte{1, 3, 6, 12, 15, 28, 42}, agent: "HikIPCamera/5.5",
		discovery: `<d:Types>dn:NetworkVideoTransmitter</d:Types><d:Scopes>onvif://www.onvif.org/type/video_encoder onvif://www.onvif.org/hardware/IPC-LAB onvif://www.onvif.org/name/Garden</d:Scopes>`,
		lookups:   []string{"dev.hik-connect.com", "time.lab.example"}, open: []uint16{80}},
	{Name: "nas", Kind: "nas", MAC: mac("00:11:32:7c:41:0e"), IP4: ip("192.168.50.30"), IP6: ip("2001:db8:50::30"),
		hostname: "DiskStation", params: []byte{1, 3, 6, 12, 15, 28, 42}, agent: "synopkg/1.0",
		services: []service{{"DiskStation", "_http._tcp", loginPort, []string{"vendor=Synology", "model=DS220+", "serial=2040LAB"}}, {"DiskStation", "_smb._tcp", 445, nil}},
		lookups:  []string{"checkip.synology.com", "update.synology.com"}, open: []uint16{loginPort}},
	{Name: "pc", Kind: "computer", MAC: mac("f8:e4:e3:92:0b:7d"), IP4: ip("192.168.50.40"), IP6: ip("2001:db8:50::40"),
		hostname: "study-ubuntu", params: []byte{1, 28, 2, 3, 15, 6, 119, 12, 44, 47, 26, 121, 42},
		agent: "Mozilla/5.0 (X11; Ubuntu; Linux x86_64; rv:132.0) Gecko/20100101 Firefox/132.0", lookups: []string{"connectivity-check.ubuntu.com", "ntp.ubuntu.com"}},
	{Name: "tv", Kind: "tv", MAC: mac("cc:2d:8c:30:e5:61"), IP4: ip("192.168.50.50"), IP6: ip("2001:db8:50::50"),
		hostname: "LGwebOSTV", vendorClass: "udhcp 1.24.2", params: []byte{1, 3, 6, 12, 15, 28, 42}, agent: "Mozilla/5.0 (Web0S; Linux/SmartTV) AppleWebKit/537.36 Chrome/94.0 Safari/537.36",
		services: []service{{"[LG] webOS TV Lab", "_airplay._tcp", 7000, []string{"manufacturer=LG", "model=OLED55C1"}}},
		ssdp:     [][2]string{{"urn:lge-com:service:webos-second-screen:1", "WebOS/4.1.0 UPnP/1.0"}}, lookups: []string{"lgtvsdp.com", "video.lab.example"}},
	{Name: "phone", Kind: "phone", MAC: mac("da:31:7f:04:b6:19"), IP4: ip("192.168.50.60"), IP6: ip("2001:db8:50::60"),
		hostname: "Pixel-7", vendorClass: "android-dhcp-13", params: []byte{1, 3, 6, 15, 26, 28, 51, 58, 59, 43, 114, 108},
		agent: "Mozilla/5.0 (Linux; Android 14; Pixel 7) AppleWebKit/537.36 Chrome/130.0 Mobile Safari/537.36", lookups: []string{"connectivitycheck.gstatic.com", "time.android.com"}},
}

func mac(s string) net.HardwareAddr {
	m, err := net.ParseMAC(s)
	if err != nil {
		panic(err)
	}
	return m
}

func ip(s string) netip.Addr { return netip.MustParseAddr(s) }
