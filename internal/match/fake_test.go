package match

import "github.com/yamori-net/yamori/internal/event"

// noTx is a transaction without content.
type noTx struct{}

func (noTx) EventType() event.Type    { return "" }
func (noTx) EncodeEVE(*event.Encoder) {}
