package main

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"github.com/yamori-net/yamori/internal/builtin"
	"github.com/yamori-net/yamori/internal/capture/pcapfile"
	"github.com/yamori-net/yamori/internal/device"
	"github.com/yamori-net/yamori/internal/device/clues"
	"github.com/yamori-net/yamori/internal/device/fingerprint"
	"github.com/yamori-net/yamori/internal/engine"
	"github.com/yamori-net/yamori/internal/packet"
)

// sample is one capture of one device.
type sample struct {
	name, device, kind string
	mac                packet.MAC
	file               string
	made               []packet.Frame // instead of a file
}

// recorded lists the captures of a folder.
func recorded(dir string) ([]sample, error) {
	b, err := os.ReadFile(filepath.Join(dir, "device-kinds.tsv"))
	if err != nil {
		return nil, err
	}
	var out []sample
	for i, line := range strings.Split(strings.TrimSpace(string(b)), "\n") {
		f := strings.Split(line, "\t")
		if i == 0 || len(f) < 3 {
			continue
		}
		var mac packet.MAC
		if _, err := fmt.Sscanf(f[1], "%02x:%02x:%02x:%02x:%02x:%02x", &mac[0], &mac[1], &mac[2], &mac[3], &mac[4], &mac[5]); err != nil {
			return nil, fmt.Errorf("%s: %w", line, err)
		}
		files, err := filepath.Glob(filepath.Join(dir, f[0], "*.pcap*"))
		if err != nil {
			return nil, err
		}
		for _, p := range files {
			out = append(out, sample{name: f[0] + "/" + filepath.Base(p), device: f[0], kind: f[2], mac: mac, file: p})
		}
	}
	return out, nil
}

func (s *sample) frames() ([]packet.Frame, error) {
	var out []packet.Frame
	if s.file == "" {
		for _, f := range s.made {
			f.Data = bytes.Clone(f.Data)
			out = append(out, f)
		}
		return out, nil
	}
	r, err := pcapfile.Open(s.file)
	if err != nil {
		return nil, err
	}
	defer r.Close()
	for {
		var f packet.Frame
		if err := r.Next(&f); errors.Is(err, io.EOF) {
			return out, nil
		} else if err != nil {
			return out, nil // a capture that was cut: what is there counts
		}
		f.Data = bytes.Clone(f.Data)
		out = append(out, f)
	}
}

// randomise replaces the hardware address of a device by a local one wherever
// its bytes stand in a frame (Ethernet, ARP, DHCP), and in the addresses of
// IPv6 made from it. The rest of the content stays, as it would.
func randomise(frames []packet.Frame, mac packet.MAC) packet.MAC {
	local := packet.MAC{0x9a ^ mac[5]&0xf0, mac[3] ^ 0x5c, mac[4] ^ 0xa3, mac[5] ^ 0x77, mac[1] ^ 0x31, mac[2] ^ 0xe9}
	local[0] = local[0]&^1 | 2
	eui := func(m packet.MAC) []byte { return []byte{m[0] ^ 2, m[1], m[2], 0xff, 0xfe, m[3], m[4], m[5]} }
	text := func(m packet.MAC, sep string) []byte {
		return []byte(fmt.Sprintf("%02x%s%02x%s%02x%s%02x%s%02x%s%02x", m[0], sep, m[1], sep, m[2], sep, m[3], sep, m[4], sep, m[5]))
	}
	for i := range frames {
		d := frames[i].Data
		d = bytes.ReplaceAll(d, mac[:], local[:])
		d = bytes.ReplaceAll(d, eui(mac), eui(local))
		for _, sep := range []string{"", ":", "-"} {
			d = bytes.ReplaceAll(d, text(mac, sep), text(local, sep))
			d = bytes.ReplaceAll(d, bytes.ToUpper(text(mac, sep)), bytes.ToUpper(text(local, sep)))
		}
		frames[i].Data = d
	}
	return local
}

// replay runs frames through the engine and returns what is known of a device
// at the end, and when it was first heard of.
func replay(frames []packet.Frame, mac packet.MAC, m mode) (device.Device, int64, bool) {
	judge := fingerprint.Judge
	if m == noMaker {
		judge = func(f device.Facts) device.Profile {
			f.MACs = nil
			var kept []device.Clue
			for _, c := range f.Clues {
				if c.Key != "maker" && c.Key != "eui64" {
					kept = append(kept, c)
				}
			}
			f.Clues = kept
			return fingerprint.Judge(f)
		}
	}
	r, err := device.NewRegistry(device.Config{Judge: judge, Exact: true})
	if err != nil {
		panic(err) // there is no store that could fail
	}
	e, err := engine.New(engine.Config{Protocols: builtin.Protocols(), Seed: 1,
		Observer: func(int) engine.Observer { return clues.New(r, nil, r.Epoch) }, Refs: r.Ref})
	if err != nil {
		panic(err) // the list of protocols is the one that ships
	}
	for i := range frames {
		e.Workers[0].Handle(&frames[i])
	}
	e.Close()
	r.Finish()
	for _, d := range r.Devices() {
		for _, x := range d.MACs {
			if x == mac {
				return d, d.First, true
			}
		}
	}
	return device.Device{Kind: device.Unknown}, 0, false
}
