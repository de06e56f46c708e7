package talks

import (
	"encoding/binary"
	"math"
	"strings"
)

// sv2 is one message of Stratum V2 (sv2-spec section 3.2): extension, type and
// a length of three bytes, all little-endian.
func sv2(ext uint16, kind byte, fields ...any) []byte {
	var b []byte
	for _, f := range fields {
		switch v := f.(type) {
		case byte:
			b = append(b, v)
		case uint16:
			b = binary.LittleEndian.AppendUint16(b, v)
		case uint32:
			b = binary.LittleEndian.AppendUint32(b, v)
		case float32:
			b = binary.LittleEndian.AppendUint32(b, math.Float32bits(v))
		case string: // of up to 255 bytes, its length first
			b = append(append(b, byte(len(v))), v...)
		case []byte:
			b = append(b, v...)
		}
	}
	head := binary.LittleEndian.AppendUint16(nil, ext)
	head = append(head, kind, byte(len(b)), byte(len(b)>>8), byte(len(b)>>16))
	return append(head, b...)
}

// binaryTalks lists the dialects that are not JSON.
func binaryTalks() []Talk {
	const channel = 0x8000 // set for messages of a channel
	target := append([]byte(strings.Repeat("\x00", 24)), 0xff, 0xff, 2, 0, 0, 0, 0, 0)
	hash := append([]byte(strings.Repeat("\x6c", 26)), 0, 0, 0, 0, 0, 0)
	server := func(msgs ...[]byte) Step {
		var all []byte
		for _, m := range msgs {
			all = append(all, m...)
		}
		return Step{FromServer: true, Data: all}
	}
	return []Talk{
		{Name: "stratum-v2", Dialect: "stratum-v2", Steps: []Step{
			{Data: sv2(0, 0x00, byte(0), uint16(2), uint16(2), uint32(1), "pool.example", uint16(34254), "Lab", "L-2", "lab 0.2", "s/n 9")},
			server(sv2(0, 0x01, uint16(2), uint32(0))),
			{Data: sv2(0, 0x10, uint32(1), words.Replace("$BTC.den"), float32(2.5e12), []byte(strings.Repeat("\xff", 32)))},
			server(sv2(0, 0x11, uint32(1), uint32(7), target, "\x03\x04", uint32(9)),
				sv2(channel, 0x15, uint32(7), uint32(1), byte(0), uint32(0x20000000), []byte(strings.Repeat("\x3e", 32))),
				sv2(channel, 0x20, uint32(7), uint32(1), hash, uint32(1767225600), uint32(0x17034219))),
			{Data: sv2(channel, 0x1a, uint32(7), uint32(1), uint32(1), uint32(0xc0ffee01), uint32(1767225601), uint32(0x20004000))},
			server(sv2(channel, 0x1c, uint32(7), uint32(1), uint32(1), uint32(8192), uint32(0))),
		}},
		{Name: "duinocoin", Dialect: "duinocoin", At: 2, Steps: lines(
			`< 4.3`,
			`> JOB,lab,LOW,None`,
			`< 9d1f4c0be2a73586410fd2cb97e3a8560bd4f172,5b20c7e18fa943d60c9be1f74823d5a06e97b1c4,4000`,
			`> 182043,51200.5,Official PC Miner 4.3,den,DUCOID00`,
			`< GOOD`,
		)},
	}
}
