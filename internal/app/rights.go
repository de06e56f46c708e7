package app

import (
	"errors"
	"net"
	"net/netip"
	"os"
	"os/user"
	"strconv"

	"github.com/yamori-net/yamori/internal/api"
	"github.com/yamori-net/yamori/internal/capture/afpacket"
	"github.com/yamori-net/yamori/internal/capture/nfqueue"
	"github.com/yamori-net/yamori/internal/enforce"
	"github.com/yamori-net/yamori/internal/inject"
	"github.com/yamori-net/yamori/internal/plugin"
	"github.com/yamori-net/yamori/internal/priv"
)

// rights are what the daemon does that needs privileges: by itself, or through
// the process that kept them (package priv). Nothing else of the daemon may
// need any.
type rights interface {
	OpenPacket(raw bool) (int, error)
	OpenQueue(nfqueue.Config) (*nfqueue.Source, error)
	OpenSender(mark int) (*inject.Sender, error)
	install(enforce.Config) (filter, error)
	// Probe says what the packet filter offers, and what hides traffic from it.
	Probe() (enforce.Abilities, error)

	StartPlugin(plugin.Config) error
	StopPlugin() error
	PluginState() (plugin.State, error)
}

// filter is what package enforce has installed.
type filter interface {
	enforce.Beater
	Mode() string
	Put(...enforce.Entry) error
	Delete(...enforce.Entry) error
	SetNever([]netip.Prefix) error
	SetAllowed([]netip.Prefix) error
	List() ([]enforce.Active, error)
	Counters() (enforce.Counters, error)
	Remove() error
}

// rights says who does what needs privileges.
func (w *Watch) rights() rights {
	if w.Priv != nil {
		return parted{w.Priv}
	}
	return whole{}
}

// parted asks the privileged process.
type parted struct{ *priv.Client }

func (p parted) install(c enforce.Config) (filter, error) {
	t, err := p.Install(c)
	if err != nil {
		return nil, err
	}
	return t, nil
}

// whole is a daemon of one process.
type whole struct{}

func (whole) OpenPacket(raw bool) (int, error) { return afpacket.Socket(raw) }

func (whole) OpenQueue(c nfqueue.Config) (*nfqueue.Source, error) { return nfqueue.Open(c) }

func (whole) OpenSender(mark int) (*inject.Sender, error) {
	s, err := inject.OpenSockets(mark)
	if err != nil {
		return nil, err
	}
	return inject.NewSender(s), nil
}

func (whole) install(c enforce.Config) (filter, error) {
	t, err := enforce.Install(c)
	if err != nil {
		return nil, err
	}
	return t, nil
}

func (whole) Probe() (enforce.Abilities, error) { return enforce.Probe(), nil }

// errOneProcess refuses plug-in mode to a daemon that nobody would outlive:
// after a crash the devices would be without a router.
var errOneProcess = errors.New("plug-in mode needs the process that keeps the privileges: start as root, without privileges: keep")

func (whole) StartPlugin(plugin.Config) error          { return errOneProcess }
func (whole) StopPlugin() error                        { return nil }
func (whole) PluginState() (s plugin.State, err error) { return s, nil }

// errPrivGone ends the daemon: without privileges it could not go on, and a
// service manager starts both processes anew.
var errPrivGone = errors.New("the privileged process is gone; packets pass by uninspected. Start yamori again")

// lastPrivileged is the last port for which a process needs privileges, unless
// net.ipv4.ip_unprivileged_port_start says otherwise.
const lastPrivileged = 1023

// openPort opens a socket at an address for those who may not; nil: the daemon
// itself may.
func (w *Watch) openPort() func(stream bool, at netip.AddrPort) (*os.File, error) {
	if w.Priv == nil {
		return nil
	}
	return w.Priv.Listen
}

// listenAt opens a TCP listener.
func (w *Watch) listenAt(at netip.AddrPort) (net.Listener, error) {
	if w.Priv == nil || at.Port() > lastPrivileged {
		return net.Listen("tcp", at.String())
	}
	f, err := w.Priv.Listen(true, at)
	if err != nil {
		return nil, err
	}
	defer func() { _ = f.Close() }() // it is duplicated
	return net.FileListener(f)
}

// listenUnix listens at the daemon's socket, which a parted daemon was handed.
func (w *Watch) listenUnix() (net.Listener, error) {
	if w.Socket != nil {
		return net.FileListener(w.Socket)
	}
	return ListenUnix(w.socket())
}

// privileges says what the daemon still may.
func (w *Watch) privileges() *api.Privileges {
	out := &api.Privileges{Missing: []api.Problem{}}
	uid := os.Geteuid()
	if w.Priv != nil {
		r := w.Priv.Report()
		uid = r.UID
		out.Parted, out.Seccomp, out.Landlock = true, r.Seccomp, int64(r.Landlock)
		for _, n := range r.Missing {
			out.Missing = append(out.Missing, api.Problem{Code: "priv." + n.Code, Args: []api.Pair{{Name: "what", Value: n.Arg}}})
		}
	}
	out.User = strconv.Itoa(uid)
	if u, err := user.LookupId(out.User); err == nil {
		out.User = u.Username
	}
	return out
}

// tellPrivileges logs it.
func (w *Watch) tellPrivileges() {
	p := w.privileges()
	if !p.Parted {
		w.Log.Warn("one process with all the privileges it was started with", "user", p.User)
		return
	}
	w.Log.Info("two processes; this one has no privileges", "user", p.User, "landlock", p.Landlock, "seccomp", p.Seccomp)
	for _, m := range p.Missing {
		w.Log.Warn("less is kept from this process than could be", "missing", m.Code, "what", m.Args[0].Value)
	}
}
