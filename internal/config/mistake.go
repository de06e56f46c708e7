package config

import (
	"bytes"
	"fmt"
	"reflect"
	"slices"
	"strings"

	"github.com/goccy/go-yaml"

	"github.com/yamori-net/yamori/internal/rules"
)

// mistake says what is wrong with a file that does not decode, and what to
// write instead. The decoder speaks of Go's types and of tokens; who writes
// the file knows neither.
func mistake(ye yaml.Error) string {
	msg := ye.GetMessage()
	switch {
	case strings.HasPrefix(msg, "unknown field"):
		_, word, _ := strings.Cut(msg, `"`)
		word = strings.Trim(word, `"`)
		known := keys(reflect.TypeFor[Config]())
		if slices.Contains(known, word) {
			return msg + " in this section; see docs/configuration.md"
		}
		if s := rules.Suggest(word, known); s != "" {
			return msg + "; did you mean " + s + "?"
		}
		return msg + "; known ones are in docs/configuration.md"
	case strings.HasSuffix(msg, " was used where mapping is expected"):
		return value(ye) + " is not " + expected("")
	case strings.HasSuffix(msg, " was used where sequence is expected"):
		return value(ye) + " is not " + expected("[]")
	case strings.HasPrefix(msg, "cannot unmarshal"):
		_, typ, _ := strings.Cut(msg, "of type ")
		typ, _, _ = strings.Cut(typ, " ")
		return value(ye) + " is not " + expected(typ)
	case strings.HasPrefix(msg, "mapping key ") && strings.Contains(msg, "already defined at ["):
		word, at, _ := strings.Cut(strings.TrimPrefix(msg, "mapping key "), " already defined at [")
		line, _, _ := strings.Cut(at, ":")
		return fmt.Sprintf("%s stands twice, first in line %s; keep one of them", word, line)
	case strings.Contains(msg, "cannot start any token") && strings.Contains(msg, "\t"):
		return "a tab stands where spaces belong; indent with spaces"
	case strings.Contains(msg, "end token ']'"):
		return "a list is not closed; write ] at its end"
	case strings.Contains(msg, "end token '}'"):
		return "a group is not closed; write } at its end"
	}
	return msg
}

// value is the text that was not understood, with the key before it.
func value(ye yaml.Error) string {
	tk := ye.GetToken()
	if tk == nil {
		return "a value"
	}
	s := fmt.Sprintf("%q", tk.Value)
	if p := tk.Prev; p != nil && p.Value == ":" && p.Prev != nil {
		s = p.Prev.Value + ": " + s
	}
	return s
}

// expected names a type for people.
func expected(typ string) string {
	switch {
	case strings.Contains(typ, "int"):
		return "a whole number"
	case strings.Contains(typ, "float"):
		return "a number"
	case typ == "bool":
		return "true or false"
	case typ == "string":
		return "a text; put it in quotes"
	case strings.HasPrefix(typ, "[]"):
		return "a list; write it as [one, two]"
	}
	return "a section; write its settings below it, indented"
}

// keys are the words that may stand before a colon, of t and all below it.
func keys(t reflect.Type) (out []string) {
	switch t.Kind() {
	case reflect.Pointer, reflect.Slice:
		return keys(t.Elem())
	case reflect.Struct:
	default:
		return nil
	}
	for f := range t.Fields() {
		if name, _, _ := strings.Cut(f.Tag.Get("yaml"), ","); name != "" && name != "-" {
			out = append(append(out, name), keys(f.Type)...)
		}
	}
	return out
}

// Line is where the file says something at a path such as geo.country; 0: it
// does not.
func Line(b []byte, path string) int {
	p, err := yaml.PathString("$." + path)
	if err != nil {
		return 0
	}
	n, err := p.ReadNode(bytes.NewReader(b))
	if err != nil || n == nil || n.GetToken() == nil {
		return 0
	}
	return n.GetToken().Position.Line
}
