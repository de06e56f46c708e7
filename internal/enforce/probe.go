package enforce

// Finding of a Probe: a stable code with arguments; sentences are made
// elsewhere.
type Finding struct {
	Code string
	Args []string
}

// Codes of findings.
const (
	NoNFT        = "enforce.no_nft"         // the program nft is missing or may not be used: nothing can be stopped
	NoQueue      = "enforce.no_queue"       // neither nft nor iptables can queue: nothing can be inspected in line
	NoBridge     = "enforce.no_bridge"      // no br_netfilter: bridged frames cannot be inspected
	FlowTables   = "enforce.flow_tables"    // flows that another program offloads are not seen after their first packets; args: the tables
	HardwareFlow = "enforce.hardware_flows" // … by the hardware, which counts nothing either; args: the tables
)

// Abilities is what the kernel and the system offer. Findings lists what is
// missing, and what hides traffic.
type Abilities struct {
	NFT      bool
	NFTQueue bool // nft has "queue"
	XTQueue  bool // iptables has NFQUEUE, or its target serves in nft's tables
	Bridge   bool // br_netfilter is there
	Findings []Finding
}

// CanInspect reports whether packets can be inspected in line.
func (a *Abilities) CanInspect() bool { return a.NFT && (a.NFTQueue || a.XTQueue) }

// judge fills in Findings from the rest and from the listing of flow tables.
func (a *Abilities) judge(flowTables string) {
	a.Findings = nil
	add := func(code string, args ...string) { a.Findings = append(a.Findings, Finding{code, args}) }
	switch {
	case !a.NFT:
		add(NoNFT)
	case !a.NFTQueue && !a.XTQueue:
		add(NoQueue)
	}
	if !a.Bridge {
		add(NoBridge)
	}
	soft, hard := parseFlowTables(flowTables)
	if len(soft) > 0 {
		add(FlowTables, soft...)
	}
	if len(hard) > 0 {
		add(HardwareFlow, hard...)
	}
}
