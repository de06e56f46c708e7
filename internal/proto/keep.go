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

// Append is append for memory that slices are taken of while it grows: they
// hold on to the arrays it has outgrown. Doubling keeps those together smaller
// than the one in use, so that Held bounds them all; append's own growth by a
// quarter would leave four times as much.
func Append(dst, b []byte) []byte {
	if len(dst)+len(b) <= cap(dst) {
		return append(dst, b...)
	}
	grown := make([]byte, len(dst), max(2*cap(dst), len(dst)+len(b)))
	copy(grown, dst)
	return append(grown, b...)
}

// Held is the most memory that is in use for b, which grew by Append, and for
// the arrays it has outgrown.
func Held(b []byte) int { return 2 * cap(b) }
