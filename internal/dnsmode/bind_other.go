//go:build !linux

package dnsmode

import (
	"errors"
	"syscall"
)

func bindTo(ifname string) func(string, string, syscall.RawConn) error {
	if ifname == "" {
		return nil
	}
	return func(string, string, syscall.RawConn) error { return errors.New("binding to an interface needs Linux") }
}
