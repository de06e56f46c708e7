package builtin_test

import "encoding/json"

func checkEvent(line string) error {
	var v map[string]any
	return json.Unmarshal([]byte(line), &v)
}
