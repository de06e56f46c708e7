package mining

import "github.com/yamori-net/yamori/internal/packet"

// pollKey names a client that connects to a server again and again.
type pollKey struct {
	client, server packet.Addr
	port           uint16
}

// pollState counts the short connections of one key.
type pollState struct {
	n int
}
