package match

import (
	"encoding/binary"
	"math"
	"strings"

	"github.com/yamori-net/yamori/internal/rules"
)

// settingNames are the settings of HTTP/2: RFC 9113 section 6.5.2, RFC 8441,
// RFC 9218.
var settingNames = map[string]uint16{"settings_header_table_size": 1, "settings_enable_push": 2, "settings_max_concurrent_streams": 3,
	"settings_initial_window_size": 4, "settings_max_frame_size": 5, "settings_max_header_list_size": 6, "settings_enable_connect_protocol": 8,
	"settings_no_rfc7540_priorities": 9}

// setupSettings reads the name of a setting of HTTP/2, and a comparison of its
// value. The buffer holds settings of six bytes each.
func setupSettings(c *compiler, o rules.Option) error {
	if !o.HasValue || o.Value == "" {
		return stickySetup("http2.settings")(c, o)
	}
	v := lowerTrim(unquote(o.Value))
	end := strings.IndexFunc(v, func(r rune) bool { return r != '_' && (r < 'a' || r > 'z') && (r < '0' || r > '9') })
	if end < 0 {
		end = len(v)
	}
	id, ok := settingNames[v[:end]]
	if !ok {
		return fail("http2.settings does not know the setting %q", v[:end])
	}
	same := func(uint64) bool { return true }
	if rest := strings.TrimSpace(v[end:]); rest != "" {
		u, err := rules.ParseUintRange(rest, math.MaxUint32)
		if err != nil {
			return err
		}
		same = u.Match
	}
	c.check("http2.settings", func(b []byte) bool {
		for ; len(b) >= 6; b = b[6:] {
			if binary.BigEndian.Uint16(b) == id && same(uint64(binary.BigEndian.Uint32(b[2:]))) {
				return true
			}
		}
		return false
	})
	return nil
}
