package rules

import "strings"

// MaxContent bounds the bytes of one pattern. Suricata takes what fits its rule of
// 8 kB; ET Open has patterns of up to 660 bytes (sid 2031563).
const MaxContent = 8 << 10

// Content is the value of content and of the keywords written like it.
type Content struct {
	Bytes   []byte
	Negated bool
}

// ParseContent reads a quoted pattern that may be negated: !"GET|20|/\;".
func ParseContent(v string) (Content, error) {
	text, negated, quoted := Unquote(v)
	if !quoted {
		return Content{}, badValue(`write content:"text";`, "the pattern must be in double quotes")
	}
	b, err := ParsePattern(text)
	if err != nil {
		return Content{}, err
	}
	if len(b) > MaxContent {
		return Content{}, badValue("split it into several with distance:0; within", "the pattern has %d bytes, more than %d", len(b), MaxContent)
	}
	return Content{b, negated}, nil
}

// ParsePattern reads what stands within the quotes of a pattern: bytes as
// they are, hexadecimal ones between bars (blanks and commas among them do not
// count), and ; \ " : after a backslash.
func ParsePattern(text string) ([]byte, error) {
	out := make([]byte, 0, len(text))
	for i := 0; i < len(text); i++ {
		switch c := text[i]; c {
		case '|':
			end := strings.IndexByte(text[i+1:], '|')
			if end < 0 {
				return nil, badValue("close it with |, or write a bar as |7C|", "the bytes that begin at %q are not closed", clip(text[i:]))
			}
			var err error
			if out, err = hexBytes(out, text[i+1:i+1+end]); err != nil {
				return nil, err
			}
			i += end + 1
		case '\\':
			if i++; i == len(text) {
				return nil, badValue(`write \\ or |5C|`, "the pattern ends with a lone backslash")
			}
			switch text[i] {
			case ';', '\\', '"', ':':
				out = append(out, text[i])
			default:
				return nil, badValue(`write \\ or |5C| for a backslash`, `\%c is no escape, only ; \ " and : are escaped`, text[i])
			}
		case '"':
			return nil, badValue(`write \" or |22|`, "a double quote within the pattern is not escaped")
		default:
			out = append(out, c)
		}
	}
	if len(out) == 0 {
		return nil, badValue("", "the pattern is empty")
	}
	return out, nil
}

func hexBytes(out []byte, s string) ([]byte, error) {
	high, half := byte(0), false
	for i := range len(s) {
		if s[i] == ' ' || s[i] == ',' {
			continue
		}
		d := hexDigit(s[i])
		if d > 15 {
			return nil, badValue("between bars stand pairs of 0-9 and A-F", "%q is no hexadecimal digit", s[i])
		}
		if half {
			out = append(out, high<<4|d)
		}
		high, half = d, !half
	}
	if half {
		return nil, badValue("write two digits for each byte", "|%s| has an odd number of digits", clip(s))
	}
	return out, nil
}

// AppendPattern writes bytes as ParsePattern reads them, without quotes.
func AppendPattern(out []byte, b []byte) []byte {
	const digits = "0123456789ABCDEF"
	hex := false
	for _, c := range b {
		plain := ' ' <= c && c < 0x7f && c != '|' && c != '"' && c != ';' && c != ':' && c != '\\'
		switch {
		case plain && hex:
			out = append(out, '|')
		case !plain && !hex:
			out = append(out, '|')
		case !plain:
			out = append(out, ' ')
		}
		hex = !plain
		if plain {
			out = append(out, c)
		} else {
			out = append(out, digits[c>>4], digits[c&15])
		}
	}
	if hex {
		out = append(out, '|')
	}
	return out
}
