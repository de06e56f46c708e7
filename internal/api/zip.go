package api

import (
	"compress/gzip"
	"net/http"
	"strconv"
	"strings"
	"sync"
)

// minZip is the size from which an answer is compressed.
const minZip = 1400 // below it, it is one packet anyway

// gzips are writers for reuse: each holds about 800 kB at the default level,
// 260 kB at BestSpeed.
var gzips = sync.Pool{New: func() any { z, _ := gzip.NewWriterLevel(nil, gzip.BestSpeed); return z }}

// zipper compresses an answer whose length is known to be worth it.
type zipper struct {
	http.ResponseWriter
	z     *gzip.Writer
	begun bool
}

// zip wraps w when the client takes gzip. Answers that hold secrets are never
// compressed (BREACH): those of Authorization and login are all below minZip
// or made once.
func zip(w http.ResponseWriter, r *http.Request) *zipper {
	if r.Method == http.MethodHead || strings.HasPrefix(r.URL.Path, "/api/v1/session") || strings.HasPrefix(r.URL.Path, "/api/v1/tokens") {
		return nil
	}
	for f := range strings.SplitSeq(r.Header.Get("Accept-Encoding"), ",") {
		name, q, _ := strings.Cut(strings.TrimSpace(f), ";")
		if name == "gzip" && strings.ReplaceAll(q, " ", "") != "q=0" {
			return &zipper{ResponseWriter: w}
		}
	}
	return nil
}

// WriteHeader decides.
func (w *zipper) WriteHeader(status int) {
	h := w.Header()
	if !w.begun && status == http.StatusOK && worth(h) {
		h.Set("Content-Encoding", "gzip")
		h.Del("Content-Length")
		if tag := h.Get("ETag"); tag != "" { // another representation, another tag (RFC 9110, section 8.8.3.3)
			h.Set("ETag", strings.TrimSuffix(tag, `"`)+`-gzip"`)
		}
		w.z = gzips.Get().(*gzip.Writer)
		w.z.Reset(w.ResponseWriter)
	}
	w.begun = true
	w.ResponseWriter.WriteHeader(status)
}

func worth(h http.Header) bool {
	n, err := strconv.Atoi(h.Get("Content-Length"))
	if h.Get("Content-Encoding") != "" || err != nil || n < minZip {
		return false
	}
	t := h.Get("Content-Type")
	return strings.HasPrefix(t, "text/") || strings.Contains(t, "json") || strings.Contains(t, "yaml") || strings.Contains(t, "javascript")
}

// Write compresses when that was decided.
func (w *zipper) Write(b []byte) (int, error) {
	if !w.begun {
		w.WriteHeader(http.StatusOK)
	}
	if w.z != nil {
		return w.z.Write(b)
	}
	return w.ResponseWriter.Write(b)
}

func (w *zipper) close() {
	if w.z != nil {
		_ = w.z.Close() // the client may be gone
		gzips.Put(w.z)
		w.z = nil
	}
}

// Unwrap is for http.ResponseController.
func (w *zipper) Unwrap() http.ResponseWriter { return w.ResponseWriter }
