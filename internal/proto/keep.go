package proto

// Keep empties a buffer for its next use, or lets go of it when it has room for
// more than limit elements: what Reset leaves to a parser that waits for its
// next flow has to be small, because thousands of them may wait.
func Keep[T any](b []T, limit int) []T {
	if cap(b) > limit {
		return nil
	}
	return b[:0]
}
