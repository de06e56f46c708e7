package priv

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/yamori-net/yamori/internal/enforce"
	"github.com/yamori-net/yamori/internal/plugin"
)

func message(op Op, body string) []byte {
	return append([]byte{version, byte(op), 0, 0, 9, 0, 0, 0}, body...)
}

func TestDecode(t *testing.T) {
	longest := `{"prefixes":["` + strings.Repeat("x", maxMessage) + `"]}`
	for name, c := range map[string]struct {
		b    []byte
		good bool
	}{
		"hello":              {message(OpHello, "{}"), true},
		"packet":             {message(OpPacket, `{"raw":true}`), true},
		"put":                {message(OpPut, `{"entries":[{"Kind":"pause","MAC":"AgAAAAAB","Net":"","Proto":0,"Port":0,"For":0}]}`), true},
		"empty":              {nil, false},
		"header alone":       {message(OpHello, ""), false},
		"other version":      {append([]byte{version + 1}, message(OpHello, "{}")[1:]...), false},
		"operation 0":        {message(0, "{}"), false},
		"unknown operation":  {message(lastOp+1, "{}"), false},
		"unknown flags":      {append([]byte{version, 1, 8}, message(OpHello, "{}")[3:]...), false},
		"an answer":          {append([]byte{version, 1, flagReply}, message(OpHello, "{}")[3:]...), true}, // refused by the server
		"unknown field":      {message(OpHello, `{"path":"/etc/shadow"}`), false},
		"field of another":   {message(OpHello, `{"raw":true}`), false},
		"a path":             {message(OpInstall, `{"install":{"queue":0,"workers":1,"marks":{},"State":"/etc/shadow"}}`), false},
		"no rules":           {message(OpInstall, `{}`), false},
		"too many queues":    {message(OpInstall, `{"install":{"queue":0,"workers":1000,"marks":{}}}`), false},
		"no queue":           {message(OpQueue, `{}`), false},
		"queue out of range": {message(OpQueue, `{"queue":{"queue":65536}}`), false},
		"two objects":        {message(OpHello, `{}{}`), false},
		"rubbish behind":     {message(OpHello, `{}x`), false},
		"no object":          {message(OpHello, `[]`), false},
		"too long":           {message(OpNever, longest), false},
		"too many prefixes":  {message(OpNever, `{"prefixes":["192.0.2.0/24"`+strings.Repeat(`,"192.0.2.0/24"`, maxPrefixes)+`]}`), false},
		"too many entries":   {message(OpPut, `{"entries":[{}`+strings.Repeat(`,{}`, maxEntries)+`]}`), false},
		"no devices":         {message(OpPlugin, `{}`), false},
		"port":               {message(OpListen, `{"listen":{"stream":true,"at":"127.0.0.1:53"}}`), true},
		"no port":            {message(OpListen, `{}`), false},
		"a name for a port":  {message(OpListen, `{"listen":{"at":"localhost:53"}}`), false},
		"events":             {message(OpEvents, `{"rotate":true}`), true},
		"a path of events":   {message(OpEvents, `{"events":"/etc/shadow"}`), false},
		"rotated packets":    {message(OpPacket, `{"rotate":true}`), false},
	} {
		var r request
		h, err := decode(c.b, &r)
		if err == nil {
			err = r.check(h.op)
		}
		if (err == nil) != c.good {
			t.Errorf("%s: %v", name, err)
		}
		if err != nil && !errors.Is(err, errMessage) {
			t.Errorf("%s: %v is not of its kind", name, err)
		}
	}
}

// TestRoom has the largest messages that the limits allow fit in one.
func TestRoom(t *testing.T) {
	long := netip.MustParsePrefix("2001:db8:1234:5678:9abc:def0:1234:5678/128")
	mac := net.HardwareAddr{255, 255, 255, 255, 255, 255}
	var r request
	for range maxPrefixes {
		r.Prefixes = append(r.Prefixes, long)
	}
	if _, err := encode(header{op: OpNever}, r); err != nil {
		t.Error(err)
	}
	e := enforce.Entry{Kind: enforce.Quarantine, MAC: mac, Net: long, Proto: 17, Port: 65535, For: 1<<63 - 1}
	r = request{}
	var a reply
	for range maxEntries {
		r.Entries = append(r.Entries, e)
		a.Active = append(a.Active, enforce.Active{Entry: e, Left: 1<<63 - 1})
	}
	if _, err := encode(header{op: OpPut}, r); err != nil {
		t.Error(err)
	}
	if _, err := encode(header{op: OpList}, a); err != nil {
		t.Error(err)
	}
	p := plugin.Config{Interface: "fifteen-letters", Every: time.Hour}
	for range 32 {
		h := plugin.Host{MAC: mac}
		for range 16 {
			h.Addrs = append(h.Addrs, long.Addr())
		}
		p.Devices = append(p.Devices, h)
	}
	if _, err := encode(header{op: OpPlugin}, request{Plugin: &p}); err != nil {
		t.Error(err)
	}
	if _, err := encode(header{op: OpPut}, strings.Repeat("x", maxMessage)); err == nil {
		t.Error("a message that is too long was made")
	}
	if _, err := decode(message(OpList, `{"error":"`+strings.Repeat("x", 100)+`"}`), &a); err != nil {
		t.Error(err)
	}
}

// TestFailures has the errors that callers ask for come through.
func TestFailures(t *testing.T) {
	for _, f := range failures {
		r := fail(fmt.Errorf("a sentence: %w", f.err))
		err := r.err()
		if !errors.Is(err, f.err) || err.Error() != "a sentence: "+f.err.Error() {
			t.Errorf("%s: %v", f.code, err)
		}
	}
	if r := fail(nil); r.err() != nil {
		t.Error("success is an error")
	}
	r := fail(errors.New(strings.Repeat("x", 1<<20)))
	if _, err := encode(header{op: OpHello}, r); err != nil {
		t.Error(err)
	}
}

func FuzzDecode(f *testing.F) {
	f.Add(message(OpHello, "{}"))
	f.Add(message(OpPut, `{"entries":[{"Kind":"block","Net":"192.0.2.1/32","For":1000}]}`))
	f.Add(message(OpInstall, `{"install":{"queue":0,"workers":1,"marks":{"Queue":1,"Release":2,"Cut":4},"lan":["br-lan"]}}`))
	f.Add(message(OpPlugin, `{"plugin":{"interface":"eth0","gateway":{"mac":"AgAAAAAB","addrs":["192.0.2.1"]},"devices":null}}`))
	f.Fuzz(func(t *testing.T, b []byte) {
		var r request
		h, err := decode(b, &r)
		if err != nil || r.check(h.op) != nil {
			return
		}
		if len(b) > maxMessage || h.op == 0 || h.op > lastOp || len(r.Entries) > maxEntries || len(r.Prefixes) > maxPrefixes {
			t.Fatalf("passes: %x", b)
		}
		m, err := encode(h, r)
		if errors.Is(err, errMessage) {
			return // longer than it was, with all fields written out
		}
		if err != nil {
			t.Fatal(err)
		}
		var again request
		if _, err := decode(m, &again); err != nil {
			t.Fatalf("%v: %s", err, m[headerSize:])
		}
	})
}
