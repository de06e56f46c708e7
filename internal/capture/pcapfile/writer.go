package pcapfile

import (
	"bufio"
	"encoding/binary"
	"errors"
	"fmt"
	"io"

	"github.com/yamori-net/yamori/internal/packet"
)

// ErrLinkType is returned when a frame does not fit into a classic pcap, which
// has one link type for all.
var ErrLinkType = errors.New("pcapfile: frame of another link type than the file")

// maxLinks bounds the interfaces a Writer describes, one for each link type.
const maxLinks = 64

// vlanAt is where a tag stands in an Ethernet frame.
const vlanAt = 12

// Writer writes a capture file, little-endian, times in nanoseconds. It is for
// one goroutine. Write errors stay: Flush returns the first.
type Writer struct {
	w     *bufio.Writer
	ng    bool
	snap  int
	links []packet.LinkType // by interface number
	head  [32]byte
	tag   [4]byte
}

// NewWriter begins a pcapng file. Packets are cut to snap bytes; 0 keeps them
// whole. Frames of other link types than link are given interfaces of their
// own. Call Flush at the end.
func NewWriter(w io.Writer, link packet.LinkType, snap int) (*Writer, error) {
	nw := &Writer{w: bufio.NewWriterSize(w, 64<<10), ng: true, snap: snapOf(snap)}
	b := nw.head[:28]
	le := binary.LittleEndian
	le.PutUint32(b, blockSection)
	le.PutUint32(b[4:], 28)
	le.PutUint32(b[8:], magicBOM)
	le.PutUint16(b[12:], 1)
	le.PutUint16(b[14:], 0)
	le.PutUint64(b[16:], 1<<64-1) // length of the section not given
	le.PutUint32(b[24:], 28)
	if _, err := nw.w.Write(b); err != nil {
		return nil, err
	}
	_, err := nw.iface(link)
	return nw, err
}

// NewPcapWriter begins a classic pcap file with nanoseconds, for readers that
// know nothing else. All frames must have the link type link.
func NewPcapWriter(w io.Writer, link packet.LinkType, snap int) (*Writer, error) {
	nw := &Writer{w: bufio.NewWriterSize(w, 64<<10), snap: snapOf(snap), links: []packet.LinkType{link}}
	b := nw.head[:pcapHeaderLen]
	le := binary.LittleEndian
	le.PutUint32(b, magicNano)
	le.PutUint16(b[4:], 2)
	le.PutUint16(b[6:], 4)
	le.PutUint32(b[16:], uint32(nw.snap))
	le.PutUint32(b[20:], uint32(link))
	_, err := nw.w.Write(b)
	return nw, err
}

func snapOf(snap int) int {
	if snap <= 0 {
		return MaxSnap
	}
	return min(snap, MaxSnap)
}

// iface returns the number of the interface for link, described on first use.
func (w *Writer) iface(link packet.LinkType) (uint32, error) {
	for i, l := range w.links {
		if l == link {
			return uint32(i), nil
		}
	}
	if len(w.links) == maxLinks {
		return 0, fmt.Errorf("%w: more than %d link types", ErrLinkType, maxLinks)
	}
	b := w.head[:32]
	le := binary.LittleEndian
	le.PutUint32(b, blockInterface)
	le.PutUint32(b[4:], 32)
	le.PutUint32(b[8:], uint32(link))
	le.PutUint32(b[12:], uint32(w.snap))
	le.PutUint32(b[16:], optTSResol|1<<16)
	le.PutUint32(b[20:], 9)
	le.PutUint32(b[24:], optEnd)
	le.PutUint32(b[28:], 32)
	w.links = append(w.links, link)
	_, err := w.w.Write(b)
	return uint32(len(w.links) - 1), err
}

// Write appends one frame. A VLAN tag that the network card took off is put
// back into an Ethernet frame. Times outside [0, MaxTime] are clamped; a
// classic pcap holds seconds up to the year 2106.
func (w *Writer) Write(f *packet.Frame) error {
	data, wire := f.Data, max(f.Len, len(f.Data))
	var tag []byte
	if f.VLANTPID != 0 && f.Link == packet.LinkEthernet && len(data) >= vlanAt {
		tag = w.tag[:]
		binary.BigEndian.PutUint16(tag, f.VLANTPID)
		binary.BigEndian.PutUint16(tag[2:], f.VLAN)
		wire += len(tag)
	}
	n := min(len(data)+len(tag), w.snap)
	t := uint64(min(max(f.Time, 0), MaxTime))
	pad, err := 0, error(nil)
	if w.ng {
		pad = -n & 3
		err = w.enhanced(f.Link, t, n, wire, pad)
	} else {
		err = w.record(f.Link, t, n, wire)
	}
	if err != nil {
		return err
	}
	if tag != nil {
		// The first twelve bytes, the tag, the rest, each as far as n goes.
		m := min(n, vlanAt)
		_, _ = w.w.Write(data[:m]) // bufio keeps the first error, see below
		_, _ = w.w.Write(tag[:min(n-m, len(tag))])
		data = data[m:]
		n -= min(n, m+len(tag))
	}
	_, err = w.w.Write(data[:n])
	if w.ng && err == nil {
		le := binary.LittleEndian
		clear(w.head[:4])
		total := le.Uint32(w.head[4:])
		le.PutUint32(w.head[pad:], total)
		_, err = w.w.Write(w.head[:pad+4])
	}
	return err
}

// enhanced writes the part of an enhanced packet block before the data.
func (w *Writer) enhanced(link packet.LinkType, t uint64, n, wire, pad int) error {
	id, err := w.iface(link)
	if err != nil {
		return err
	}
	b := w.head[:28]
	le := binary.LittleEndian
	le.PutUint32(b, blockEnhanced)
	le.PutUint32(b[4:], uint32(blockFrame+20+n+pad))
	le.PutUint32(b[8:], id)
	le.PutUint32(b[12:], uint32(t>>32))
	le.PutUint32(b[16:], uint32(t))
	le.PutUint32(b[20:], uint32(n))
	le.PutUint32(b[24:], uint32(wire))
	_, err = w.w.Write(b)
	return err
}

// record writes the header of a pcap record.
func (w *Writer) record(link packet.LinkType, t uint64, n, wire int) error {
	if link != w.links[0] {
		return fmt.Errorf("%w: %d, not %d", ErrLinkType, link, w.links[0])
	}
	b := w.head[:recordHeaderLen]
	le := binary.LittleEndian
	le.PutUint32(b, uint32(min(t/nsPerSec, 1<<32-1)))
	le.PutUint32(b[4:], uint32(t%nsPerSec))
	le.PutUint32(b[8:], uint32(n))
	le.PutUint32(b[12:], uint32(wire))
	_, err := w.w.Write(b)
	return err
}

// Flush writes out what is buffered and returns the first error of all writes.
func (w *Writer) Flush() error { return w.w.Flush() }
