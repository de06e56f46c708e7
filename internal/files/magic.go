package files

import "bytes"

// signature is the beginning of a kind of file.
type signature struct {
	at    int
	magic string
	name  string // in the words of file(1), without details
}

// signatures are tried in order. Names begin as those of libmagic do, because
// rules look for parts of them.
var signatures = []signature{
	{0, "%PDF-", "PDF document"},
	{0, "\x7fELF", "ELF"},
	{0, "PK\x03\x04", "Zip archive data"},
	{0, "PK\x05\x06", "Zip archive data (empty)"},
	{0, "\x1f\x8b", "gzip compressed data"},
	{0, "BZh", "bzip2 compressed data"},
	{0, "\xfd7zXZ\x00", "XZ compressed data"},
	{0, "7z\xbc\xaf\x27\x1c", "7-zip archive data"},
	{0, "Rar!\x1a\x07", "RAR archive data"},
	{0, "\x28\xb5\x2f\xfd", "Zstandard compressed data"},
	{0, "MSCF\x00\x00\x00\x00", "Microsoft Cabinet archive data"},
	{0, "\x89PNG\r\n\x1a\n", "PNG image data"},
	{0, "\xff\xd8\xff", "JPEG image data"},
	{0, "GIF8", "GIF image data"},
	{0, "BM", "PC bitmap"},
	{0, "II*\x00", "TIFF image data, little-endian"},
	{0, "MM\x00*", "TIFF image data, big-endian"},
	{0, "\x00\x00\x01\x00", "MS Windows icon resource"},
	{0, "\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "Composite Document File V2 Document"},
	{0, "{\\rtf", "Rich Text Format data"},
	{0, "\xca\xfe\xba\xbe", "Java class data"},
	{0, "CWS", "Macromedia Flash data (compressed)"},
	{0, "FWS", "Macromedia Flash data"},
	{0, "ZWS", "Macromedia Flash data (lzma compressed)"},
	{0, "ID3", "Audio file with ID3"},
	{0, "OggS", "Ogg data"},
	{0, "fLaC", "FLAC audio bitstream data"},
	{0, "\x1a\x45\xdf\xa3", "Matroska data"},
	{0, "FLV\x01", "Macromedia Flash Video"},
	{4, "ftyp", "ISO Media"},
	{8, "WEBP", "RIFF (little-endian) data, Web/P image"},
	{8, "WAVE", "RIFF (little-endian) data, WAVE audio"},
	{8, "AVI ", "RIFF (little-endian) data, AVI"},
	{0, "wOFF", "Web Open Font Format"},
	{0, "wOF2", "Web Open Font Format (Version 2)"},
	{0, "L\x00\x00\x00\x01\x14\x02\x00", "MS Windows shortcut"},
	{0, "dex\n03", "Dalvik dex file"},
	{0, "!<arch>\ndebian", "Debian binary package"},
	{0, "!<arch>\n", "current ar archive"},
	{0, "\xed\xab\xee\xdb", "RPM"},
	{0, "\x27\x05\x19\x56", "u-boot legacy uImage"},
	{0, "hsqs", "Squashfs filesystem, little endian"},
	{0, "SQLite format 3\x00", "SQLite 3.x database"},
	{0, "\xd4\xc3\xb2\xa1", "pcap capture file"},
	{0, "-----BEGIN CERTIFICATE", "PEM certificate"},
	{257, "ustar", "POSIX tar archive"},
}

// Magic describes a file by its first bytes: "PE32 executable", "PDF
// document", "ASCII text"; "data" when they tell nothing and empty when there
// are none.
func Magic(b []byte) string {
	if len(b) == 0 {
		return ""
	}
	if len(b) >= 2 && string(b[:2]) == "MZ" {
		return executable(b)
	}
	for i := range signatures {
		s := &signatures[i]
		if len(b) >= s.at+len(s.magic) && string(b[s.at:s.at+len(s.magic)]) == s.magic {
			return s.name
		}
	}
	return text(b)
}

// executable tells DOS programs and what came after them apart, by the new
// header that the old one points to.
func executable(b []byte) string {
	const dos = "MS-DOS executable"
	if len(b) < 64 {
		return dos
	}
	at := int(uint32(b[60]) | uint32(b[61])<<8 | uint32(b[62])<<16 | uint32(b[63])<<24&0x7fffffff)
	if at < 0 || at+4 > len(b) {
		return dos
	}
	pe := b[at:]
	if string(pe[:2]) != "PE" {
		return dos
	}
	// The optional header follows the signature and the 20 bytes of the COFF
	// header; its first word tells 32 from 64 bits.
	if len(pe) < 26 {
		return "PE32 executable"
	}
	dll := pe[23]&0x20 != 0 // IMAGE_FILE_DLL, 0x2000
	plus := pe[24] == 0x0b && pe[25] == 0x02
	switch {
	case plus && dll:
		return "PE32+ executable (DLL)"
	case plus:
		return "PE32+ executable"
	case dll:
		return "PE32 executable (DLL)"
	}
	return "PE32 executable"
}

// text tells kinds of text apart.
func text(b []byte) string {
	utf8, ascii := true, true
	for i := 0; i < len(b); i++ {
		c := b[i]
		switch {
		case c >= 0x80:
			ascii = false
			n := utf8Len(b[i:])
			if n == 0 {
				utf8 = false
			}
			i += max(n, 1) - 1
		case c < 0x20 && c != '\n' && c != '\r' && c != '\t' && c != '\f' && c != '\b' && c != 0x1b || c == 0x7f:
			return "data"
		}
	}
	s := bytes.TrimLeft(b, " \t\r\n")
	switch {
	case hasFold(s, "<!doctype html"), hasFold(s, "<html"), hasFold(s, "<head"), hasFold(s, "<title"), hasFold(s, "<script"), hasFold(s, "<body"):
		return "HTML document"
	case hasFold(s, "<?xml"):
		return "XML document"
	case hasFold(s, "<?php"):
		return "PHP script"
	case len(s) >= 2 && s[0] == '#' && s[1] == '!':
		return "script text executable"
	}
	switch {
	case ascii:
		return "ASCII text"
	case utf8:
		return "UTF-8 Unicode text"
	}
	return "ISO-8859 text"
}

// utf8Len returns the length of the sequence at the start of b, 0 when it is
// none; one that is cut off counts as whole.
func utf8Len(b []byte) int {
	n := 0
	switch c := b[0]; {
	case c >= 0xc2 && c < 0xe0:
		n = 2
	case c >= 0xe0 && c < 0xf0:
		n = 3
	case c >= 0xf0 && c < 0xf5:
		n = 4
	default:
		return 0
	}
	n = min(n, len(b))
	for _, c := range b[1:n] {
		if c&0xc0 != 0x80 {
			return 0
		}
	}
	return n
}

// hasFold reports whether b begins with the lower-case s.
func hasFold(b []byte, s string) bool {
	if len(b) < len(s) {
		return false
	}
	for i := range len(s) {
		c := b[i]
		if 'A' <= c && c <= 'Z' {
			c |= 0x20
		}
		if c != s[i] {
			return false
		}
	}
	return true
}
