package stratum

// Limits of what is kept of one message. Values beyond them are still read
// (the grammar is checked, arrays are counted) but cannot be looked at.
const (
	MaxArgs = 16   // elements of params and of result; mining.notify has 9
	maxText = 2048 // bytes of text, in all strings together, that need unescaping
	maxKey  = 32   // longer keys are unknown; "previousblockhash" has 17
)

// Kind is the JSON type of a value.
type Kind uint8

// Kinds; the zero Kind means absent.
const (
	Absent Kind = iota
	Null
	True
	False
	Number
	String
	Array
	Object
)

// Flags tell what a value looks like.
type Flags uint16

// Flags of strings and of arrays.
const (
	decoded         Flags = 1 << iota // the text is in the message's own memory
	Hex                               // String: one hexadecimal digit or more, 0x in front allowed, and nothing else
	Prefixed                          // String: begins with 0x
	AllHashes                         // Array: every element is a string of 64 hexadecimal digits
	AllNumbers                        // Array: every element is a number
	AllStrings                        // Array: every element is a string
	HasNotification                   // Array: somewhere in it is the name of a mining.* notification
	HasAlgorithm                      // Array: somewhere in it is the name of a proof-of-work algorithm
)

// Value is one JSON value of a message. Start and End bound its text: of a
// string the inside of the quotes, of anything else all of it.
type Value struct {
	Start, End uint32
	Count      uint16 // Array: number of elements
	Flags      Flags
	Kind       Kind
}

// HexLen returns the number of hexadecimal digits of a string that holds
// nothing else, not counting 0x, else 0.
func (v Value) HexLen() int {
	if v.Flags&Hex == 0 {
		return 0
	}
	n := int(v.End - v.Start)
	if v.Flags&Prefixed != 0 {
		n -= 2
	}
	return n
}

// Len returns the length of a string in bytes.
func (v Value) Len() int { return int(v.End - v.Start) }

// kinds returns the All… flags of arrays that v does not contradict.
func (v Value) kinds() Flags {
	switch {
	case v.Kind == Number:
		return AllNumbers
	case v.HexLen() == 64:
		return AllHashes | AllStrings
	case v.Kind == String:
		return AllStrings
	}
	return 0
}

// fields are the members of one object whose names are in the key table. When
// a name comes twice the later value counts, and members of both objects if
// the values are objects: what either reading shows is seen.
type fields struct {
	has keySet
	v   [numKeys]Value
}

// Get returns the member, or a zero Value.
func (f *fields) Get(k Key) Value {
	if f.has&(1<<k) == 0 {
		return Value{}
	}
	return f.v[k]
}

// Has reports whether all of those members are there.
func (f *fields) Has(s keySet) bool { return f.has&s == s }

// Message is one JSON-RPC-like message laid out for looking at: the members
// that mining dialects use, by position. It refers to the bytes it was parsed
// from and is valid as long as they are. Its zero value is ready for use, and
// reusing it costs no allocation.
type Message struct {
	Top    fields // members of the message itself
	Params fields // members of params, or of the objects in the list params
	Result fields // members of result
	Job    fields // members of the job in the message, in params or in result

	Args    [MaxArgs]Value // elements of the list params
	Results [MaxArgs]Value // elements of the list result
	NArgs   int            // elements of params there are, also beyond Args
	NRes    int

	Method    Method
	Truncated bool // the end of the message is missing

	src []byte
	buf []byte
	mem [maxText]byte
}

// Text returns the text of a value, strings without quotes and escapes.
func (m *Message) Text(v Value) []byte {
	if v.Flags&decoded != 0 {
		return m.buf[v.Start:v.End]
	}
	return m.src[v.Start:v.End]
}

// MethodName returns the method as the message spells it, nil when it has
// none.
func (m *Message) MethodName() []byte {
	if v := m.Top.Get(KeyMethod); v.Kind == String {
		return m.Text(v)
	}
	return nil
}

// reset forgets the last message.
func (m *Message) reset(src []byte) {
	m.Top.has, m.Params.has, m.Result.has, m.Job.has = 0, 0, 0, 0
	m.NArgs, m.NRes = 0, 0
	m.Method, m.Truncated = NoMethod, false
	m.src, m.buf = src, m.mem[:0]
}

// ParseMessage reads the first JSON object of b into m and returns the number
// of bytes up to its end. White space, NUL, a byte order mark, and the
// brackets and commas of a batch (JSON-RPC 2.0 section 6) may stand before
// it, so calling it again with the rest walks through a batch or a stream. It
// is for bodies and probes as well as for streams: of a Truncated message m
// holds what was there.
func ParseMessage(b []byte, m *Message) (n int, st Status) {
	m.reset(b)
	r := reader{m: m, b: b, i: lead(b)}
	if r.i == len(b) {
		return r.i, Truncated
	}
	if b[r.i] != '{' {
		return r.i, Malformed
	}
	if !r.object(inTop) {
		m.Truncated = r.st == Truncated
	}
	if v := m.Top.Get(KeyMethod); v.Kind == String {
		m.Method = methodOf(m.Text(v))
	}
	return r.i, r.st
}

// lead returns how many bytes of b may stand before a message.
func lead(b []byte) int {
	i := 0
	for i < len(b) {
		switch c := b[i]; {
		case space(c), c == 0, c == ',', c == '[', c == ']':
			i++
		case c == 0xef && len(b)-i >= 3 && b[i+1] == 0xbb && b[i+2] == 0xbf:
			i += 3
		default:
			return i
		}
	}
	return i
}

// store keeps a member.
func (m *Message) store(at place, k Key, v Value) {
	f := m.at(at)
	if f == nil {
		return
	}
	if at == inTop && k == KeyMethod && f.has&(1<<k) != 0 && methodOf(m.Text(f.v[k])) != Other {
		return // a second method must not hide a known one
	}
	f.has |= 1 << k
	f.v[k] = v
	if at == inTop {
		switch k {
		case KeyParams:
			m.NArgs = int(v.Count)
		case KeyResult:
			m.NRes = int(v.Count)
		}
	}
}

func (m *Message) at(at place) *fields {
	switch at {
	case inTop:
		return &m.Top
	case inParams:
		return &m.Params
	case inResult:
		return &m.Result
	case inJob:
		return &m.Job
	}
	return nil
}

// element keeps the i-th element of a list.
func (m *Message) element(at place, i int, v Value) {
	if i >= MaxArgs {
		return
	}
	switch at {
	case paramsList:
		m.Args[i] = v
		m.NArgs = i + 1
	case resultList:
		m.Results[i] = v
		m.NRes = i + 1
	}
}

// Arg returns the i-th element of the list params, or a zero Value.
func (m *Message) Arg(i int) Value {
	if i >= m.NArgs || i >= MaxArgs {
		return Value{}
	}
	return m.Args[i]
}

// Res returns the i-th element of the list result, or a zero Value.
func (m *Message) Res(i int) Value {
	if i >= m.NRes || i >= MaxArgs {
		return Value{}
	}
	return m.Results[i]
}

// text makes the Value of the string whose inside is src[s:e].
func (m *Message) text(s, e int, esc bool) Value {
	v := Value{Kind: String, Start: uint32(s), End: uint32(e)}
	t := m.src[s:e]
	if esc {
		n := len(m.buf)
		if out, whole := unescape(m.buf, t); whole {
			m.buf = out
			t = out[n:]
			v.Flags, v.Start, v.End = decoded, uint32(n), uint32(len(out))
		}
	}
	v.Flags |= hexFlags(t)
	return v
}

// hexFlags looks at a string as a number in hexadecimal digits.
func hexFlags(t []byte) (f Flags) {
	if len(t) > 2 && t[0] == '0' && t[1]|0x20 == 'x' {
		f = Prefixed
		t = t[2:]
	}
	for _, c := range t {
		if unhex(c) < 0 {
			return f
		}
	}
	if len(t) == 0 {
		return f
	}
	return f | Hex
}

// key looks up the key whose inside is src[s:e].
func (r *reader) key(s, e int, esc bool) Key {
	t := r.b[s:e]
	var mem [maxKey]byte
	if esc {
		out, whole := unescape(mem[:0], t)
		if !whole {
			return noKey
		}
		t = out
	}
	return keyOf(t)
}
