// Package priv parts the daemon in two processes. A small helper keeps the
// privileges: it owns the rules in the packet filter and opens the sockets that
// need them. Everything else, which reads hostile bytes and serves the web, runs
// as a user without rights, capabilities or a way to start programs.
//
// # How a process loses its privileges
//
// Credentials, capabilities, Landlock domains and seccomp filters belong to a
// thread in Linux, and a Go program has many. So nothing is changed in a running
// program: one thread gives everything up and then executes the program anew.
// The kernel ends all other threads and the new program begins with what that
// thread had left, in the same process number, so that service managers and
// signals find it. Only the seccomp filter is set after that, for it forbids
// what was just done; the kernel puts it on all threads at once
// (SECCOMP_FILTER_FLAG_TSYNC). Memory of the time with privileges is gone.
//
// The helper is the same program, started first, from a thread whose bounding
// set was cut to four capabilities. The two share a socket that keeps messages
// apart; its end is how each notices that the other is gone.
//
// # What the helper does
//
// See Op. It chooses no path and starts no program at the other side's word:
// what it needs to know of the system it is told by Config before anything
// hostile was read. It ignores the signals that end a service: it ends when the
// other side does, and then takes its rules away, unless something is
// blocked by them: then they rest.
//
// # What it does not keep apart
//
// A packet socket that was handed over receives and sends on any interface. The
// raw sockets send any IP packet. Who takes over the unprivileged process can
// therefore still listen and speak on the home's network, change what is
// blocked, and read what the owner's files in its folders say.
package priv

import (
	"errors"
	"os"
)

// Errors that are wrapped.
var (
	ErrUnsupported = errors.New("privileges cannot be parted here")
	ErrGone        = errors.New("the privileged process is gone")
	ErrRefused     = errors.New("the privileged process refused")
)

// Config says what to keep. Zero fields get the defaults.
type Config struct {
	// User is the account to become; "": yamori where there is one, else
	// nobody. Only root can become another; anyone else stays who he is.
	User string
	// Own are folders that belong to the user: made if missing, given to him if
	// root has them, and open to him for reading and writing.
	Own []string
	// Read and Write are further files and folders that stay open to him.
	// What is not there is left out and reported. System names what every
	// program needs and is always added.
	Read, Write []string
	// Keep are open files that are handed over in this order, such as sockets
	// that listen on ports under 1024: see Client.Files.
	Keep []*os.File
	// Helper is told to the privileged process.
	Helper HelperConfig
	// Command are the arguments by which the program becomes the helper; nil:
	// "privileged". The program then calls Serve.
	Command []string
}

// HelperConfig is what the privileged process knows from the beginning.
type HelperConfig struct {
	// State is where the packet filter's state is kept (enforce.Config.State).
	// It must not lie within Config.Own.
	State string `json:"state,omitempty"`
	// Ports are those that the other side may have, such as 53.
	Ports []uint16 `json:"ports,omitempty"`
	// Socket is the daemon's Unix socket, among Config.Keep; its file is taken
	// away at the end, from a folder that need not be the user's.
	Socket string `json:"socket,omitempty"`
	// Events is the event file, which only grows for the user; Keep is how many
	// old ones stay when a new one is begun.
	Events string `json:"events,omitempty"`
	Keep   int    `json:"keep,omitempty"`
}

// Report says what was achieved, by asking the kernel where it can tell.
type Report struct {
	UID        int  `json:"uid"`
	GID        int  `json:"gid"`
	NoCaps     bool `json:"no_caps"`      // no capability in any set
	NoNewPrivs bool `json:"no_new_privs"` // and none to be had
	NoDump     bool `json:"no_dump"`      // nobody of the same user looks into the process
	Seccomp    bool `json:"seccomp"`
	Landlock   int  `json:"landlock"` // version of the interface; 0: absent
	// Missing lists what is weaker than it could be.
	Missing []Note `json:"missing,omitempty"`
}

// Note is something that is missing: a code, and what it is about.
type Note struct {
	Code string `json:"code"`
	Arg  string `json:"arg,omitempty"`
}

// Codes of notes.
const (
	NoLandlock   = "landlock.absent" // the kernel has it not, or not switched on
	OldLandlock  = "landlock.old"    // an early version: truncation, or moving files, is not held back
	NoSeccomp    = "seccomp.absent"  // the kernel has it not, or the processor is not known
	NoPath       = "path.absent"     // named in Config, but not there
	SameUser     = "user.same"       // not started as root: the user stays who he is
	KeptBounding = "caps.bounding"   // the bounding set could not be emptied; no_new_privs holds all the same
	KeptOwner    = "path.owner"      // a file in Config.Own that could not be given to the user
	KeptLimit    = "limit.unchanged" // a resource limit
)

// System are the files that Go's library reads: how names are resolved, which
// certificates are trusted, what time it is, what the machine and its
// interfaces are. All of /etc is in it, because a file that is replaced, as
// DHCP clients do with resolv.conf, is another file for Landlock; what is
// secret there is kept from the user by its mode. Secret folders elsewhere are
// not in it.
var System = []string{
	"/etc",
	"/usr/share/zoneinfo", "/usr/share/ca-certificates", "/usr/local/share/certs", "/usr/lib/ssl", "/usr/share/pki",
	"/run/systemd/resolve", "/run/resolvconf", "/run/NetworkManager", "/run/connman", "/tmp/resolv.conf", "/tmp/resolv.conf.d", "/tmp/resolv.conf.auto",
	"/proc", "/sys/class/net", "/sys/devices", "/sys/kernel/mm/transparent_hugepage", "/sys/fs/cgroup",
	"/dev/urandom", "/dev/random", "/dev/zero",
}
