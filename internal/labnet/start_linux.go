package labnet

import (
	"os/exec"
	"syscall"

	"github.com/yamori-net/yamori/internal/netns"
)

// Start starts a program in a namespace. It is killed when the namespace ends,
// and so when this process does, whatever ends it. Signals of the terminal do
// not reach it.
func Start(n *netns.NS, c *exec.Cmd) error {
	if c.SysProcAttr == nil {
		c.SysProcAttr = &syscall.SysProcAttr{}
	}
	c.SysProcAttr.Setpgid = true
	c.SysProcAttr.Pdeathsig = syscall.SIGKILL // sent when the thread that started it ends: the namespace's
	return n.Do(c.Start)
}
