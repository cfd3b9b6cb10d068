//go:build !(darwin || dragonfly || freebsd || linux || netbsd || openbsd)

package main

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
)

// lockFile keeps other processes out until it is closed. After a crash the file
// must be removed by hand.
func lockFile(path string) (io.Closer, error) {
	file, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE|os.O_EXCL, 0o600)
	if errors.Is(err, fs.ErrExist) {
		return nil, fmt.Errorf("%s exists: another process has it, or died with it; then remove it: %w", path, err)
	}
	if err != nil {
		return nil, err
	}
	return lock{file}, nil
}

type lock struct{ *os.File }

func (l lock) Close() error { return errors.Join(l.File.Close(), os.Remove(l.Name())) }
