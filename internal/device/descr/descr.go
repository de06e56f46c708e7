// Package descr reads what devices say about themselves in XML: UPnP device
// descriptions (UPnP Device Architecture 2.0 section 2.3) and messages of
// WS-Discovery (OASIS 1.1). It is no XML parser: it walks over tags and hands on
// the text of a few elements, whatever the rest is, so that there are no
// entities to expand and no tree to grow.
package descr

import "bytes"

// Limits.
const (
	MaxBytes = 64 << 10 // of a document that are read
	MaxTags  = 2000     // of a document that are looked at
	MaxText  = 256      // bytes of an element's text
)

// Elements calls f with the local name and the text of each element that holds
// nothing but text, until f returns false. The slices lie in b; text is
// trimmed, entities are left as they are: see Unescape.
func Elements(b []byte, f func(name, text []byte) bool) {
	b = b[:min(len(b), MaxBytes)]
	var open []byte // local name of the latest start tag, while only text has followed
	start := 0      // of the text after it
	at := 0
	for range MaxTags {
		i := bytes.IndexByte(b[at:], '<')
		if i < 0 {
			return
		}
		lt := at + i
		rest := b[lt:]
		switch {
		case bytes.HasPrefix(rest, []byte("<!--")):
			n := bytes.Index(rest, []byte("-->"))
			if n < 0 {
				return
			}
			at, open = lt+n+3, nil
			continue
		case bytes.HasPrefix(rest, []byte("<![CDATA[")):
			n := bytes.Index(rest, []byte("]]>"))
			if n < 0 {
				return
			}
			at, open = lt+n+3, nil
			continue
		}
		n := bytes.IndexByte(rest, '>')
		if n < 0 {
			return
		}
		tag := rest[1:n]
		at = lt + n + 1
		switch {
		case len(tag) == 0 || tag[0] == '?' || tag[0] == '!' || tag[len(tag)-1] == '/':
			open = nil
		case tag[0] == '/':
			if open != nil && bytes.Equal(local(tag[1:]), open) {
				text := bytes.TrimSpace(b[start:lt])
				if len(text) > 0 && len(text) <= MaxText && !f(open, text) {
					return
				}
			}
			open = nil
		default:
			open, start = local(tag), at
		}
	}
}

// local returns the name in a tag without prefix and attributes.
func local(tag []byte) []byte {
	if i := bytes.IndexAny(tag, " \t\r\n"); i >= 0 {
		tag = tag[:i]
	}
	if i := bytes.LastIndexByte(tag, ':'); i >= 0 {
		tag = tag[i+1:]
	}
	return tag
}

// Unescape undoes the five entities of XML in place and returns what is left
// of b.
func Unescape(b []byte) []byte {
	out := b[:0]
	for i := 0; i < len(b); i++ {
		if b[i] == '&' {
			for _, e := range [...]struct {
				name string
				c    byte
			}{{"&amp;", '&'}, {"&lt;", '<'}, {"&gt;", '>'}, {"&quot;", '"'}, {"&apos;", '\''}} {
				if bytes.HasPrefix(b[i:], []byte(e.name)) {
					out = append(out, e.c)
					i += len(e.name) - 1
					goto next
				}
			}
		}
		out = append(out, b[i])
	next:
	}
	return out
}

// IsDescription reports whether b begins like a UPnP device description.
func IsDescription(b []byte) bool {
	return bytes.Contains(b[:min(len(b), 512)], []byte("urn:schemas-upnp-org:device-1-0"))
}
