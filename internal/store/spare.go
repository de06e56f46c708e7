package store

import "os"

const (
	spareSuffix = ".spare"
	// spareBytes are kept on the disk and given up when it is full, so that
	// the store still opens and takes some more findings and decisions.
	spareBytes = 256 << 10
	// spareRoom is how much must be free before they are taken again.
	spareRoom = 16 * spareBytes
)

// makeSpare takes the spare bytes if they are not there and there is room.
func (s *Store) makeSpare() {
	path := s.path + spareSuffix
	if st, err := os.Stat(path); err == nil && st.Size() >= spareBytes {
		return
	}
	if free, ok := freeBytes(s.cfg.Dir); !ok || free < spareRoom {
		return
	}
	if err := os.WriteFile(path, make([]byte, spareBytes), 0o600); err != nil {
		_ = os.Remove(path)
	}
}

// dropSpare gives them up; false: there were none.
func (s *Store) dropSpare() bool { return os.Remove(s.path+spareSuffix) == nil }
