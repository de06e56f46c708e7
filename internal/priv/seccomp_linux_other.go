//go:build linux && !amd64 && !arm64 && !arm && !mipsle

package priv

import "fmt"

// seccomp does nothing: the calls of this processor are not known here.
func seccomp() error { return fmt.Errorf("%w: the processor is not known", errNoSeccomp) }
