package api

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"time"

	"github.com/yamori-net/yamori/internal/auth"
)

// fault is an error with its answer: problem details (RFC 9457).
type fault struct {
	status int
	code   string
	detail string
	field  string
	wait   time.Duration // Retry-After
}

// Error is for the log.
func (f *fault) Error() string { return fmt.Sprintf("%d %s %s", f.status, f.code, f.detail) }

func refuse(status int, code, detail string) *fault {
	return &fault{status: status, code: code, detail: detail}
}

func invalid(field, text string) *fault {
	return &fault{status: http.StatusUnprocessableEntity, code: "invalid", detail: text, field: field}
}

// toFault finds the answer to an error of a handler or a part.
func toFault(err error) *fault {
	var f *fault
	var slow *auth.SlowDown
	var inv *InvalidError
	var tooBig *http.MaxBytesError
	switch {
	case errors.As(err, &f):
		return f
	case errors.As(err, &inv):
		return invalid(inv.Field, inv.Text)
	case errors.As(err, &slow):
		return &fault{status: http.StatusTooManyRequests, code: "slow-down", detail: slow.Error(), wait: slow.Wait}
	case errors.As(err, &tooBig):
		return refuse(http.StatusRequestEntityTooLarge, "too-large", fmt.Sprintf("at most %d bytes", tooBig.Limit))
	case errors.Is(err, ErrNotFound), errors.Is(err, auth.ErrNotFound):
		return refuse(http.StatusNotFound, "not-found", "")
	case errors.Is(err, ErrNotYours):
		return refuse(http.StatusForbidden, "role", ErrNotYours.Error())
	case errors.Is(err, ErrConflict):
		return refuse(http.StatusConflict, "conflict", err.Error())
	case errors.Is(err, ErrInvalid):
		return refuse(http.StatusUnprocessableEntity, "invalid", err.Error())
	case errors.Is(err, ErrBusy), errors.Is(err, auth.ErrBusy):
		return &fault{status: http.StatusServiceUnavailable, code: "busy", detail: "try again in a moment", wait: 2 * time.Second}
	case errors.Is(err, auth.ErrCredentials):
		return refuse(http.StatusUnauthorized, "credentials", "")
	case errors.Is(err, auth.ErrCode):
		return refuse(http.StatusUnauthorized, "code-needed", "a code of the second factor is needed")
	case errors.Is(err, auth.ErrSetup):
		return refuse(http.StatusForbidden, "setup-link", "restart yamori for a new link")
	case errors.Is(err, auth.ErrExists):
		return refuse(http.StatusConflict, "exists", "")
	case errors.Is(err, auth.ErrLastOwner):
		return refuse(http.StatusConflict, "last-owner", "make another user owner first")
	case errors.Is(err, auth.ErrLimit):
		return refuse(http.StatusConflict, "limit", err.Error())
	case errors.Is(err, auth.ErrPassword):
		return invalid("password", err.Error())
	case errors.Is(err, auth.ErrName):
		return invalid("name", err.Error())
	case errors.Is(err, context.DeadlineExceeded):
		return &fault{status: http.StatusServiceUnavailable, code: "timeout", detail: "it took too long; ask for less", wait: 5 * time.Second}
	}
	return nil
}

// problem writes the answer.
func (s *Server) problem(w http.ResponseWriter, r *http.Request, err error) {
	f := toFault(err)
	if f == nil {
		f = refuse(http.StatusInternalServerError, "internal", "the log of yamori says more")
	}
	p := Fault{Type: "urn:yamori:problem:" + f.code, Title: http.StatusText(f.status), Status: f.status, Detail: f.detail,
		Code: f.code, Field: f.field, Instance: "urn:yamori:request:" + requestID(r)}
	// Being busy is no failure, and who makes it so must not fill the log.
	if f.status >= 500 && f.code != "busy" && r.Context().Err() == nil {
		s.cfg.Log.Error("a request failed", "id", requestID(r), "method", r.Method, "path", r.URL.Path, "error", err)
	}
	if s.pageProblem(w, r, f) {
		return
	}
	h := w.Header()
	for _, k := range []string{"Content-Encoding", "Content-Length", "Content-Disposition", "ETag"} {
		h.Del(k)
	}
	if f.wait > 0 {
		h.Set("Retry-After", strconv.Itoa(int((f.wait+time.Second-1)/time.Second)))
	}
	if f.status == http.StatusUnauthorized {
		h.Set("WWW-Authenticate", `Bearer realm="yamori"`)
	}
	h.Set("Content-Type", "application/problem+json")
	h.Set("Cache-Control", "no-store")
	w.WriteHeader(f.status)
	if r.Method != http.MethodHead {
		_ = json.NewEncoder(w).Encode(p)
	}
}
