package api

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"
)

// decode reads one JSON object into v and holds it to the tags of its fields.
func decode(r *http.Request, v any) error {
	if mt, _, err := mime.ParseMediaType(r.Header.Get("Content-Type")); err != nil || mt != "application/json" {
		return refuse(http.StatusUnsupportedMediaType, "media-type", "send application/json")
	}
	b, err := io.ReadAll(r.Body)
	if err != nil {
		var tooBig *http.MaxBytesError
		if errors.As(err, &tooBig) {
			return err
		}
		return refuse(http.StatusBadRequest, "body", "the body broke off")
	}
	if !utf8.Valid(b) {
		return refuse(http.StatusBadRequest, "body", "not UTF-8")
	}
	if t := bytes.TrimSpace(b); len(t) == 0 || t[0] != '{' {
		return refuse(http.StatusBadRequest, "body", "send a JSON object")
	}
	if err := required(b, reflect.TypeOf(v).Elem()); err != nil {
		return err
	}
	d := json.NewDecoder(bytes.NewReader(b))
	d.DisallowUnknownFields()
	if err := d.Decode(v); err != nil {
		return badJSON(err)
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return refuse(http.StatusBadRequest, "body", "something follows the JSON object")
	}
	return check(reflect.ValueOf(v).Elem(), "")
}

func badJSON(err error) error {
	var te *json.UnmarshalTypeError
	if errors.As(err, &te) {
		return invalid(te.Field, "not a "+kindWord(te.Type))
	}
	if name, ok := strings.CutPrefix(err.Error(), "json: unknown field "); ok {
		return invalid(strings.Trim(name, `"`), "unknown field")
	}
	return refuse(http.StatusBadRequest, "body", "not JSON: "+strings.TrimPrefix(err.Error(), "json: "))
}

func kindWord(t reflect.Type) string {
	switch t.Kind() {
	case reflect.Bool:
		return "boolean"
	case reflect.String:
		return "string"
	case reflect.Slice:
		return "list"
	case reflect.Struct, reflect.Map:
		return "object"
	}
	return "number of this kind"
}

// required finds members that are missing at the top: those without omitempty.
func required(b []byte, t reflect.Type) error {
	var m map[string]json.RawMessage
	if err := json.Unmarshal(b, &m); err != nil {
		return badJSON(err)
	}
	for i := range t.NumField() {
		name, opts, _ := strings.Cut(t.Field(i).Tag.Get("json"), ",")
		if x, ok := m[name]; !strings.Contains(opts, "omit") && (!ok || string(x) == "null") {
			return invalid(name, "is missing")
		}
	}
	return nil
}

// lastYear bounds times that clients give.
const lastYear = 2999

// check holds a value to the tags enum, min and max, and refuses control
// characters in text.
func check(v reflect.Value, path string) error {
	switch v.Kind() {
	case reflect.Pointer:
		if !v.IsNil() {
			return check(v.Elem(), path)
		}
	case reflect.Struct:
		t := v.Type()
		if w, ok := v.Interface().(time.Time); ok {
			// What lies outside cannot be written again by every clock and zone.
			if y := w.UTC().Year(); y < 1970 || y > lastYear {
				return invalid(path, fmt.Sprintf("a time between 1970 and %d", lastYear))
			}
			return nil
		}
		for i := range t.NumField() {
			f, x := t.Field(i), v.Field(i)
			name, opts, _ := strings.Cut(f.Tag.Get("json"), ",")
			if x.IsZero() && strings.Contains(opts, "omit") {
				continue // left out
			}
			if path != "" {
				name = path + "." + name
			}
			if err := checkTags(f.Tag, x, name); err != nil {
				return err
			}
			if err := check(x, name); err != nil {
				return err
			}
		}
	case reflect.Slice:
		for i := range v.Len() {
			if err := check(v.Index(i), fmt.Sprintf("%s[%d]", path, i)); err != nil {
				return err
			}
		}
	case reflect.Map:
		for _, k := range v.MapKeys() {
			if err := check(k, path); err != nil {
				return err
			}
			if x := v.MapIndex(k); x.Kind() == reflect.Int && (x.Int() < 0 || x.Int() > 36500) {
				return invalid(path+"."+k.String(), "0 to 36500")
			}
		}
	case reflect.String:
		if n := len(v.String()); n > 4096 {
			return invalid(path, "too long")
		}
		for _, r := range v.String() {
			if unicode.IsControl(r) && r != '\n' && r != '\t' {
				return invalid(path, "has control characters")
			}
		}
	}
	return nil
}

func checkTags(tag reflect.StructTag, v reflect.Value, name string) error {
	if v.Kind() == reflect.Pointer {
		if v.IsNil() {
			return nil
		}
		v = v.Elem()
	}
	if e, ok := tag.Lookup("enum"); ok && !slices.Contains(strings.Split(e, ","), v.String()) {
		return invalid(name, "one of: "+strings.Trim(strings.ReplaceAll(e, ",", ", "), ", "))
	}
	var n int64
	what := ""
	switch v.Kind() {
	case reflect.String:
		n, what = int64(utf8.RuneCountInString(v.String())), " characters"
	case reflect.Slice, reflect.Map:
		n, what = int64(v.Len()), " elements"
	case reflect.Int, reflect.Int64:
		n = v.Int()
	default:
		return nil
	}
	if s, ok := tag.Lookup("min"); ok {
		if least, _ := strconv.ParseInt(s, 10, 64); n < least {
			return invalid(name, "at least "+s+what)
		}
	}
	if s, ok := tag.Lookup("max"); ok {
		if most, _ := strconv.ParseInt(s, 10, 64); n > most {
			return invalid(name, "at most "+s+what)
		}
	}
	return nil
}

// fill replaces nil lists and maps by empty ones, so that answers have [] and
// {} where the schema says list and object.
func fill(v reflect.Value) {
	switch v.Kind() {
	case reflect.Pointer, reflect.Interface:
		if !v.IsNil() {
			fill(v.Elem())
		}
	case reflect.Struct:
		if v.Type().PkgPath() == "time" {
			return
		}
		for i := range v.NumField() {
			if v.Type().Field(i).IsExported() {
				fill(v.Field(i))
			}
		}
	case reflect.Slice:
		if v.IsNil() && v.CanSet() && v.Type() != rawType {
			v.Set(reflect.MakeSlice(v.Type(), 0, 0))
		}
		if v.Type() != rawType {
			for i := range v.Len() {
				fill(v.Index(i))
			}
		}
	case reflect.Map:
		if v.IsNil() && v.CanSet() {
			v.Set(reflect.MakeMap(v.Type()))
		}
	}
}

var rawType = reflect.TypeFor[json.RawMessage]()
