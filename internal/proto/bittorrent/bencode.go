package bittorrent

// maxDepth bounds lists and dictionaries in each other; DHT messages have
// three levels.
const maxDepth = 8

// bencode takes values off a bencoded message (BEP 3). After the first that is
// malformed, or not what is asked for, bad is set.
type bencode struct {
	b   []byte
	bad bool
}

func (d *bencode) fail() { d.bad, d.b = true, nil }

// open takes the c that begins a list or dictionary.
func (d *bencode) open(c byte) {
	if len(d.b) == 0 || d.b[0] != c {
		d.fail()
		return
	}
	d.b = d.b[1:]
}

// more says whether another element follows, and takes the end when not.
func (d *bencode) more() bool {
	if len(d.b) == 0 {
		d.fail()
		return false
	}
	if d.b[0] == 'e' {
		d.b = d.b[1:]
		return false
	}
	return true
}

// number takes digits up to the mark end. A leading zero is only for zero, and
// n has nine digits at most, more than any length or port.
func (d *bencode) number(end byte) (n int) {
	const digits = 9
	for i, c := range d.b {
		switch {
		case c == end && i > 0:
			d.b = d.b[i+1:]
			return n
		case c < '0' || c > '9' || i == digits || i == 1 && n == 0:
			d.fail()
			return 0
		}
		n = 10*n + int(c-'0')
	}
	d.fail()
	return 0
}

func (d *bencode) str() []byte {
	n := d.number(':')
	if d.bad || n > len(d.b) {
		d.fail()
		return nil
	}
	s := d.b[:n:n]
	d.b = d.b[n:]
	return s
}

func (d *bencode) int() int {
	d.open('i')
	if len(d.b) > 1 && d.b[0] == '-' && d.b[1] != '0' {
		d.b = d.b[1:]
		return -d.number('e')
	}
	return d.number('e')
}

// skip takes one value of any kind.
func (d *bencode) skip() {
	depth := 0
	for {
		if len(d.b) == 0 {
			d.fail()
			return
		}
		switch d.b[0] {
		case 'i':
			d.int()
		case 'l', 'd':
			d.b = d.b[1:]
			if depth++; depth > maxDepth {
				d.fail()
				return
			}
		case 'e':
			if depth == 0 {
				d.fail()
				return
			}
			d.b = d.b[1:]
			depth--
		default:
			d.str()
		}
		if d.bad || depth == 0 {
			return
		}
	}
}
