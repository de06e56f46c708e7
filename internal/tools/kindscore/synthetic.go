package main

import "github.com/yamori-net/yamori/internal/device/synth"

// generated are conversations made from documented strings: synthetic, scored
// apart, each set for itself.
var generated = []struct {
	name string
	list func() []synth.Conversation
}{
	{"products the tables were first made for", synth.Products},
	{"things of public collections without captures here", synth.Things},
	{"ordinary machines of a home", synth.Machines},
	{"written when the tables were done", synth.Others},
}

func samples(list []synth.Conversation) []sample {
	var out []sample
	for _, c := range list {
		out = append(out, sample{name: c.Name, device: c.Name, kind: c.Kind, mac: c.MAC, made: c.Frames})
	}
	return out
}
