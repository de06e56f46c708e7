package enforce

import "strings"

// parseFlowTables reads "nft list flowtables": the tables of flows that the
// kernel carries past the rules, as "family table name", those offloaded to
// hardware apart.
func parseFlowTables(listing string) (soft, hard []string) {
	var table, name string
	offload := false
	for line := range strings.Lines(listing) {
		f := strings.Fields(line)
		switch {
		case len(f) >= 3 && f[0] == "table":
			table = f[1] + " " + f[2]
		case len(f) >= 2 && f[0] == "flowtable":
			name, offload = f[1], false
		case name != "" && strings.HasPrefix(strings.TrimSpace(line), "flags") && strings.Contains(line, "offload"):
			offload = true
		case len(f) > 0 && f[0] == "}" && name != "":
			if offload {
				hard = append(hard, table+" "+name)
			} else {
				soft = append(soft, table+" "+name)
			}
			name = ""
		}
	}
	return soft, hard
}
