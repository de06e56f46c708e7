// Package netns makes private network namespaces: each is a thread that lives
// in one, so it ends with the program, whatever happens to it, and nothing of
// it is seen from outside. Sockets opened in a namespace stay in it, whoever
// uses them.
package netns

import "errors"

// ErrUnsupported is returned where there are no network namespaces.
var ErrUnsupported = errors.New("network namespaces need Linux")

// ErrPermission is wrapped by the error of New when the process may not make
// one.
var ErrPermission = errors.New("making a network namespace needs root")
