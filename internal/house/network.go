package house

import "net/netip"

// Network is the number of the network (autonomous system) of an address; 0: not
// known.
func (h *House) Network(a netip.Addr) uint32 {
	n, _ := h.cfg.Networks.ASN(a)
	return n
}
