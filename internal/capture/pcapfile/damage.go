package pcapfile

import (
	"errors"
	"fmt"
)

// ErrNotCapture is wrapped by a Damage when the input does not begin like any
// capture format this package reads.
var ErrNotCapture = errors.New("not a capture file")

// Damage is the place where a capture stops being readable. Every packet in
// front of it has been delivered; none behind it can be, because records find
// each other only by their lengths.
type Damage struct {
	File   string // as given to Open or NewReader
	Offset int64  // byte at which the unreadable record begins, after decompression
	Layers string // compression around the capture, outermost first ("gzip"), or ""
	What   string // what is wrong, in words
	Cure   string // what helps, or ""
	Err    error  // the cause below: io.ErrUnexpectedEOF, ErrNotCapture, a read error; or nil
}

// Error returns one line: file, offset, what is wrong and the cure.
func (d *Damage) Error() string {
	s := fmt.Sprintf("%s: byte %d", d.File, d.Offset)
	if d.Layers != "" {
		s += " of the data inside " + d.Layers
	}
	s += ": " + d.What
	if d.Cure != "" {
		s += " (" + d.Cure + ")"
	}
	return s
}

// Unwrap returns the cause.
func (d *Damage) Unwrap() error { return d.Err }

// Cures. They follow the sentence that says what is wrong.
const (
	cureCutOff  = "the file was cut off while it was written or copied; every packet before this place was read"
	cureOverrun = "bytes were changed or lost in or before this record; every packet before this place was read"
	cureFormat  = "give a pcap or pcapng file, plain or compressed with gzip or zstd"
)
