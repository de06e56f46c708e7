package app

import (
	"context"
	"errors"
	"fmt"

	"github.com/yamori-net/yamori/internal/config"
	"github.com/yamori-net/yamori/internal/dnsmode/lists"
	"github.com/yamori-net/yamori/internal/geo"
)

// CheckFiles reads what the configuration names besides rules, as the daemon
// does at its start: databases of addresses, lists of names, the authority of
// a broker. notes are no errors but worth a word.
func CheckFiles(ctx context.Context, c *config.Config) (notes []string, err error) {
	var errs []error
	for _, f := range [...]struct{ field, path string }{{"country", c.Geo.Country}, {"asn", c.Geo.ASN}} {
		if f.path == "" {
			continue
		}
		if _, err := geo.Open(f.path); err != nil {
			errs = append(errs, fmt.Errorf("geo.%s: %w", f.field, err))
		}
	}
	if src := listSources(&c.DNS); len(src) > 0 {
		st, err := lists.New(lists.Limits{}).Load(ctx, src)
		if err != nil {
			errs = append(errs, fmt.Errorf("dns.lists: %w", err))
		}
		for _, l := range st {
			if l.Err == nil && l.Skipped > 0 {
				notes = append(notes, fmt.Sprintf("dns.lists: %s: %d lines are not understood and left out, %d names are taken", l.Name, l.Skipped, l.Names+l.Exceptions))
			}
		}
	}
	if c.Exports.MQTT != nil {
		errs = append(errs, c.Exports.MQTT.CheckCA())
	}
	if c.Exports.Syslog != nil {
		errs = append(errs, c.Exports.Syslog.CheckCA())
	}
	return notes, errors.Join(errs...)
}

// listSources are the lists of names of the configuration.
func listSources(d *config.DNS) (src []lists.Source) {
	for _, l := range d.Lists {
		src = append(src, lists.Source{Name: l.Name, Path: l.Path, Category: l.Category, Exact: l.Exact, Allow: l.Allow})
	}
	return src
}
