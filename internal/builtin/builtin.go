// Package builtin is the list of everything that ships: one line for each
// protocol and each detector.
package builtin

import (
	"github.com/yamori-net/yamori/internal/detect"
	"github.com/yamori-net/yamori/internal/detect/mining"
	"github.com/yamori-net/yamori/internal/proto"
	"github.com/yamori-net/yamori/internal/proto/stratum"
)

// Protocols lists the application protocols. Where two could claim the same
// first bytes, the earlier one is asked first.
func Protocols() []proto.Protocol {
	return []proto.Protocol{
		stratum.Protocol,
	}
}

// Detectors lists the inline detectors.
func Detectors() []detect.Detector {
	return []detect.Detector{
		mining.Detector,
	}
}
