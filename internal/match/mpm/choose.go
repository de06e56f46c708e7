package mpm

import (
	"math"
	"sync"
)

// chooser picks the windows of patterns so that they are rare in traffic and differ from each other.
type chooser struct {
	kind
	used  map[uint64]int  // how many patterns a folded window stands for already
	words map[uint64]bool // folded windows of common text
}

func newChooser(k kind) *chooser {
	c := &chooser{kind: k, used: make(map[uint64]int)}
	if words := commonWords[k.width]; words != nil {
		c.words = words()
	}
	return c
}

// maxChoice is how many places of a pattern are weighed; the choice is stored in a byte.
const maxChoice = 200

// choose returns where in b the class's windows begin, and remembers them.
func (c *chooser) choose(b []byte) int {
	w, _ := c.best(b)
	c.take(b, w)
	return w
}

// take remembers that a pattern's windows begin at w.
func (c *chooser) take(b []byte, w int) {
	for s := range c.step {
		c.used[key(b[w+s:w+s+c.width])]++
	}
}

// best returns the cheapest place and what it costs.
func (c *chooser) best(b []byte) (int, float64) {
	span := c.width + c.step - 1
	best, bestCost := 0, math.Inf(1)
	for w := 0; w+span <= len(b) && w < maxChoice; w++ {
		cost := 0.0
		for s := range c.step {
			cost += c.cost(b[w+s : w+s+c.width])
		}
		if cost < bestCost {
			best, bestCost = w, cost
		}
	}
	return best, bestCost
}

func key(w []byte) uint64 {
	var v uint64
	for i, x := range w {
		v |= uint64(x|0x20) << (8 * i)
	}
	return v
}

// cost estimates how often a window occurs in a megabyte of traffic, plus what it costs to share it with others.
func (c *chooser) cost(w []byte) float64 {
	p := float64(1 << 20)
	for i, x := range w {
		q := float64(frequency(x)) / 1000
		if i > 0 {
			q = max(q, after(w[i-1], x))
		}
		p *= q
	}
	if c.words[key(w)] {
		p += commonCost
	}
	n := float64(c.used[key(w)])
	return p + n*n/2 + n
}

// share estimates which part of all positions of traffic has one of the class's windows at the begin of b.
func (c *chooser) share(b []byte) float64 {
	sum := 0.0
	for s := range c.step {
		p := 1.0
		for i, x := range b[s : s+c.width] {
			q := float64(frequency(x)) / 1000
			if i > 0 {
				q = max(q, after(b[s+i-1], x))
			}
			p *= q
		}
		sum += p
	}
	return sum / float64(c.step)
}

// after is how likely x follows prev where the two attract each other: padding, and small numbers in wide fields.
func after(prev, x byte) float64 {
	small := func(b byte) bool { return b > 0 && b < 32 && b != '\r' && b != '\n' && b != '\t' }
	switch {
	case prev == 0 && x == 0:
		return 0.7
	case small(prev) && x == 0:
		return 0.4
	case prev == 0 && small(x):
		return 0.02
	case prev == x && (x == ' ' || x == 0xff):
		return 0.4
	case prev == x:
		return 0.02
	case prev == '\r' && x == '\n':
		return 1
	}
	return 0
}

// commonCost is the cost of a window that occurs in common, by its order of magnitude.
const commonCost = 1000

// common holds what every header of plain-text protocols and most markup and scripts repeat. The single blanks count:
// windows over them are as common as the words.
const common = "GET / HTTP/1.1\r\nHost: www. HTTP/1.0 200 OK\r\nUser-Agent: Mozilla/5.0 (Windows NT 10.0; Win64; x64) " +
	"AppleWebKit/537.36 (KHTML, like Gecko) Chrome/1 Safari/537.36\r\n Firefox/ compatible; MSIE POST /index. " +
	"\r\nAccept: */*\r\n\r\nAccept-Language: en-US,en;q=0.5\r\nAccept-Encoding: gzip, deflate\r\nReferer: http://www. " +
	"https:// \r\nConnection: keep-alive\r\nConnection: close\r\nContent-Length: 0 \r\nContent-Type: text/html; charset=utf-8\r\n" +
	"application/json application/x-www-form-urlencoded\r\n\r\n application/octet-stream\r\n multipart/form-data; boundary= " +
	"Content-Disposition: attachment; filename= form-data; name=\" Content-Transfer-Encoding: binary\r\n" +
	"\r\nCache-Control: no-cache\r\nPragma: no-cache\r\nCookie: \r\nSet-Cookie: path=/; expires= GMT\r\nServer: nginx Apache\r\n" +
	"\r\nDate: Last-Modified: ETag: image/jpeg image/png .php?id= .html .com/ .js\" .css\" .com\x00 " +
	"<html> <head> <title> </title> <meta <script type=\"text/javascript\"> </script> <div class=\" </div> <a href=\" <span style=\" " +
	"<body> </body> </html> <form method=\" <input type=\"text\" name=\" value=\" function( document. window. location. return " +
	".prototype .length .getElementById( new this. var if ( == null string object undefined "

// commonWords are the folded windows of common by width. They never change; making them takes longer than a small filter.
var commonWords = [6]func() map[uint64]bool{
	3: sync.OnceValue(func() map[uint64]bool { return foldedWindows(common, 3) }),
	4: sync.OnceValue(func() map[uint64]bool { return foldedWindows(common, 4) }),
	5: sync.OnceValue(func() map[uint64]bool { return foldedWindows(common, 5) }),
}

func foldedWindows(text string, width int) map[uint64]bool {
	words := make(map[uint64]bool, len(text))
	for i := 0; i+width <= len(text); i++ {
		words[key([]byte(text[i:i+width]))] = true
	}
	return words
}

// frequency estimates how many of a thousand bytes of traffic are x, in either case: text of web pages and headers
// over a floor of compressed and encrypted bytes.
func frequency(x byte) int {
	if x-'A' < 26 {
		x |= 0x20
	}
	switch x {
	case 0:
		return 60
	case ' ':
		return 50
	case 'e':
		return 60
	case 't', 'a', 'o', 'i', 'n', 's', 'r':
		return 45
	case 'c', 'd', 'l', 'p', 'm', 'h', 'u':
		return 25
	case '/', '.', '-', ':', '=', '"', '0', '1', '2', '\r', '\n', 0xff:
		return 18
	case 'f', 'g', 'w', 'b', 'y', '3', '4', '5', '6', '7', '8', '9', '<', '>', ';', ',', 1, 2, 3:
		return 14
	case 'v', 'k', 'x', '&', '_', '(', ')', '%', 4, 5, 6, 8, 16:
		return 9
	case 'j', 'q', 'z', '+', '{', '}', '\'', '?', '\t':
		return 6
	}
	return 4
}
