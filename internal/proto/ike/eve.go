package ike

import (
	"encoding/hex"
	"strconv"

	"github.com/yamori-net/yamori/internal/event"
	"github.com/yamori-net/yamori/internal/packet"
)

// EncodeEVE appends "ike":{…} in Suricata's shape.
func (m *Message) EncodeEVE(e *event.Encoder) {
	e.Obj("ike")
	e.Uint("version_major", uint64(m.Major))
	e.Uint("version_minor", uint64(m.Minor))
	e.Hex("init_spi", m.InitSPI[:])
	e.Hex("resp_spi", m.RespSPI[:])
	e.Uint("message_id", uint64(m.ID))
	e.Uint("exchange_type", uint64(m.Exchange))
	if m.Major == 1 {
		m.encode1(e)
	} else {
		m.encode2(e)
	}
	e.EndObj()
}

func (m *Message) encode1(e *event.Encoder) {
	encodeTransform(e, &m.Chosen)
	e.Arr("payload")
	var seen [256]bool
	for _, t := range m.Payloads[:m.NPayloads] {
		if !seen[t] {
			seen[t] = true
			m.name(e, "", payloads1, int(t))
		}
	}
	e.EndArr()
	e.Obj("ikev1")
	if m.DOI != 0 {
		e.Uint("doi", uint64(m.DOI))
	}
	e.Bool("encrypted_payloads", m.Encrypted)
	if !m.Encrypted {
		for d, side := range [2]string{"client", "server"} {
			e.Obj(side)
			if m.Dir == packet.Dir(d) {
				m.encodeSide(e)
			}
			e.EndObj()
		}
	}
	if m.NVendors > 0 {
		e.Arr("vendor_ids")
		for _, v := range m.Vendors[:m.NVendors] {
			e.Hex("", v)
		}
		e.EndArr()
	}
	e.EndObj()
}

// encodeSide writes what the sender of the message says.
func (m *Message) encodeSide(e *event.Encoder) {
	if m.Key != nil {
		e.Hex("key_exchange_payload", m.Key)
		e.Uint("key_exchange_payload_length", uint64(len(m.Key)))
	}
	if m.Nonce != nil {
		e.Hex("nonce_payload", m.Nonce)
		e.Uint("nonce_payload_length", uint64(len(m.Nonce)))
	}
	if m.Dir == packet.ToServer && m.NTransforms > 0 {
		e.Arr("proposals")
		for i := range m.Transforms[:m.NTransforms] {
			e.Obj("")
			encodeTransform(e, &m.Transforms[i])
			e.EndObj()
		}
		e.EndArr()
	}
}

func encodeTransform(e *event.Encoder, t *Transform) {
	for i, a := range t.List[:t.N] {
		name := attributeName(a.Type)
		if name == "unknown" || repeated(t, i) {
			continue
		}
		e.Str(name, valueName(a))
		e.Uint(rawName(a.Type), uint64(a.Value))
	}
}

// repeated reports whether an attribute of the type came before the i-th.
func repeated(t *Transform, i int) bool {
	for _, a := range t.List[:i] {
		if a.Type == t.List[i].Type {
			return true
		}
	}
	return false
}

func (m *Message) encode2(e *event.Encoder) {
	if m.Flags&flagInitiator != 0 {
		e.Str("role", "initiator")
	} else if e.Str("role", "responder"); !m.Encrypted {
		for _, x := range [...]struct {
			typ   int
			key   string
			names map[int]string
		}{{encr2, "alg_enc", encryptions2}, {integ2, "alg_auth", integrities2}, {prf2, "alg_prf", prfs2}, {dh2, "alg_dh", groups2}, {esn2, "alg_esn", esns2}} {
			v, _ := m.Chosen.Get(uint16(x.typ))
			m.name(e, x.key, x.names, int(v))
		}
	}
	e.Arr("payload")
	for _, t := range m.Payloads[:m.NPayloads] {
		m.name(e, "", payloads2, int(t))
	}
	e.EndArr()
	e.Obj("ikev2")
	errors := 0
	for _, n := range m.Notify[:m.NNotify] {
		if n < 16384 { // RFC 7296 section 3.10.1
			errors++
		}
	}
	e.Uint("errors", uint64(errors))
	e.Arr("notify")
	for _, n := range m.Notify[:m.NNotify] {
		if _, ok := notifies2[int(n)]; ok {
			m.name(e, "", notifies2, int(n))
			continue
		}
		b := append(strconv.AppendUint(append(m.buf[:0], "NotifyType("...), uint64(n), 10), " / 0x"...)
		e.Bytes("", append(hex.AppendEncode(b, []byte{byte(n >> 8), byte(n)}), ')'))
	}
	e.EndArr()
	e.EndObj()
}

// name writes the name of a number, or the number when it has none.
func (m *Message) name(e *event.Encoder, key string, names map[int]string, v int) {
	if s, ok := names[v]; ok {
		e.Str(key, s)
		return
	}
	e.Bytes(key, append(strconv.AppendUint(append(m.buf[:0], "Unknown("...), uint64(v), 10), ')'))
}
