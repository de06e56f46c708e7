package main

import (
	"bytes"
	"context"
	"log/slog"

	"github.com/yamori-net/yamori/internal/app"
	"github.com/yamori-net/yamori/internal/builtin"
	"github.com/yamori-net/yamori/internal/event"
)

// allEvents are the types of every protocol, and anomalies.
func allEvents() []event.Type {
	out := []event.Type{event.Anomaly}
	for _, p := range builtin.Protocols() {
		if p.Event != "" {
			out = append(out, p.Event)
		}
	}
	return out
}

func runYamori(t *Test) (*Result, error) {
	var out bytes.Buffer
	r := app.Replay{Files: []string{t.Pcap}, Output: app.EVE, Flows: true, Events: allEvents(),
		Stdout: &out, Stderr: &out, Log: slog.New(slog.DiscardHandler)}
	_, err := r.Run(context.Background())
	res := &Result{}
	var eveErr error
	if res.Events, eveErr = readEVE(out.Bytes()); eveErr != nil {
		return nil, eveErr
	}
	return res, err
}
