package main

import "github.com/yamori-net/yamori/internal/device/synth"

// generated are conversations made from documented strings: synthetic, scored
// apart.
func generated() []sample {
	var out []sample
	for _, c := range synth.Products() {
		out = append(out, sample{name: c.Name, device: c.Name, kind: c.Kind, mac: c.MAC, made: c.Frames})
	}
	return out
}
