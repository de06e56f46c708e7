package client

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"path/filepath"
	"slices"
	"sync/atomic"
	"testing"
	"time"
)

// TestFollow: a connection that ends is made again with the last id; what may
// have been missed is said; a refusal ends it, a busy moment does not.
func TestFollow(t *testing.T) {
	sock := filepath.Join(t.TempDir(), "s")
	l, err := net.Listen("unix", sock)
	if err != nil {
		t.Fatal(err)
	}
	var n atomic.Int32
	var lasts []string
	srv := &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		lasts = append(lasts, r.Header.Get("Last-Event-ID"))
		switch n.Add(1) {
		case 1:
			fmt.Fprint(w, "retry: 3000\n: yamori\n\nid: a-1\nevent: finding\ndata: {\"id\":\"1\"}\n\n: still here\n\n")
		case 2:
			w.WriteHeader(http.StatusServiceUnavailable)
		case 3: // after a restart
			fmt.Fprint(w, ": yamori\n\nevent: reset\ndata: {}\n\nid: b-1\nevent: finding\ndata: {\"id\":\"2\"}\n\nevent: bye\ndata: {}\n\n")
		default:
			w.WriteHeader(http.StatusForbidden)
		}
	})}
	go func() { _ = srv.Serve(l) }()
	defer srv.Close()
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	var got []string
	err = Unix(sock).Follow(ctx, "finding", func() error { got = append(got, "missed"); return nil }, func(error) { got = append(got, "lost") },
		func(e Event) error { got = append(got, e.ID); return nil })
	var refused *Error
	if !errors.As(err, &refused) || refused.Status != http.StatusForbidden {
		t.Errorf("%v", err)
	}
	if want := []string{"missed", "a-1", "lost", "missed", "missed", "b-1", "lost"}; !slices.Equal(got, want) {
		t.Errorf("%v, not %v", got, want)
	}
	if want := []string{"", "a-1", "a-1", "b-1"}; !slices.Equal(lasts, want) {
		t.Errorf("%v, not %v", lasts, want)
	}
	if err := Unix(filepath.Join(t.TempDir(), "none")).Follow(ctx, "", nil, nil, nil); err == nil || ctx.Err() != nil {
		t.Errorf("nobody there: %v", err)
	}
	stop := errors.New("enough")
	n.Store(0)
	if err := Unix(sock).Follow(ctx, "", func() error { return nil }, nil, func(Event) error { return stop }); err != stop {
		t.Errorf("%v", err)
	}
}
