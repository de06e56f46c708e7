package report

import (
	"cmp"
	"fmt"
	"strings"
)

// Explain says in one sentence what a code with its arguments stands for, for
// pages that show what is kept about one device. Empty: the code has none.
func Explain(lang Lang, code string, args map[string]string) string {
	t := texts[lang]
	if t == nil {
		t = texts[English]
	}
	arg := func(names ...string) string {
		for _, n := range names {
			if v := args[n]; v != "" {
				return printable(v)
			}
		}
		return ""
	}
	switch {
	case code == "rule":
		return fmt.Sprintf(t.happened["other"], t.unnamed, arg("rule"))
	case strings.HasPrefix(code, "mining."):
		coin := arg("coin", "algorithm")
		if coin != "" {
			coin = " (" + coin + ")"
		}
		return fmt.Sprintf(cmp.Or(t.happened[code], t.happened["mining.stratum"]), t.unnamed, coin, cmp.Or(arg("pool"), "?"))
	}
	return words(code, t.lang)
}
