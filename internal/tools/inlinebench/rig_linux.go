package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/yamori-net/yamori/internal/labnet"
	"github.com/yamori-net/yamori/internal/netns"
)

// rig is a client, a router and a server.
type rig struct {
	client, router, server *netns.NS
	dir                    string
	more                   []string // further folders to remove
}

const (
	serverAddr = "203.0.113.10"
	echoPort   = 7
	latencyFor = 2 * time.Second
)

var start = labnet.Start

func newRig() (*rig, error) {
	r := &rig{}
	var err error
	if r.dir, err = os.MkdirTemp("", "inlinebench"); err != nil {
		return nil, err
	}
	for _, n := range []struct {
		ns   **netns.NS
		name string
	}{{&r.client, "client"}, {&r.router, "router"}, {&r.server, "server"}} {
		if *n.ns, err = netns.New(n.name); err != nil {
			return nil, err
		}
	}
	for _, err := range []error{
		netns.Join(r.client, "c0", r.router, "lan"), netns.Join(r.router, "wan", r.server, "s0"),
		r.client.Script("ip addr add 192.168.7.2/24 dev c0\nip route add default via 192.168.7.1"),
		r.router.Script("ip addr add 192.168.7.1/24 dev lan\nip addr add 203.0.113.1/24 dev wan\nsysctl -q -w net.ipv4.ip_forward=1\niptables-nft -t nat -A POSTROUTING -o wan -j MASQUERADE"),
		r.server.Script("ip addr add " + serverAddr + "/24 dev s0\nip route add default via 203.0.113.1"),
	} {
		if err != nil {
			return nil, err
		}
	}
	l, err := labnet.Listen(r.server, fmt.Sprintf("%s:%d", serverAddr, echoPort))
	if err != nil {
		return nil, err
	}
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go func() { defer c.Close(); _, _ = io.Copy(c, c) }()
		}
	}()
	return r, nil
}

// offload turns segments larger than a frame on or off, everywhere.
func (r *rig) offload(on bool) error {
	v := map[bool]string{true: "on", false: "off"}[on]
	for _, e := range []struct {
		ns  *netns.NS
		dev string
	}{{r.client, "c0"}, {r.router, "lan"}, {r.router, "wan"}, {r.server, "s0"}} {
		if err := e.ns.Run("ethtool", "-K", e.dev, "tso", v, "gso", v, "gro", v); err != nil {
			return err
		}
	}
	return nil
}

// point is what was measured with one inspector.
type point struct {
	gbits              float64
	inspector, machine float64 // CPU-seconds per GB
	p50, p99           float64 // microseconds of a short question and its answer
	plain              float64 // Gbit/s of plain forwarding in the same round
	share              float64 // of it
}

// median takes the middle of each figure by itself.
func median(rounds []point) point {
	of := func(figure func(point) float64) float64 {
		v := make([]float64, len(rounds))
		for i, p := range rounds {
			v[i] = figure(p)
		}
		slices.Sort(v)
		return (v[(len(v)-1)/2] + v[len(v)/2]) / 2
	}
	return point{
		gbits:     of(func(p point) float64 { return p.gbits }),
		inspector: of(func(p point) float64 { return p.inspector }),
		machine:   of(func(p point) float64 { return p.machine }),
		p50:       of(func(p point) float64 { return p.p50 }),
		p99:       of(func(p point) float64 { return p.p99 }),
		share:     of(func(p point) float64 { return p.gbits / p.plain }),
	}
}

func (r *rig) point(in inspector, seconds int) (p point, err error) {
	var c *exec.Cmd
	if in.start != nil {
		if c, err = in.start(r); err != nil {
			return p, err
		}
		defer func() {
			_ = c.Process.Signal(syscall.SIGTERM)
			_ = c.Wait()
			_ = r.router.Run("iptables-nft", "-F", "FORWARD")
		}()
	}
	if p.p50, p.p99, err = r.latency(); err != nil {
		return p, err
	}
	srv := exec.Command("iperf3", "-s", "-1")
	if err := start(r.server, srv); err != nil {
		return p, err
	}
	defer func() { _ = srv.Process.Kill(); _ = srv.Wait() }()
	time.Sleep(300 * time.Millisecond)
	before, machine := cpuOf(c), busy()
	out, err := r.client.Output("iperf3", "-c", serverAddr, "-t", strconv.Itoa(seconds), "-R", "-J")
	if err != nil {
		return p, err
	}
	var res struct {
		End struct {
			Sum struct {
				Bytes float64 `json:"bytes"`
				Bits  float64 `json:"bits_per_second"`
			} `json:"sum_received"`
		} `json:"end"`
	}
	if err := json.Unmarshal(out, &res); err != nil {
		return p, err
	}
	gb := res.End.Sum.Bytes / 1e9
	p.gbits = res.End.Sum.Bits / 1e9
	p.inspector, p.machine = (cpuOf(c)-before)/gb, (busy()-machine)/gb
	return p, nil
}

// latency asks short questions, one after the other.
func (r *rig) latency() (p50, p99 float64, err error) {
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	var c net.Conn
	if c, err = labnet.Dial(ctx, r.client, netip.AddrPortFrom(netip.MustParseAddr(serverAddr), echoPort)); err != nil {
		return 0, 0, err
	}
	defer c.Close()
	buf := make([]byte, 64)
	var times []float64
	for begin := time.Now(); time.Since(begin) < latencyFor; {
		t := time.Now()
		_ = c.SetDeadline(t.Add(5 * time.Second))
		if _, err := c.Write(buf); err != nil {
			return 0, 0, err
		}
		if _, err := io.ReadFull(c, buf); err != nil {
			return 0, 0, err
		}
		times = append(times, float64(time.Since(t).Nanoseconds())/1e3)
		time.Sleep(200 * time.Microsecond) // or the kernel never goes idle, which flatters
	}
	slices.Sort(times)
	return times[len(times)/2], times[len(times)*99/100], nil
}

// tick is USER_HZ, which Linux shows to programs as 100 everywhere.
const tick = 100

// cpuOf is the processor time of a program and its children so far, in seconds.
func cpuOf(c *exec.Cmd) (sum float64) {
	if c == nil {
		return 0
	}
	own := strconv.Itoa(c.Process.Pid)
	all, _ := filepath.Glob("/proc/[0-9]*/stat")
	for _, file := range all {
		b, err := os.ReadFile(file)
		if err != nil { // it ended
			continue
		}
		pid, _, _ := strings.Cut(string(b), " ")
		_, rest, _ := strings.Cut(string(b), ") ")
		f := strings.Fields(rest)
		if len(f) < 13 || pid != own && f[1] != own {
			continue
		}
		u, _ := strconv.ParseFloat(f[11], 64)
		k, _ := strconv.ParseFloat(f[12], 64)
		sum += (u + k) / tick
	}
	return sum
}

// busy is the processor time of the whole machine so far, in seconds.
func busy() (sum float64) {
	b, _ := os.ReadFile("/proc/stat")
	line, _, _ := strings.Cut(string(b), "\n")
	for i, f := range strings.Fields(line) {
		if v, _ := strconv.ParseFloat(f, 64); i > 0 && i != 4 && i != 5 && i < 9 { // without idle and waiting
			sum += v
		}
	}
	return sum / tick
}
