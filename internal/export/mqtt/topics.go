package mqtt

import (
	"encoding/json"
	"hash/fnv"
	"slices"
	"strconv"
	"strings"
)

// State is how the home is.
type State struct {
	Attention []string // what needs the owner, one line each; bounded by maxItems when sent
	Findings  uint64   // made today
	Blocked   uint64   // of those blocked
	Online    int      // devices
	Mode      string   // watch, protect
	Version   string   // of the program
}

// Device is one device of the home.
type Device struct {
	ID, Name, Kind string
	Online, Paused bool
}

// maxItems bounds the lines that are sent of what needs attention.
const maxItems = 20

// key makes an identity fit for a topic and an identifier. What had to be
// changed beyond colons gets a sum, so that no two become one.
func key(id string) string {
	odd := false
	k := strings.Map(func(r rune) rune {
		switch {
		case r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || r == '-' || r == '_':
			return r
		case r != ':':
			odd = true
		}
		return '_'
	}, id)
	if odd {
		h := fnv.New32a()
		_, _ = h.Write([]byte(id))
		k += "_" + strconv.FormatUint(uint64(h.Sum32()), 16)
	}
	return k
}

var words = map[string]map[string]string{
	"en": {"attention": "Needs attention", "findings": "Findings today", "blocked": "Blocked today", "online": "Devices online", "presence": "presence", "pause": "internet paused"},
	"ja": {"attention": "確認が必要", "findings": "今日の検知", "blocked": "今日の遮断", "online": "接続中の機器", "presence": "在宅", "pause": "インターネット停止"},
}

// base is the topic above all of this gateway's.
func (c *Config) base() string { return c.Topic + "/" + c.Node }

// retained returns everything that the broker is to hold: topic → payload.
func (c *Config) retained(st *State, devices []Device) map[string]string {
	base, w := c.base(), words[c.Language]
	m := map[string]string{base + "/status": "online"}
	self := map[string]any{"identifiers": []string{"yamori_" + c.Node}, "name": "Yamori " + c.Node, "manufacturer": "Yamori", "model": "gateway"}
	if st.Version != "" {
		self["sw_version"] = st.Version
	}
	config := func(component, object string, v map[string]any) {
		if c.Discovery == "none" {
			return
		}
		v["unique_id"] = "yamori_" + c.Node + "_" + object
		v["availability_topic"] = base + "/status"
		if v["device"] == nil {
			v["device"] = self
		}
		b, _ := json.Marshal(v)
		m[c.Discovery+"/"+component+"/yamori_"+c.Node+"/"+object+"/config"] = string(b)
	}
	onOff := func(b bool) string {
		if b {
			return "ON"
		}
		return "OFF"
	}
	items := st.Attention[:min(len(st.Attention), maxItems)]
	b, _ := json.Marshal(map[string]any{"count": len(st.Attention), "items": slices.Clone(items), "mode": st.Mode})
	m[base+"/attention"] = onOff(len(st.Attention) > 0)
	m[base+"/attention/attributes"] = string(b)
	config("binary_sensor", "attention", map[string]any{"name": w["attention"], "device_class": "problem", "state_topic": base + "/attention", "json_attributes_topic": base + "/attention/attributes"})
	for _, s := range [...]struct {
		name, class string
		v           uint64
	}{{"findings", "total_increasing", st.Findings}, {"blocked", "total_increasing", st.Blocked}, {"online", "measurement", uint64(st.Online)}} {
		m[base+"/"+s.name] = strconv.FormatUint(s.v, 10)
		config("sensor", s.name, map[string]any{"name": w[s.name], "state_topic": base + "/" + s.name, "state_class": s.class})
	}
	for _, d := range devices {
		k := key(d.ID)
		top := base + "/device/" + k
		name := d.Name
		if name == "" {
			name = d.ID
		}
		dev := map[string]any{"identifiers": []string{"yamori_" + c.Node + "_" + k}, "name": name, "model": d.Kind, "via_device": "yamori_" + c.Node}
		if slices.Contains(c.Presence, d.ID) {
			m[top+"/presence"] = map[bool]string{true: "home", false: "not_home"}[d.Online]
			config("device_tracker", k+"_presence", map[string]any{"name": w["presence"], "state_topic": top + "/presence", "source_type": "router", "device": dev})
		}
		if slices.Contains(c.Pause, d.ID) {
			m[top+"/pause"] = onOff(d.Paused)
			config("switch", k+"_pause", map[string]any{"name": w["pause"], "state_topic": top + "/pause", "command_topic": top + "/pause/set", "icon": "mdi:pause-network", "device": dev})
		}
	}
	return m
}
