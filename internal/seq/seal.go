package seq

// Suites of TLS up to 1.2, by what they add to content (IANA registry "TLS
// Cipher Suites"). Those in none of the ranges are CBC with SHA-1, but for the
// few with a stream cipher, which nobody has offered for years.
var (
	shortTag = [...]suites{{0xc0a0, 0xc0a3}, {0xc0a8, 0xc0ab}, {0xc0ae, 0xc0af}, {0xcca8, 0xccae}} // CCM-8: nonce and tag of 8; ChaCha20: tag of 16, no nonce
	longTag  = [...]suites{{0x009c, 0x00ad}, {0xc02b, 0xc032}, {0xc050, 0xc063}, {0xc07a, 0xc093}, {0xc09c, 0xc09f}, {0xc0a4, 0xc0a7}, {0xc0ac, 0xc0ad}}
	sha256   = [...]suites{{0x003c, 0x0040}, {0x0067, 0x006d}, {0x00ae, 0x00ae}, {0x00b2, 0x00b2}, {0x00b6, 0x00b6}, {0x00ba, 0x00c5}, {0xc023, 0xc023}, {0xc025, 0xc025}, {0xc027, 0xc027}, {0xc029, 0xc029}}
	sha384   = [...]suites{{0x00af, 0x00af}, {0x00b3, 0x00b3}, {0x00b7, 0x00b7}, {0xc024, 0xc024}, {0xc026, 0xc026}, {0xc028, 0xc028}, {0xc02a, 0xc02a}}
)

type suites struct{ from, to uint16 }

func among(list []suites, id uint16) bool {
	for _, s := range list {
		if id >= s.from && id <= s.to {
			return true
		}
	}
	return false
}

const cbcBlock = 16

// Protect says by which suite and version the records are protected, as the
// server's hello has it. Of CBC, where content and MAC are padded to whole
// blocks (RFC 5246 section 6.2.3.2, RFC 7366), the middle of what it may be is
// taken.
func (t *Tracker) Protect(version, suite uint16) {
	if version >= 0x0304 || version < 0x0300 {
		return // what Start took for granted
	}
	t.Kind = TLS12
	mac := 20
	switch {
	case among(shortTag[:], suite):
		t.over = 16
		return
	case among(longTag[:], suite):
		return
	case among(sha384[:], suite):
		mac = 48
	case among(sha256[:], suite):
		mac = 32
	}
	t.over = uint8(mac + cbcBlock/2)
	if version >= 0x0302 {
		t.over += cbcBlock // an IV in each record, RFC 4346 section 6.2.3.2
	}
	t.Blocks = true
}
