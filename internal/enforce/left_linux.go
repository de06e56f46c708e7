package enforce

import "strings"

// Left reports whether the packet filter holds a table of the program.
func Left() bool {
	out, err := run("", "nft", "list", "tables")
	return err == nil && strings.Contains(out, " "+tableName+"\n")
}
