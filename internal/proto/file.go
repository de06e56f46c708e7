package proto

import "github.com/yamori-net/yamori/internal/packet"

// File is a file that a protocol carries, and during a call of OnFile the next
// piece of it. The value belongs to the parser, which keeps one for each file
// under way; it does not move between OpenFile and CloseFile.
type File struct {
	ID   uint32     // number in the flow, from 0
	Dir  packet.Dir // who sends the file
	Name []byte     // as the protocol gives it, nil: none; valid until the file is closed
	Tx   Tx         // the transaction that carries it, nil: none
	TxID uint64     // the number of that transaction in the flow, from 0

	// Start and End are the first and last byte when this is a range of a
	// larger file; both zero when it is not.
	Start, End uint64

	Data      []byte // the next bytes, decoded; valid during the call; empty when there are none
	Offset    uint64 // of Data in the file
	Size      uint64 // bytes of the file so far, Data and missing ones included
	Gap       bool   // some of them are missing
	Done      bool   // nothing more comes
	Truncated bool   // with Done: the file went on, or some of it is missing

	// Enough is set by the listener when it wants no more data: the parser may
	// pass over the rest undecoded and still closes the file.
	Enough bool
	// Listener is what the listener keeps for the file; parsers leave it alone.
	Listener any

	open bool
}

// IsOpen reports whether f was opened and not yet closed.
func (f *File) IsOpen() bool { return f.open }

// OpenFile begins a file in f. The listener hears of it with its first bytes,
// or when it is closed empty.
func (c *Conn) OpenFile(f *File, d packet.Dir, name []byte, tx Tx, txID uint64) {
	*f = File{ID: c.files, Dir: d, Name: name, Tx: tx, TxID: txID, open: true}
	c.files++
}

// FileData hands over the next bytes of f.
func (c *Conn) FileData(f *File, b []byte) {
	if !f.open || len(b) == 0 {
		return
	}
	f.Offset = f.Size
	f.Size += uint64(len(b))
	if f.Enough {
		return
	}
	f.Data = b
	c.OnFile(f)
	f.Data = nil
}

// FileGap says that n bytes of f are missing here.
func (c *Conn) FileGap(f *File, n int) {
	if f.open && n > 0 {
		f.Size += uint64(n)
		f.Gap = true
	}
}

// CloseFile ends f. Closing a file that is not open does nothing.
func (c *Conn) CloseFile(f *File, truncated bool) {
	if !f.open {
		return
	}
	f.Offset, f.Done, f.Truncated = f.Size, true, truncated || f.Gap
	c.OnFile(f)
	*f = File{}
}
