package device

import (
	"strings"
	"unicode"
)

// Telling reports whether a name is likely that of one device in the world of
// a home: it names a person or ends in a number that was made for it. "iPhone"
// and "Galaxy-S21" name a product, and two people may have the same. The name
// is in lower case.
func Telling(name string) bool {
	name, _, _ = strings.Cut(name, ".")
	if len(name) < 5 {
		return false
	}
	words := strings.FieldsFunc(name, func(r rune) bool { return !unicode.IsLetter(r) && !unicode.IsDigit(r) && r != '\'' && r != '’' })
	brand, other, serial, number := false, 0, false, false
	for i, w := range words {
		w = strings.NewReplacer("'", "", "’", "").Replace(w)
		number = number || strings.IndexFunc(w, unicode.IsDigit) >= 0 && len(w) > 1
		switch {
		case made(w):
			serial = true
		case productWords[w] || productWords[strings.TrimRightFunc(w, unicode.IsDigit)]:
			brand = true
		case len(words) > i+1 && (w == "von" || w == "de" || w == "di" || w == "no" || w == "van"):
			other++ // iPhone-von-Anna
		case len([]rune(w)) >= 3 && !digits(w):
			other++
		}
	}
	if serial {
		return true
	}
	if !brand {
		return other > 0 && !number // "dcs-935l" is a product too
	}
	// A person beside a product: "annas-iphone", "ipad-de-luis", "花子のiphone".
	for _, mark := range [...]string{"s-", "'s ", "’s ", "s iphone", "s ipad", "siphone", "sipad", "-von-", "-de-", "-di-", "-van-", "-no-", "の"} {
		if i := strings.Index(name, mark); i > 1 || mark == "の" && i > 0 {
			first := words[0]
			return !productWords[first] || mark[0] == '-' || mark == "の"
		}
	}
	return false
}

// made reports that a word looks as if a machine made it: eight or more of
// hexadecimal digits with a decimal one among them, or seven with three digits
// and letters mixed, such as Windows puts behind DESKTOP-.
func made(w string) bool {
	hex, dec, letters := 0, 0, 0
	for _, r := range w {
		switch {
		case r >= '0' && r <= '9':
			hex++
			dec++
		case r >= 'a' && r <= 'f':
			hex++
			letters++
		case r >= 'a' && r <= 'z':
			letters++
		default:
			return false
		}
	}
	return hex == len(w) && len(w) >= 8 && dec > 0 || len(w) >= 7 && dec >= 2 && letters >= 2 && dec+letters == len(w)
}

func digits(w string) bool {
	return strings.IndexFunc(w, func(r rune) bool { return r < '0' || r > '9' }) < 0
}

// productWords are words of product names: they name no one device.
var productWords = func() map[string]bool {
	m := map[string]bool{}
	for _, w := range strings.Fields(`iphone ipad ipod watch macbook imac mac mini pro air max plus ultra se android galaxy tab note fold flip
		pixel nexus oneplus nord redmi xiaomi poco mi huawei honor mate nova lite oppo reno find vivo realme moto motorola edge razr
		power play stylus xperia sony nokia lg htc asus rog zenfone zenpad lenovo yoga thinkpad ideapad surface desktop laptop notebook
		pc computer workstation windows win linux ubuntu debian fedora raspberrypi raspberry pi localhost host device unknown espressif
		esp tv appletv apple homepod roku fire stick firetv chromecast google home nest hub echo dot alexa amazon kindle samsung
		bravia webos lgwebostv tizen philips hue bridge playstation ps xbox switch nintendo wii printer brother canon epson hp laserjet
		officejet deskjet envy camera cam ipcam nvr dvr nas diskstation synology qnap router gateway ap fritz box repeater phone tablet
		mobile smart light bulb plug lamp sensor the my local lan home user admin new old gen generation series one black white`) {
		m[w] = true
	}
	return m
}()
