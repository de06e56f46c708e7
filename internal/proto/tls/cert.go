package tls

import (
	"bytes"
	"errors"
)

// errCert says that a certificate is not an X.509 certificate in DER.
var errCert = errors.New("tls: malformed certificate")

// Cert holds the fields of one X.509 certificate (RFC 5280 section 4.1) that
// events and rules use. Its slices point into the certificate.
type Cert struct {
	Raw       []byte // the whole DER
	Version   int    // 1, 2 or 3
	Serial    []byte // content of the INTEGER, as encoded
	Issuer    []byte // content of the Name: see AppendName
	Subject   []byte
	NotBefore Time
	NotAfter  Time
	SAN       []byte // content of the GeneralNames: see nextSAN; nil if none
}

// Time is a point in time as a certificate writes it.
type Time struct {
	Tag  byte // UTCTime or GeneralizedTime
	Text []byte
}

// oidSAN is 2.5.29.17, subjectAltName.
var oidSAN = []byte{0x55, 0x1d, 0x11}

// maxCertExtensions bounds the extensions looked at for the alternative names.
// Public authorities issue about ten.
const maxCertExtensions = 64

// ParseCert reads one certificate. It overwrites ct, which then points into
// der. Bytes after the certificate are ignored.
func ParseCert(der []byte, ct *Cert) error {
	*ct = Cert{Raw: der, Version: 1}
	r := derReader{b: der}
	outer := derReader{b: r.want(tagSequence)}
	tbs := derReader{b: outer.want(tagSequence)}
	if tbs.peek() == tagContext0 {
		_, c := tbs.next()
		v := derReader{b: c}
		if n := v.want(tagInteger); len(n) == 1 {
			ct.Version = int(n[0]) + 1
		}
	}
	ct.Serial = tbs.want(tagInteger)
	tbs.want(tagSequence) // signature algorithm
	ct.Issuer = tbs.want(tagSequence)
	validity := derReader{b: tbs.want(tagSequence)}
	ct.NotBefore.Tag, ct.NotBefore.Text = validity.next()
	ct.NotAfter.Tag, ct.NotAfter.Text = validity.next()
	ct.Subject = tbs.want(tagSequence)
	if r.bad || outer.bad || tbs.bad || validity.bad {
		*ct = Cert{Raw: der}
		return errCert
	}
	tbs.want(tagSequence) // public key
	for len(tbs.b) > 0 {
		tag, c := tbs.next()
		if tag == tagContext3 {
			ct.SAN = findSAN(c)
		}
	}
	return nil
}

// findSAN returns the content of the subject's alternative names in the
// content of [3] EXPLICIT Extensions.
func findSAN(b []byte) []byte {
	r := derReader{b: b}
	list := derReader{b: r.want(tagSequence)}
	for i := 0; i < maxCertExtensions && len(list.b) > 0; i++ {
		x := derReader{b: list.want(tagSequence)}
		oid := x.want(tagOID)
		if x.peek() == tagBoolean {
			x.next()
		}
		val := x.want(tagOctetString)
		if bytes.Equal(oid, oidSAN) {
			v := derReader{b: val}
			return v.want(tagSequence)
		}
	}
	return nil
}

// nextSAN takes the next alternative name off *rest: DNS names, mail addresses
// and URIs as they stand, IP addresses (ip set) as four or sixteen bytes; other
// kinds are skipped. It returns nil when there is none left.
func nextSAN(rest *[]byte) (name []byte, ip bool) {
	r := derReader{b: *rest}
	for len(r.b) > 0 {
		tag, c := r.next()
		if r.bad {
			break
		}
		switch tag {
		case 0x81, 0x82, 0x86: // rfc822Name, dNSName, uniformResourceIdentifier
			*rest = r.b
			return c, false
		case 0x87: // iPAddress
			if len(c) == 4 || len(c) == 16 {
				*rest = r.b
				return c, true
			}
		}
	}
	*rest = nil
	return nil, false
}
