package match

import (
	"math"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/yamori-net/yamori/internal/match/inspect"
	"github.com/yamori-net/yamori/internal/rules"
)

var certKeywords = []Keyword{
	{Name: "tls_cert_expired", Family: "tls", Doc: "the certificate is no longer valid when it is shown", Example: `tls_cert_expired;`, Setup: validity(func(now, _, after string) bool { return after < now })},
	{Name: "tls_cert_valid", Family: "tls", Doc: "the certificate is within its validity when it is shown", Example: `tls_cert_valid;`, Setup: validity(func(now, before, after string) bool { return before <= now && now <= after })},
	{Name: "tls_cert_notbefore", Family: "tls", Doc: "start of the certificate's validity: before (<), after (>), between (<>) or at a date such as 2026-01 or 2026-01-31T12:00:00", Example: `tls_cert_notbefore:>2026-01-31;`, Setup: certDate("tls.cert_notbefore")},
	{Name: "tls_cert_notafter", Family: "tls", Doc: "end of the certificate's validity, in the same way", Example: `tls_cert_notafter:2026-01<>2027-01;`, Setup: certDate("tls.cert_notafter")},
	{Name: "tls.cert_chain_len", Family: "tls", Doc: "number of certificates of the chain", Example: `tls.cert_chain_len:>3;`, Setup: bufferNumber("tls.cert_chain_len", math.MaxUint32, nil)},
}

// certTime is how buffers of TLS write a point in time, UTC: text compares as
// the times do.
const certTime = "2006-01-02T15:04:05"

// validity makes the Setup of a keyword that compares the time of the packet
// with the certificate's validity. Both times stand in one buffer.
func validity(f func(now, before, after string) bool) func(*compiler, rules.Option) error {
	return func(c *compiler, o rules.Option) error {
		if o.HasValue && o.Value != "" {
			return fail("%s takes no value", o.Name)
		}
		c.notPlain()
		l := c.list("tls.cert_validity", true)
		l.steps = append(l.steps, inspect.Step{Kind: inspect.Call, Func: func(b []byte, user any) bool {
			x, ok := user.(*ctx)
			if !ok || len(b) != 2*len(certTime) {
				return false
			}
			now := time.Unix(0, x.now).UTC().Format(certTime)
			return f(now, string(b[:len(certTime)]), string(b[len(certTime):]))
		}})
		return nil
	}
}

var certDateForm = regexp.MustCompile(`^(<|>)?\s*([0-9][-:T 0-9]*?)\s*(?:<>\s*([0-9][-:T 0-9]*?))?$`)

// certDate reads "[<|>]date" or "date<>date".
func certDate(buffer string) func(*compiler, rules.Option) error {
	return func(c *compiler, o rules.Option) error {
		if err := require(o); err != nil {
			return err
		}
		v := unquote(o.Value)
		m := certDateForm.FindStringSubmatch(v)
		if m == nil || m[1] != "" && m[3] != "" {
			return fail("%q is no date, nor < or > and one, nor two with <> between", v)
		}
		first, ok := dateOf(m[2])
		last, ok2 := "", true
		if m[3] != "" {
			last, ok2 = dateOf(m[3])
		}
		if !ok || !ok2 || last != "" && last < first {
			return fail("%q is no date, or not in order", v)
		}
		op := m[1]
		c.check(buffer, func(b []byte) bool {
			switch {
			case len(b) != len(certTime):
				return false
			case last != "":
				return string(b) > first && string(b) < last
			case op == "<":
				return string(b) < first
			case op == ">":
				return string(b) > first
			}
			return string(b) == first
		})
		return nil
	}
}

// dateOf completes a date that may end after any of its parts. A number alone
// is seconds since 1970, as in Suricata.
func dateOf(s string) (string, bool) {
	if n, err := strconv.ParseInt(s, 10, 33); err == nil {
		return time.Unix(n, 0).UTC().Format(certTime), true
	}
	s = strings.Replace(strings.TrimSpace(s), " ", "T", 1)
	for _, form := range []string{"2006-01", "2006-01-02", "2006-01-02T15", "2006-01-02T15:04", certTime} {
		if t, err := time.Parse(form, s); err == nil {
			return t.Format(certTime), true
		}
	}
	return "", false
}
