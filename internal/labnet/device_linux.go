package labnet

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"slices"
	"time"

	"github.com/yamori-net/yamori/internal/netns"
)

// Device is a device of the home. Its Name, Kind, MAC, IP4 and IP6 say which.
type Device struct {
	*model
	NS   *netns.NS
	home *Home
}

// Device returns a device by its name, or nil.
func (h *Home) Device(name string) *Device {
	for _, d := range h.devices {
		if d.Name == name {
			return d
		}
	}
	return nil
}

// Devices lists the devices.
func (h *Home) Devices() []*Device { return slices.Clone(h.devices) }

// Dial connects from the device over TCP, to an address of the lab.
func (d *Device) Dial(ctx context.Context, to netip.AddrPort) (net.Conn, error) {
	if !d.home.begin() {
		return nil, ErrClosed
	}
	defer d.home.active.Done()
	return Dial(ctx, d.NS, to)
}

// dialUDP makes a connected UDP socket of the device.
func (d *Device) dialUDP(to netip.AddrPort) (net.Conn, error) {
	if !d.home.begin() {
		return nil, ErrClosed
	}
	defer d.home.active.Done()
	return dialUDP(d.NS, to)
}

// Lookup asks the resolver for a name and returns its address.
func (d *Device) Lookup(ctx context.Context, name string, v6 bool) (netip.Addr, error) {
	c, err := d.dialUDP(netip.AddrPortFrom(d.home.opt.Resolver, 53))
	if err != nil {
		return netip.Addr{}, err
	}
	defer c.Close()
	stop := context.AfterFunc(ctx, func() { _ = c.SetDeadline(past) })
	defer stop()
	id := uint16(time.Now().UnixNano())
	q := question(id, name, v6)
	buf := make([]byte, 1500)
	for range 2 { // a question may be lost
		_ = c.SetDeadline(time.Now().Add(d.home.opt.Patience / 2))
		if ctx.Err() != nil {
			return netip.Addr{}, ctx.Err()
		}
		if _, err = c.Write(q); err != nil {
			return netip.Addr{}, err
		}
		var n int
		if n, err = c.Read(buf); err == nil {
			return readAnswer(buf[:n], id)
		}
		if !isTimeout(err) {
			break
		}
	}
	return netip.Addr{}, fmt.Errorf("look up %s: %w", name, err)
}

func isTimeout(err error) bool {
	var t net.Error
	return errors.As(err, &t) && t.Timeout()
}

// Announce says what a device says when it joins a network: DHCP, mDNS, SSDP,
// WS-Discovery, and its first look-ups.
func (d *Device) Announce(ctx context.Context) error {
	if !d.home.begin() {
		return ErrClosed
	}
	defer d.home.active.Done()
	send := func(from, to string, msgs ...[]byte) error {
		var c net.PacketConn
		addr, err := net.ResolveUDPAddr("udp4", to)
		if err == nil {
			err = d.NS.Do(func() (err error) { c, err = net.ListenPacket("udp4", from); return err })
		}
		if err != nil {
			return err
		}
		defer c.Close()
		for _, m := range msgs {
			if _, err := c.WriteTo(m, addr); err != nil {
				return err
			}
		}
		return nil
	}
	me := d.IP4.String()
	errs := []error{send("0.0.0.0:68", "255.255.255.255:67", d.dhcp(1), d.dhcp(3))}
	for _, s := range d.services {
		errs = append(errs, send(me+":5353", "224.0.0.251:5353", d.mdns(s)))
	}
	for _, s := range d.ssdp {
		errs = append(errs, send(me+":0", "239.255.255.250:1900", d.notify(s[0], s[1])))
	}
	if d.discovery != "" {
		errs = append(errs, send(me+":0", "239.255.255.250:3702", d.hello()))
	}
	for _, n := range d.lookups {
		_, _ = d.Lookup(ctx, n, false) // most have no address here; being asked for is enough
	}
	return errors.Join(errs...)
}
