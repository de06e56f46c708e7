package plugin

import (
	"encoding/binary"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"os/exec"
	"slices"
	"strings"
	"sync"
	"time"

	"golang.org/x/sys/unix"
)

// Plugin leads traffic here until Stop.
type Plugin struct {
	cfg    Config
	own    net.HardwareAddr
	index  int
	fd     int // frames go out by it; ARP comes in
	undo   map[string]string
	stop   chan struct{}
	done   chan struct{}
	heard  chan struct{} // somebody spoke ARP
	reader chan struct{}
	looked chan struct{}
	once   sync.Once
	err    error

	mu sync.Mutex
	st State
}

const (
	askTime   = 300 * time.Millisecond // for one answer
	asks      = 3
	ledTime   = 3 * time.Second        // in which a device is expected to send something
	frameGap  = time.Second / maxRate  // between frames
	roundGap  = 250 * time.Millisecond // between rounds that ARP of others calls for
	afterTalk = 20 * time.Millisecond  // lets the true answer come first
	lookGap   = 5 * time.Second        // between looks for devices that were silent
)

// Start checks that the machine forwards and that the router and the devices
// are where c says, then begins. It must run in the process that outlives a
// crash of the others.
func Start(c Config) (*Plugin, error) {
	ifc, err := net.InterfaceByName(c.Interface)
	if err != nil {
		return nil, fmt.Errorf("%w: interface %q: %w", ErrRefused, c.Interface, err)
	}
	if len(ifc.HardwareAddr) != 6 || ifc.Flags&net.FlagUp == 0 || ifc.Flags&net.FlagBroadcast == 0 {
		return nil, fmt.Errorf("%w: interface %s is no Ethernet interface, or is down", ErrRefused, c.Interface)
	}
	var addrs []netip.Addr
	list, err := ifc.Addrs()
	if err != nil {
		return nil, err
	}
	for _, a := range list {
		if p, err := netip.ParsePrefix(a.String()); err == nil {
			addrs = append(addrs, p.Addr().WithZone(""))
		}
	}
	c.Devices = slices.Clone(c.Devices)
	if err := c.check(ifc.HardwareAddr, addrs); err != nil {
		return nil, err
	}
	if p := c.obstacle(); p != "" {
		return nil, fmt.Errorf("%w: %s", ErrRefused, p)
	}
	p := &Plugin{cfg: c, own: ifc.HardwareAddr, index: ifc.Index, undo: map[string]string{}, stop: make(chan struct{}), done: make(chan struct{}),
		heard: make(chan struct{}, 1), reader: make(chan struct{}), looked: make(chan struct{})}
	if p.fd, err = packetSocket(p.index, unix.ETH_P_ARP); err != nil {
		return nil, fmt.Errorf("plug-in mode: packet socket: %w", err)
	}
	if err := p.ask(addrs); err != nil {
		_ = unix.Close(p.fd)
		return nil, err
	}
	p.quiet()
	p.st.Running, p.st.Hidden = true, flowTables()
	go p.listen()
	go p.run()
	go p.look()
	return p, nil
}

// packetSocket opens a packet socket on an interface that waits at most a tenth
// of a second.
func packetSocket(index, ethertype int) (int, error) {
	proto := binary.BigEndian.AppendUint16(nil, uint16(ethertype)) // in network order
	fd, err := unix.Socket(unix.AF_PACKET, unix.SOCK_RAW|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return -1, err
	}
	tv := unix.NsecToTimeval(int64(100 * time.Millisecond))
	err = errors.Join(unix.SetsockoptTimeval(fd, unix.SOL_SOCKET, unix.SO_RCVTIMEO, &tv),
		unix.Bind(fd, &unix.SockaddrLinklayer{Protocol: binary.NativeEndian.Uint16(proto), Ifindex: index}))
	if err != nil {
		_ = unix.Close(fd)
		return -1, err
	}
	return fd, nil
}

// obstacle says why traffic that is led here would not get on.
func (c *Config) obstacle() string {
	all := append([]Host{c.Gateway}, c.Devices...)
	has := func(v4 bool) bool {
		return slices.ContainsFunc(all, func(h Host) bool {
			return slices.ContainsFunc(h.Addrs, func(a netip.Addr) bool { return a.Is4() == v4 })
		})
	}
	switch {
	case has(true) && setting("/proc/sys/net/ipv4/ip_forward") != "1":
		return "this machine does not forward IPv4; set net.ipv4.ip_forward=1"
	case has(false) && setting("/proc/sys/net/ipv6/conf/all/forwarding") != "1":
		return "this machine does not forward IPv6; set net.ipv6.conf.all.forwarding=1"
	case has(true) && setting("/proc/sys/net/ipv4/conf/"+c.Interface+"/forwarding") == "0":
		return "the interface does not forward IPv4; set net.ipv4.conf." + c.Interface + ".forwarding=1"
	}
	return ""
}

func setting(file string) string {
	b, _ := os.ReadFile(file)
	return strings.TrimSpace(string(b))
}

// flowTables names what forwards packets past the rules that inspect.
func flowTables() string {
	out, err := exec.Command("nft", "list", "flowtables").Output()
	if err != nil || !strings.Contains(string(out), "flowtable ") {
		return ""
	}
	return "a flow table forwards packets past inspection (flow offload); switch it off"
}

// quiet keeps the kernel from telling devices that there is a shorter way: what
// comes in and goes out by one interface makes it send redirects.
func (p *Plugin) quiet() {
	for _, n := range [...]string{"all", p.cfg.Interface} {
		file := "/proc/sys/net/ipv4/conf/" + n + "/send_redirects"
		if v := setting(file); v == "1" && os.WriteFile(file, []byte("0"), 0o600) == nil {
			p.undo[file] = v
		}
	}
}

// ask makes sure that every IPv4 address is where it was said to be.
func (p *Plugin) ask(addrs []netip.Addr) error {
	own := netip.IPv4Unspecified() // a probe, RFC 5227 section 2.1.1
	for _, a := range addrs {
		if a.Is4() {
			own = a
			break
		}
	}
	at := p.whoHave(own)
	for i, h := range append([]Host{p.cfg.Gateway}, p.cfg.Devices...) {
		for _, a := range h.Addrs {
			got := at[a]
			switch {
			case !a.Is4():
			case got == nil && i == 0:
				return fmt.Errorf("%w: the router does not answer at %s", ErrRefused, a)
			case got != nil && !slices.Equal(got, h.MAC): // a device may be off
				return fmt.Errorf("%w: %s is at %s, not at %s", ErrRefused, a, got, h.MAC)
			}
		}
	}
	return nil
}

// whoHave asks for all addresses, some times over for those who do not answer.
func (p *Plugin) whoHave(own netip.Addr) map[netip.Addr]net.HardwareAddr {
	at := map[netip.Addr]net.HardwareAddr{}
	buf := make([]byte, 256)
	for range asks {
		missing := 0
		for _, h := range append([]Host{p.cfg.Gateway}, p.cfg.Devices...) {
			for _, a := range h.Addrs {
				if a.Is4() && at[a] == nil {
					missing++
					_ = p.send(Request(p.own, own, a))
					time.Sleep(frameGap)
				}
			}
		}
		if missing == 0 {
			break
		}
		for end := time.Now().Add(askTime); missing > 0 && time.Now().Before(end); {
			n, _, err := unix.Recvfrom(p.fd, buf, 0)
			if err != nil {
				continue
			}
			if a, mac, ok := answer(buf[:n]); ok && at[a] == nil {
				at[a] = slices.Clone(mac)
				missing--
			}
		}
	}
	return at
}

func (p *Plugin) send(b []byte) error {
	return unix.Sendto(p.fd, b, 0, &unix.SockaddrLinklayer{Ifindex: p.index})
}

// round sends frames, not too fast.
func (p *Plugin) round(frames [][]byte) {
	var sent, failed uint64
	var last error
	for _, f := range frames {
		if err := p.send(f); err != nil {
			failed, last = failed+1, err
		} else {
			sent++
		}
		time.Sleep(frameGap)
	}
	p.mu.Lock()
	p.st.Sent += sent
	p.st.Failed += failed
	if last != nil {
		p.st.Problem, p.st.Code = "frames cannot be sent: "+last.Error(), NotSending
	}
	p.mu.Unlock()
}

// tell sends the truth several times: Linux takes no second change of an entry
// within a second (net.ipv4.neigh.*.locktime), others sleep or lose frames.
func (p *Plugin) tell(truth [][]byte) {
	for range restores {
		p.round(truth)
		time.Sleep(restoreGap)
	}
}

// run tells both sides again and again.
func (p *Plugin) run() {
	defer close(p.done)
	lies, truth := p.cfg.frames(nil, p.own, false), p.cfg.frames(nil, p.own, true)
	t := time.NewTicker(p.cfg.Every)
	defer t.Stop()
	gap := time.NewTicker(roundGap) // bounds what ARP of others can make this send
	defer gap.Stop()
	for good := true; ; {
		problem := p.cfg.obstacle()
		p.mu.Lock()
		if p.st.Problem, p.st.Code = problem, ""; problem != "" {
			p.st.Code = NotForwarding
		}
		p.mu.Unlock()
		switch {
		case problem == "":
			p.quiet() // one that was killed before may have put the setting back just now
			p.round(lies)
		case good:
			p.tell(truth)
		}
		good = problem == ""
		select {
		case <-p.stop:
			return
		case <-t.C:
		case <-p.heard:
			select {
			case <-p.stop:
				return
			case <-gap.C:
			}
			time.Sleep(afterTalk)
		}
	}
}

// listen hears who speaks ARP.
func (p *Plugin) listen() {
	defer close(p.reader)
	buf := make([]byte, 256)
	for {
		select {
		case <-p.stop:
			return
		default:
		}
		n, from, err := unix.Recvfrom(p.fd, buf, 0)
		if err != nil {
			if err != unix.EAGAIN && err != unix.EINTR {
				time.Sleep(100 * time.Millisecond) // the interface is down
			}
			continue
		}
		if ll, ok := from.(*unix.SockaddrLinklayer); ok && ll.Pkttype != unix.PACKET_OUTGOING && p.cfg.interest(buf[:n]) {
			select {
			case p.heard <- struct{}{}:
			default:
			}
		}
	}
}

// look sees which devices send by this machine, again and again until all do.
func (p *Plugin) look() {
	defer close(p.looked)
	led := []string{}
	for {
		led = append(led, p.passing(ledTime, led)...)
		p.mu.Lock()
		p.st.Led = append(p.st.Led[:0], led...)
		p.st.Looked = true
		p.mu.Unlock()
		if len(led) == len(p.cfg.Devices) {
			return
		}
		select {
		case <-p.stop:
			return
		case <-time.After(lookGap):
		}
	}
}

// passing lists the named devices, but for those that are known, that send
// packets to this machine that are for somebody else, within d; it ends early
// when all did, and, unless known is nil, when it is to stop.
func (p *Plugin) passing(d time.Duration, known []string) (macs []string) {
	fd, err := packetSocket(p.index, unix.ETH_P_IP)
	if err != nil {
		return nil
	}
	defer unix.Close(fd)
	local := map[netip.Addr]bool{}
	list, _ := net.InterfaceAddrs()
	for _, a := range list {
		if x, err := netip.ParsePrefix(a.String()); err == nil {
			local[x.Addr()] = true
		}
	}
	buf := make([]byte, 128)
	for end := time.Now().Add(d); time.Now().Before(end) && len(macs)+len(known) < len(p.cfg.Devices) && (known == nil || !p.stopped()); {
		n, _, err := unix.Recvfrom(fd, buf, 0)
		if err != nil || n < etherSize+20 || !slices.Equal(net.HardwareAddr(buf[:6]), p.own) || local[netip.AddrFrom4([4]byte(buf[30:34]))] {
			continue
		}
		for _, dev := range p.cfg.Devices {
			if s := dev.MAC.String(); slices.Equal(net.HardwareAddr(buf[6:12]), dev.MAC) && !slices.Contains(macs, s) && !slices.Contains(known, s) {
				macs = append(macs, s)
			}
		}
	}
	return macs
}

func (p *Plugin) stopped() bool {
	select {
	case <-p.stop:
		return true
	default:
		return false
	}
}

// State says how it goes.
func (p *Plugin) State() State {
	p.mu.Lock()
	defer p.mu.Unlock()
	st := p.st
	st.Led = slices.Clone(st.Led)
	return st
}

// Stop tells the truth several times, to each and to all, and looks whether it
// was heard: the error names devices that still send their packets here. It
// takes about three seconds.
func (p *Plugin) Stop() error {
	p.once.Do(func() {
		close(p.stop)
		<-p.done
		<-p.reader
		truth := p.cfg.announcements(p.cfg.frames(nil, p.own, true), p.own)
		p.tell(truth)
		<-p.looked
		if left := p.passing(time.Second, nil); len(left) > 0 {
			p.round(truth)
			p.err = fmt.Errorf("plug-in mode: still led here: %s; they find the router again when their entry ages", strings.Join(left, ", "))
		}
		for file, v := range p.undo {
			if err := os.WriteFile(file, []byte(v), 0o600); err != nil {
				p.err = errors.Join(p.err, err)
			}
		}
		_ = unix.Close(p.fd)
		p.mu.Lock()
		p.st.Running = false
		p.mu.Unlock()
	})
	return p.err
}
