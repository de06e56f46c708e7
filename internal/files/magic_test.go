package files

import (
	"strings"
	"testing"
)

// pe is the beginning of a program with a new header of that magic and those
// characteristics (PE format, sections 2 and 3.3).
func pe(characteristics, magic string) string {
	return "MZ" + strings.Repeat("\x00", 58) + "\x80\x00\x00\x00" + strings.Repeat("\x00", 64) +
		"PE\x00\x00" + strings.Repeat("\x00", 18) + characteristics + magic
}

func TestMagic(t *testing.T) {
	for in, want := range map[string]string{
		"":                                    "",
		"%PDF-1.4\n":                          "PDF document",
		"\x7fELF\x02\x01":                     "ELF",
		"PK\x03\x04\x14":                      "Zip archive data",
		"\x1f\x8b\x08":                        "gzip compressed data",
		"\x89PNG\r\n\x1a\n\x00":               "PNG image data",
		"\xff\xd8\xff\xe0":                    "JPEG image data",
		"GIF89a":                              "GIF image data",
		"MZ":                                  "MS-DOS executable",
		"MZ" + strings.Repeat("\xff", 62):     "MS-DOS executable",
		pe("\x02\x01", "\x0b\x01"):            "PE32 executable",
		pe("\x02\x21", "\x0b\x01"):            "PE32 executable (DLL)",
		pe("\x22\x00", "\x0b\x02"):            "PE32+ executable",
		pe("\x22\x20", "\x0b\x02"):            "PE32+ executable (DLL)",
		"\n <!DOCTYPE HTML PUBLIC":            "HTML document",
		"<?xml version=\"1.0\"?>":             "XML document",
		"#!/bin/sh\n":                         "script text executable",
		"plain words\r\n":                     "ASCII text",
		"gr\xc3\xbc\xc3\x9fe":                 "UTF-8 Unicode text",
		"gr\xfc\xdfe":                         "ISO-8859 text",
		"cut in a letter \xe2\x82":            "UTF-8 Unicode text",
		"\x00\x01\x02":                        "data",
		"RIFF\x00\x00\x00\x00WEBPVP8":         "RIFF (little-endian) data, Web/P image",
		strings.Repeat("\x00", 257) + "ustar": "POSIX tar archive",
	} {
		if got := Magic([]byte(in)); got != want {
			t.Errorf("%.20q: %q, want %q", in, got, want)
		}
	}
}

func FuzzMagic(f *testing.F) {
	f.Add([]byte(pe("\x02\x01", "\x0b\x01")))
	f.Fuzz(func(t *testing.T, b []byte) {
		if got := Magic(b); (got == "") != (len(b) == 0) {
			t.Errorf("%q", got)
		}
	})
}
