package app

import (
	"log/slog"
	"os"
	"sync"
)

// logFile is a file that lines are appended to and that can be reopened, so
// that a log rotator may move it away.
type logFile struct {
	path string
	mu   sync.Mutex
	f    *os.File
}

func openLog(path string) (*logFile, error) {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o640)
	if err != nil {
		return nil, err
	}
	return &logFile{path: path, f: f}, nil
}

// Write appends b.
func (l *logFile) Write(b []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.f.Write(b)
}

// reopenOn reopens the file at each signal until done is closed. When the new
// file cannot be opened the old one stays.
func (l *logFile) reopenOn(sig <-chan os.Signal, done <-chan struct{}, log *slog.Logger) {
	for {
		select {
		case <-done:
			return
		case <-sig:
		}
		n, err := openLog(l.path)
		if err != nil {
			log.Error("the event file could not be reopened; writing on to the old one", "error", err)
			continue
		}
		l.mu.Lock()
		old := l.f
		l.f = n.f
		l.mu.Unlock()
		_ = old.Close()
		log.Info("event file reopened", "file", l.path)
	}
}

// Close closes the file.
func (l *logFile) Close() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.f.Close()
}
