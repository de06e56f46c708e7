package device

import "slices"

// Kinds of devices. The set is closed and part of the stable outside.
const (
	Computer  = "computer"
	Phone     = "phone"
	Tablet    = "tablet"
	Router    = "router"
	Camera    = "camera"
	Recorder  = "recorder"
	NAS       = "nas"
	TV        = "tv"
	Console   = "console"
	Printer   = "printer"
	Speaker   = "speaker"
	Hub       = "hub"
	Plug      = "plug"
	Light     = "light"
	Appliance = "appliance"
	Wearable  = "wearable"
	VoIP      = "voip"
	Server    = "server"
	Unknown   = "unknown" // nothing is known, or not enough
)

var kinds = [...]string{Computer, Phone, Tablet, Router, Camera, Recorder, NAS, TV, Console, Printer, Speaker, Hub, Plug, Light,
	Appliance, Wearable, VoIP, Server}

// Kinds lists the kinds without Unknown.
func Kinds() []string { return slices.Clone(kinds[:]) }

// KnownKind reports whether k is one of the kinds, Unknown included.
func KnownKind(k string) bool { return k == Unknown || slices.Contains(kinds[:], k) }
