package house

import (
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/yamori-net/yamori/internal/device"
	"github.com/yamori-net/yamori/internal/store"
)

// TestOpenFails: a folder that cannot be used is an error that names it, for
// the daemon to go on without.
func TestOpenFails(t *testing.T) {
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	h, err := Open(Config{Store: store.Config{Dir: filepath.Join(file, "state")}, HomeNet: device.DefaultHome(), Log: slog.New(slog.NewTextHandler(io.Discard, nil)), Now: time.Now})
	if err == nil || h != nil {
		t.Errorf("%v %v", h, err)
	}
}
