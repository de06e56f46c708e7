package quic

import (
	"encoding/binary"
	"strconv"

	"github.com/yamori-net/yamori/internal/event"
	"github.com/yamori-net/yamori/internal/proto/tls"
)

// maxExtensions bounds the extensions of a hello in an event; browsers send
// about 20.
const maxExtensions = 64

// maxValues bounds those of one extension.
const maxValues = 64

// Extensions whose values are told.
const (
	extServerName = 0
	extSigAlgs    = 13
	extALPN       = 16
	extVersions   = 43
)

// extensionNames are the names of IANA's registry of TLS ExtensionType Values;
// status_request_v2 and others that nobody sends in QUIC have a number alone.
var extensionNames = map[uint16]string{
	0: "server_name", 1: "max_fragment_length", 2: "client_certificate_url", 3: "trusted_ca_keys", 4: "truncated_hmac", 5: "status_request",
	10: "supported_groups", 11: "ec_point_formats", 13: "signature_algorithms", 15: "heartbeat", 16: "alpn", 18: "signed_certificate_timestamp",
	21: "padding", 22: "encrypt_then_mac", 23: "extended_master_secret", 27: "compress_certificate", 28: "record_size_limit",
	35: "session_ticket", 41: "pre_shared_key", 42: "early_data", 43: "supported_versions", 44: "cookie", 45: "psk_key_exchange_modes",
	48: "oid_filters", 49: "post_handshake_auth", 50: "signature_algorithms_cert", 51: "key_share", 57: "quic_transport_parameters",
	0x3374: "next_protocol_negotiation", 0xfe0d: "encrypted_client_hello", 0xff01: "renegotiation_info", 0xffa5: "quic_transport_parameters",
}

// encodeExtensions appends the list "extensions": type, name and for some the
// values, as Suricata tells them.
func encodeExtensions(e *event.Encoder, block []byte, h *tls.ClientHello) {
	it := tls.ExtIter{B: block}
	n := 0
	for ; n < maxExtensions && it.Next(); n++ {
		if n == 0 {
			e.Arr("extensions")
		}
		e.Obj("")
		e.OptStr("name", extensionNames[it.Type])
		e.Uint("type", uint64(it.Type))
		if h != nil {
			encodeValues(e, it.Type, h)
		}
		e.EndObj()
	}
	if n > 0 {
		e.EndArr()
	}
}

func encodeValues(e *event.Encoder, typ uint16, h *tls.ClientHello) {
	var num [5]byte
	switch typ {
	case extServerName:
		if h.HasSNI {
			e.Arr("values")
			e.Bytes("", h.SNI)
			e.EndArr()
		}
	case extSigAlgs:
		e.Arr("values")
		for b := h.SigAlgs[:min(len(h.SigAlgs), 2*maxValues)]; len(b) >= 2; b = b[2:] {
			e.Bytes("", strconv.AppendUint(num[:0], uint64(binary.BigEndian.Uint16(b)), 10))
		}
		e.EndArr()
	case extALPN:
		tls.EncodeALPN(e, "values", h.ALPN)
	case extVersions:
		e.Arr("values")
		for b := h.Versions[:min(len(h.Versions), 2*maxValues)]; len(b) >= 2; b = b[2:] {
			e.Str("", versionName(binary.BigEndian.Uint16(b)))
		}
		e.EndArr()
	}
}

// versionName is how Suricata tells a version of TLS here.
func versionName(v uint16) string {
	switch v {
	case 0x0301:
		return "Tls10"
	case 0x0302:
		return "Tls11"
	case 0x0303:
		return "Tls12"
	case 0x0304:
		return "Tls13"
	}
	return "TlsVersion(" + strconv.Itoa(int(v)) + " / 0x" + strconv.FormatUint(uint64(v), 16) + ")"
}
