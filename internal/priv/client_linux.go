package priv

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
	"os"
	"sync"
	"time"

	"golang.org/x/sys/unix"

	"github.com/yamori-net/yamori/internal/capture/nfqueue"
	"github.com/yamori-net/yamori/internal/enforce"
	"github.com/yamori-net/yamori/internal/inject"
	"github.com/yamori-net/yamori/internal/plugin"
)

// Client is the way to the privileged process. Its methods may be called by
// anyone at any time.
type Client struct {
	conn   *net.UnixConn
	helper int // process number
	files  []*os.File
	report Report

	mu      sync.Mutex
	next    uint32
	waiting map[uint32]chan answer
	gone    error
	done    chan struct{}
	ended   chan struct{} // the privileged process has ended
}

type answer struct {
	reply
	more bool
	fds  []int
}

// Times to wait for an answer. A heartbeat that takes longer than its own
// time-out is of no use.
const (
	beatTime = 500 * time.Millisecond
	callTime = 30 * time.Second // loading rules on a small router
)

func newClient(fd, helper int) (*Client, error) {
	conn, err := connect(fd)
	if err != nil {
		return nil, err
	}
	c := &Client{conn: conn, helper: helper, waiting: map[uint32]chan answer{}, done: make(chan struct{}), ended: make(chan struct{})}
	go c.read()
	return c, nil
}

// Report says what was achieved.
func (c *Client) Report() Report { return c.report }

// Files are those of Config.Keep.
func (c *Client) Files() []*os.File { return c.files }

// Done is closed when the privileged process is gone. It cannot be started
// again from here: end, and let the service manager start everything anew.
// Nothing is queued by then, so packets pass.
func (c *Client) Done() <-chan struct{} { return c.done }

// closeTime is how long the privileged process may take for its end: plug-in
// mode tells the truth several times.
const closeTime = 10 * time.Second

// Close says good-bye and waits until the privileged process has put everything
// back and ended.
func (c *Client) Close() error {
	err := c.conn.CloseWrite()
	select {
	case <-c.ended:
	case <-time.After(closeTime):
		err = errors.Join(err, fmt.Errorf("the privileged process does not end within %v", closeTime))
	}
	_ = c.conn.Close()
	<-c.done
	return err
}

// read takes the answers.
func (c *Client) read() {
	buf, oob := make([]byte, maxMessage+1), make([]byte, unix.CmsgSpace(4*maxFiles))
	var err error
	for {
		var n, on int
		n, on, _, _, err = c.conn.ReadMsgUnix(buf, oob)
		if err == nil && n == 0 {
			err = io.EOF
		}
		if err != nil {
			break
		}
		var a answer
		h, derr := decode(buf[:n], &a.reply)
		a.fds = rights(oob[:on])
		if derr != nil || h.flags&flagReply == 0 {
			closeAll(a.fds)
			err = errors.Join(errMessage, derr)
			break
		}
		a.more = h.flags&flagMore != 0
		c.mu.Lock()
		ch := c.waiting[h.id]
		if ch != nil && !a.more {
			delete(c.waiting, h.id)
		}
		c.mu.Unlock()
		if ch == nil { // nobody waits any more
			closeAll(a.fds)
			continue
		}
		ch <- a
	}
	_ = c.conn.Close()
	c.mu.Lock()
	c.gone = fmt.Errorf("%w: %w", ErrGone, err)
	for _, ch := range c.waiting {
		close(ch)
	}
	clear(c.waiting)
	c.mu.Unlock()
	go func() {
		if c.helper > 0 { // it is a child of this process, and ends by itself
			_, err := unix.Wait4(c.helper, nil, 0, nil)
			for err == unix.EINTR {
				_, err = unix.Wait4(c.helper, nil, 0, nil)
			}
		}
		close(c.ended)
	}()
	close(c.done)
}

// maxFiles travel with one answer.
const maxFiles = 4

func rights(oob []byte) (fds []int) {
	ms, err := unix.ParseSocketControlMessage(oob)
	if err != nil {
		return nil
	}
	for i := range ms {
		if f, err := unix.ParseUnixRights(&ms[i]); err == nil {
			fds = append(fds, f...)
		}
	}
	return fds
}

func closeAll(fds []int) {
	for _, fd := range fds {
		_ = unix.Close(fd)
	}
}

// call asks for one operation and waits for its answer, of files as many as
// want says at most.
func (c *Client) call(op Op, r request, wait time.Duration, page func(*reply)) (reply, []int, error) {
	if err := r.check(op); err != nil {
		return reply{}, nil, err
	}
	ch := make(chan answer, 1)
	c.mu.Lock()
	if c.gone != nil {
		c.mu.Unlock()
		return reply{}, nil, c.gone
	}
	c.next++
	id := c.next
	c.waiting[id] = ch
	c.mu.Unlock()
	m, err := encode(header{op: op, id: id}, r)
	if err == nil {
		_ = c.conn.SetWriteDeadline(time.Now().Add(wait))
		_, err = c.conn.Write(m)
	}
	if err != nil {
		c.forget(id, ch)
		return reply{}, nil, err
	}
	ctx, cancel := context.WithTimeout(context.Background(), wait)
	defer cancel()
	for {
		select {
		case a, ok := <-ch:
			if !ok {
				return reply{}, nil, c.gone // written before the channel was closed
			}
			if err := a.err(); err != nil {
				closeAll(a.fds)
				return a.reply, nil, err
			}
			if page != nil {
				page(&a.reply)
			}
			if !a.more {
				return a.reply, a.fds, nil
			}
		case <-ctx.Done():
			c.forget(id, ch)
			return reply{}, nil, fmt.Errorf("%w: no answer within %v", ErrGone, wait)
		}
	}
}

// forget waits no longer. An answer may be under way to the channel.
func (c *Client) forget(id uint32, ch chan answer) {
	c.mu.Lock()
	delete(c.waiting, id)
	c.mu.Unlock()
	go func() {
		select {
		case a := <-ch:
			closeAll(a.fds)
		case <-time.After(callTime):
		}
	}()
}

// files asks for an operation that opens files.
func (c *Client) open(op Op, r request, least, most int) ([]int, error) {
	_, fds, err := c.call(op, r, callTime, nil)
	if err != nil {
		return nil, err
	}
	if len(fds) < least || len(fds) > most {
		closeAll(fds)
		return nil, fmt.Errorf("%w: %d files", errMessage, len(fds))
	}
	return fds, nil
}

// OpenPacket opens a packet socket: see afpacket.Config.Open.
func (c *Client) OpenPacket(raw bool) (int, error) {
	fds, err := c.open(OpPacket, request{Raw: raw}, 1, 1)
	if err != nil {
		return -1, err
	}
	return fds[0], nil
}

// OpenQueue is nfqueue.Open for a process without privileges.
func (c *Client) OpenQueue(q nfqueue.Config) (*nfqueue.Source, error) {
	fds, err := c.open(OpQueue, request{Queue: &queueRequest{q.Queue, q.Length, q.Range, q.Buffer}}, 2, 3)
	if err != nil {
		return nil, err
	}
	h := nfqueue.Handover{Socket: fds[0], Verdicts: fds[1], Table: -1}
	if len(fds) == 3 {
		h.Table = fds[2]
	}
	q.Handover = &h
	return nfqueue.Open(q)
}

// OpenSender opens the sockets that package inject sends by.
func (c *Client) OpenSender(mark int) (*inject.Sender, error) {
	fds, err := c.open(OpInject, request{Mark: mark}, 1, 2)
	if err != nil {
		return nil, err
	}
	s := inject.Sockets{V4: fds[0], V6: -1}
	if len(fds) == 2 {
		s.V6 = fds[1]
	}
	return inject.NewSender(s), nil
}

// Install is enforce.Install in the privileged process, which knows where the
// state is kept.
func (c *Client) Install(e enforce.Config) (*Rules, error) {
	r, _, err := c.call(OpInstall, request{Install: &installRequest{Queue: e.Queue, Workers: e.Workers, Marks: e.Marks, LAN: e.LAN, Local: e.Local, Bridge: e.Bridge, Passive: e.Passive,
		Timeout: int64(e.Timeout)}}, callTime, nil)
	if err != nil {
		return nil, err
	}
	return &Rules{c, r.Mode}, nil
}

// Listen opens a TCP listener, or a UDP socket, at a port that HelperConfig
// names.
func (c *Client) Listen(stream bool, at netip.AddrPort) (*os.File, error) {
	fds, err := c.open(OpListen, request{Listen: &listenRequest{stream, at}}, 1, 1)
	if err != nil {
		return nil, err
	}
	return os.NewFile(uintptr(fds[0]), at.String()), nil
}

// OpenEvents opens the event file for appending; rotate: a new one.
func (c *Client) OpenEvents(rotate bool) (*os.File, error) {
	fds, err := c.open(OpEvents, request{Rotate: rotate}, 1, 1)
	if err != nil {
		return nil, err
	}
	return os.NewFile(uintptr(fds[0]), "events"), nil
}

// Probe is enforce.Probe in the privileged process.
func (c *Client) Probe() (a enforce.Abilities, err error) {
	r, _, err := c.call(OpProbe, request{}, callTime, nil)
	if err == nil && r.Abilities != nil {
		a = *r.Abilities
	}
	return a, err
}

// StartPlugin is plugin.Start in the privileged process, which puts everything
// back when this one dies.
func (c *Client) StartPlugin(p plugin.Config) error {
	_, _, err := c.call(OpPlugin, request{Plugin: &p}, callTime, nil)
	return err
}

// StopPlugin puts the addresses back; it takes a few seconds.
func (c *Client) StopPlugin() error {
	_, _, err := c.call(OpUnplug, request{}, callTime, nil)
	return err
}

// PluginState says how it goes; the zero State when it was not started.
func (c *Client) PluginState() (st plugin.State, err error) {
	r, _, err := c.call(OpPlugged, request{}, callTime, nil)
	if err == nil && r.Plugin != nil {
		st = *r.Plugin
	}
	return st, err
}

// Rules are an enforce.Table in the privileged process, with the same methods.
type Rules struct {
	c    *Client
	mode string
}

// Mode says how packets reach the queues: "nft" or "iptables".
func (t *Rules) Mode() string { return t.mode }

// Put is enforce.Table.Put. More entries than fit in a message are several
// transactions.
func (t *Rules) Put(entries ...enforce.Entry) error { return t.entries(OpPut, entries) }

// Delete is enforce.Table.Delete.
func (t *Rules) Delete(entries ...enforce.Entry) error { return t.entries(OpDelete, entries) }

func (t *Rules) entries(op Op, entries []enforce.Entry) error {
	for len(entries) > 0 {
		n := min(len(entries), maxEntries)
		if _, _, err := t.c.call(op, request{Entries: entries[:n]}, callTime, nil); err != nil {
			return err
		}
		entries = entries[n:]
	}
	return nil
}

// SetNever is enforce.Table.SetNever, for at most 1,500 networks.
func (t *Rules) SetNever(nets []netip.Prefix) error { return t.prefixes(OpNever, nets) }

// SetAllowed is enforce.Table.SetAllowed, for at most 1,500 networks.
func (t *Rules) SetAllowed(nets []netip.Prefix) error { return t.prefixes(OpAllowed, nets) }

func (t *Rules) prefixes(op Op, nets []netip.Prefix) error {
	if len(nets) > maxPrefixes {
		return tooMany("networks", len(nets), maxPrefixes)
	}
	_, _, err := t.c.call(op, request{Prefixes: nets}, callTime, nil)
	return err
}

// List is enforce.Table.List.
func (t *Rules) List() (all []enforce.Active, err error) {
	_, _, err = t.c.call(OpList, request{}, callTime, func(r *reply) { all = append(all, r.Active...) })
	return all, err
}

// Counters is enforce.Table.Counters.
func (t *Rules) Counters() (enforce.Counters, error) {
	r, _, err := t.c.call(OpCounters, request{}, callTime, nil)
	if err != nil || r.Counters == nil {
		return enforce.Counters{}, err
	}
	return *r.Counters, nil
}

// Beat is enforce.Table.Beat.
func (t *Rules) Beat() error { return t.plain(OpBeat, beatTime) }

// Rest is enforce.Table.Rest.
func (t *Rules) Rest() error { return t.plain(OpRest, beatTime) }

// Remove is enforce.Table.Remove.
func (t *Rules) Remove() error { return t.plain(OpRemove, callTime) }

// Close does nothing: the privileged process keeps what it needs.
func (t *Rules) Close() {}

func (t *Rules) plain(op Op, wait time.Duration) error {
	_, _, err := t.c.call(op, request{}, wait, nil)
	return err
}
