package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"golang.org/x/sys/unix"
)

// readLine reads a line of standard input byte by byte, so that nothing of
// the next one is taken; it ends when ctx does.
func readLine(ctx context.Context) (string, error) {
	type answer struct {
		s   string
		err error
	}
	in := os.Stdin
	got := make(chan answer, 1)
	go func() {
		var line []byte
		b := make([]byte, 1)
		for len(line) <= maxSecret {
			n, err := in.Read(b)
			if n == 1 && b[0] == '\n' {
				break
			}
			if n == 1 {
				line = append(line, b[0])
			}
			if err != nil {
				if errors.Is(err, io.EOF) && len(line) > 0 {
					break
				}
				got <- answer{err: err}
				return
			}
		}
		got <- answer{s: strings.TrimSuffix(string(line), "\r")}
	}()
	select {
	case x := <-got:
		return x.s, x.err
	case <-ctx.Done():
		return "", ctx.Err()
	}
}

// isTerminal says that somebody sits at the other end.
func isTerminal(f *os.File) bool {
	_, err := unix.IoctlGetTermios(int(f.Fd()), unix.TCGETS)
	return err == nil
}

// hidden asks on the terminal for a secret, without showing it.
func (a *asker) hidden(ctx context.Context, question string) (string, error) {
	fd := int(os.Stdin.Fd())
	old, err := unix.IoctlGetTermios(fd, unix.TCGETS)
	if err != nil {
		return "", err
	}
	quiet := *old
	quiet.Lflag &^= unix.ECHO
	quiet.Lflag |= unix.ICANON | unix.ISIG
	if err := unix.IoctlSetTermios(fd, unix.TCSETSF, &quiet); err != nil {
		return "", err
	}
	defer func() {
		_ = unix.IoctlSetTermios(fd, unix.TCSETS, old) // nothing else can be done about it
		fmt.Fprintln(a.err)
	}()
	fmt.Fprint(a.err, question)
	return readLine(ctx)
}

// newSecret asks twice, or reads standard input once.
func (a *asker) newSecret(ctx context.Context, fromStdin bool) (string, error) {
	if fromStdin {
		s, err := readLine(ctx)
		if err == nil && s == "" || errors.Is(err, io.EOF) {
			return "", errors.New("standard input is empty; write the password as its first line")
		}
		return s, err
	}
	if !isTerminal(os.Stdin) {
		return "", usage(errors.New("there is no terminal to ask for the password; use --password-stdin"))
	}
	first, err := a.hidden(ctx, a.t("New password: ", "新しいパスワード："))
	if err != nil {
		return "", err
	}
	again, err := a.hidden(ctx, a.t("Once more: ", "もう一度："))
	if err != nil {
		return "", err
	}
	switch {
	case first != again:
		return "", a.errorf("the two are not the same; nothing was changed", "2 回の入力が一致しません。変更していません")
	case first == "":
		return "", a.errorf("nothing was written; nothing was changed", "入力がありません。変更していません")
	}
	return first, nil
}

// sure asks before something that cannot be taken back.
func (a *asker) sure(ctx context.Context, yes bool, en, ja string, args ...any) error {
	if yes {
		return nil
	}
	if !isTerminal(os.Stdin) {
		return usage(errors.New("there is no terminal to ask; add --yes when you are sure"))
	}
	fmt.Fprintf(a.err, a.t(en, ja)+a.t(" [y/N] ", " [y/N] "), args...)
	s, err := readLine(ctx)
	if err != nil {
		return err
	}
	switch strings.ToLower(strings.TrimSpace(s)) {
	case "y", "yes", "はい":
		return nil
	}
	return a.errorf("nothing was done", "何もしませんでした")
}
