package priv

import (
	"errors"
	"fmt"

	"github.com/yamori-net/yamori/internal/capture/nfqueue"
	"github.com/yamori-net/yamori/internal/enforce"
	"github.com/yamori-net/yamori/internal/plugin"
)

// failures are the errors that callers ask for with errors.Is, by the word that
// stands for each in an answer.
var failures = [...]struct {
	code string
	err  error
}{
	{"refused", ErrRefused},
	{"rules.permission", enforce.ErrPermission},
	{"rules.unsupported", enforce.ErrUnsupported},
	{"queue.permission", nfqueue.ErrPermission},
	{"queue.busy", nfqueue.ErrBusy},
	{"queue.unsupported", nfqueue.ErrUnsupported},
	{"plugin.refused", plugin.ErrRefused},
}

// fail makes an answer of an error; nil: of success.
func fail(err error) (r reply) {
	if err == nil {
		return r
	}
	const most = 4 << 10
	r.Error = err.Error()
	r.Error = r.Error[:min(len(r.Error), most)]
	for _, f := range failures {
		if errors.Is(err, f.err) {
			r.Code = f.code
			break
		}
	}
	return r
}

// remoteError is an error of the privileged process.
type remoteError struct {
	text string
	is   error
}

func (e *remoteError) Error() string { return e.text }
func (e *remoteError) Unwrap() error { return e.is }

// err is the error in an answer, or nil.
func (r *reply) err() error {
	if r.Error == "" {
		return nil
	}
	e := &remoteError{text: r.Error}
	for _, f := range failures {
		if f.code == r.Code {
			e.is = f.err
		}
	}
	return e
}

func tooMany(what string, n, most int) error {
	return fmt.Errorf("%w: %d %s, more than %d", ErrRefused, n, what, most)
}
