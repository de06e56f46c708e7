package main

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"strings"

	"golang.org/x/sys/unix"

	"github.com/yamori-net/yamori/internal/app"
	"github.com/yamori-net/yamori/internal/config"
	"github.com/yamori-net/yamori/internal/priv"
)

// begun is what the daemon without privileges was handed by its beginning, in
// which it had them.
type begun struct {
	client *priv.Client
	socket *os.File
	config []byte
}

// spareFolder stands for folders that cannot be used. It belongs to the daemon.
var spareFolder = filepath.Join(filepath.Dir(config.DefaultSocket), "tmp")

// begin is the second stage of a daemon that was parted; nil: it was not, so
// far. It comes first of all: nothing else may run before the filter of system
// calls is set.
func begin() (*begun, error) {
	if !priv.Departed() {
		return nil, nil
	}
	c, err := priv.Start(priv.Config{})
	if err != nil {
		return nil, err
	}
	f := c.Files()
	if len(f) != 2 {
		return nil, errors.New("the beginning handed over something else")
	}
	text, err := io.ReadAll(io.NewSectionReader(f[1], 0, maxConfig))
	_ = f[1].Close()
	if unix.Access(spareFolder, unix.W_OK) == nil && err == nil {
		err = os.Setenv("TMPDIR", spareFolder)
	}
	return &begun{client: c, socket: f[0], config: text}, err
}

// maxConfig bounds the configuration file.
const maxConfig = 1 << 20

// readConfig reads the text of a configuration file, which may be one that only
// root can read.
func readConfig(path string) ([]byte, error) {
	b, err := os.ReadFile(cmp.Or(path, config.DefaultPath))
	switch {
	case path == "" && errors.Is(err, fs.ErrNotExist):
		return nil, nil
	case err != nil:
		return nil, fmt.Errorf("configuration: %w", err)
	case len(b) > maxConfig:
		return nil, fmt.Errorf("configuration: %s: %d bytes, more than %d", path, len(b), maxConfig)
	}
	return b, nil
}

// parts reports whether the daemon is to be two processes: who starts as root
// gets that.
func parts(c *config.Config) bool { return os.Geteuid() == 0 && c.Privileges != "keep" }

// part makes two processes of this one. It returns only when that fails.
func part(c *config.Config, text []byte) error {
	if c.Interface != "" { // told now rather than by a process that has left everything
		if _, err := net.InterfaceByName(c.Interface); err != nil {
			return fmt.Errorf("interface %s: %w; see: ip link", c.Interface, err)
		}
	}
	path := cmp.Or(c.Socket, config.DefaultSocket)
	l, err := app.ListenUnix(path)
	if err != nil {
		return err
	}
	defer l.Close() // and its file
	socket, err := l.File()
	if err != nil {
		return err
	}
	kept, err := inMemory(text)
	if err != nil {
		return err
	}
	pc, err := confinement(c)
	if err != nil {
		return err
	}
	pc.Keep = []*os.File{socket, kept}
	if _, err = priv.Start(*pc); err == nil {
		err = errors.New("it did not begin anew")
	}
	return fmt.Errorf("%w. To run as one process with all privileges, write into the configuration: privileges: keep", err)
}

// inMemory keeps text in a file without a name.
func inMemory(text []byte) (*os.File, error) {
	fd, err := unix.MemfdCreate("configuration", unix.MFD_CLOEXEC)
	if err != nil {
		return nil, err
	}
	f := os.NewFile(uintptr(fd), "configuration")
	if _, err := io.Copy(f, bytes.NewReader(text)); err != nil {
		_ = f.Close()
		return nil, err
	}
	return f, nil
}

// confinement says what stays open to the daemon: its state, to change; what
// the configuration names, to read.
func confinement(c *config.Config) (*priv.Config, error) {
	abs := func(p string, err *error) string {
		if p == "" {
			return ""
		}
		a, e := filepath.Abs(p)
		*err = errors.Join(*err, e)
		return a
	}
	var err error
	pc := &priv.Config{User: c.User, Own: []string{abs(cmp.Or(c.State.Dir, config.DefaultState), &err)}}
	pc.Helper = priv.HelperConfig{State: abs(c.Inline.State, &err), Ports: ports(c), Socket: abs(cmp.Or(c.Socket, config.DefaultSocket), &err),
		Events: abs(c.Events.File, &err), Keep: c.Events.Keep}
	for _, p := range named(c) {
		pc.Read = append(pc.Read, folderOf(abs(p, &err)))
	}
	// Where /run cannot be written, the daemon goes without.
	if os.MkdirAll(filepath.Dir(spareFolder), 0o755) == nil && os.MkdirAll(spareFolder, 0o700) == nil {
		pc.Own = append(pc.Own, spareFolder)
	}
	return pc, err
}

// named are the files and folders that the daemon reads, some of them again.
func named(c *config.Config) (out []string) {
	r := &c.Rules
	out = append(append(append(out, r.Files...), r.Reputation.Files...), r.Classification, r.Thresholds, r.Reputation.Categories, c.Geo.Country, c.Geo.ASN)
	for _, l := range c.DNS.Lists {
		out = append(out, l.Path)
	}
	if x := c.Exports.Syslog; x != nil {
		out = append(out, x.CA)
	}
	if x := c.Exports.MQTT; x != nil {
		out = append(out, x.CA)
	}
	kept := out[:0]
	for _, p := range out {
		if p != "" {
			kept = append(kept, p)
		}
	}
	return kept
}

// folderOf is the folder of a file or pattern: files are replaced, and are then
// others to Landlock. Of files in the root folder it is the file itself.
func folderOf(p string) string {
	if st, err := os.Stat(p); err == nil && st.IsDir() {
		return p
	}
	dir := filepath.Dir(p)
	for strings.ContainsAny(dir, "*?[") {
		dir = filepath.Dir(dir)
	}
	if dir == "/" {
		return p
	}
	return dir
}

// ports are those that the daemon has opened: all of the resolver, and those of
// the API at which it may not listen by itself.
func ports(c *config.Config) (out []uint16) {
	add := func(p uint16) { out = append(out, p) }
	if c.DNS.Enabled() {
		if len(c.DNS.Listen) == 0 {
			add(config.DNSPort)
		}
		for _, s := range c.DNS.Listen {
			if a, err := config.ListenAddress(s); err == nil {
				add(a.Port())
			}
		}
	}
	if !c.API.Off {
		for _, s := range c.API.Listen {
			if a, err := netip.ParseAddrPort(s); err == nil && a.Port() < 1024 {
				add(a.Port())
			}
		}
	}
	return out
}

// tellUnreadable names what the configuration names and the daemon may not
// read.
func tellUnreadable(log *slog.Logger, c *config.Config) {
	for _, p := range named(c) {
		if strings.ContainsAny(p, "*?[") {
			p = folderOf(p)
		}
		if err := unix.Access(p, unix.R_OK); errors.Is(err, unix.EACCES) {
			log.Error("the daemon cannot read a file that the configuration names", "file", p, "user", os.Geteuid(),
				"cure", "let its user read it (chmod o+r, and o+x for the folders above), or write privileges: keep")
		}
	}
}
