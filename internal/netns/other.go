//go:build !linux

package netns

// NS does not exist here.
type NS struct{ Name string }

// New returns ErrUnsupported.
func New(string) (*NS, error) { return nil, ErrUnsupported }

// Path returns nothing.
func (*NS) Path() string { return "" }

// Do returns ErrUnsupported.
func (*NS) Do(func() error) error { return ErrUnsupported }

// Run returns ErrUnsupported.
func (*NS) Run(string, ...string) error { return ErrUnsupported }

// Output returns ErrUnsupported.
func (*NS) Output(string, ...string) ([]byte, error) { return nil, ErrUnsupported }

// Script returns ErrUnsupported.
func (*NS) Script(string) error { return ErrUnsupported }

// Go returns ErrUnsupported.
func (*NS) Go(func() error) <-chan error {
	c := make(chan error, 1)
	c <- ErrUnsupported
	return c
}

// Join returns ErrUnsupported.
func Join(*NS, string, *NS, string) error { return ErrUnsupported }

// Close does nothing.
func (*NS) Close() {}
