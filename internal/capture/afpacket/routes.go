package afpacket

import (
	"io/fs"
	"math"
	"strconv"
	"strings"
)

// Flags of a route, linux/route.h.
const (
	routeUp     = 0x0001
	routeReject = 0x0200
)

// route is a default route.
type route struct {
	dev    string
	metric uint64
}

// defaultRoutes reads the default routes of both families, IPv4 first, best
// first within each. What cannot be read or understood is passed over: a
// kernel without IPv6 has no such file.
func defaultRoutes(root fs.FS) []route {
	all := bestFirst(parseRoutes4(read(root, "proc/net/route")))
	return append(all, bestFirst(parseRoutes6(read(root, "proc/net/ipv6_route")))...)
}

// parseRoutes4 reads /proc/net/route: a heading, then Iface, Destination,
// Gateway, Flags, RefCnt, Use, Metric, Mask, ….
func parseRoutes4(text string) (all []route) {
	for line := range strings.Lines(text) {
		f := strings.Fields(line)
		if len(f) < 8 || f[1] != "00000000" || f[7] != "00000000" {
			continue
		}
		flags, err := strconv.ParseUint(f[3], 16, 32)
		metric, merr := strconv.ParseUint(f[6], 10, 32)
		if err == nil && merr == nil && flags&routeUp != 0 && flags&routeReject == 0 {
			all = append(all, route{f[0], metric})
		}
	}
	return all
}

// parseRoutes6 reads /proc/net/ipv6_route: destination, its length, source, its
// length, next hop, metric, references, use, flags, device; hexadecimal.
func parseRoutes6(text string) (all []route) {
	const any = "00000000000000000000000000000000"
	for line := range strings.Lines(text) {
		f := strings.Fields(line)
		// Every kernel keeps a rejecting default route on lo.
		if len(f) < 10 || f[0] != any || f[1] != "00" || f[9] == "lo" {
			continue
		}
		flags, err := strconv.ParseUint(f[8], 16, 32)
		metric, merr := strconv.ParseUint(f[5], 16, 32)
		if err == nil && merr == nil && flags&routeUp != 0 && flags&routeReject == 0 {
			all = append(all, route{f[9], metric})
		}
	}
	return all
}

// bestFirst moves the route of the lowest metric to the front.
func bestFirst(all []route) []route {
	best, at := uint64(math.MaxUint64), 0
	for i, r := range all {
		if r.metric < best {
			best, at = r.metric, i
		}
	}
	if at > 0 {
		all[0], all[at] = all[at], all[0]
	}
	return all
}

// maxProcFile bounds what is read of a file: a router with a full table of the
// Internet has a hundred megabytes of routes, and its default routes stand
// first.
const maxProcFile = 1 << 20

func read(root fs.FS, name string) string {
	f, err := root.Open(name)
	if err != nil {
		return ""
	}
	defer f.Close()
	b := make([]byte, 0, 4096)
	for len(b) < maxProcFile {
		if len(b) == cap(b) {
			b = append(b, 0)[:len(b)]
		}
		n, err := f.Read(b[len(b):cap(b)])
		b = b[:len(b)+n]
		if err != nil {
			break
		}
	}
	return string(b)
}
