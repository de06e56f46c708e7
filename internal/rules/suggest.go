package rules

// Suggest returns the name of known that word was probably meant to be: the
// nearest by insertions, deletions, replacements and swaps of neighbours, at
// most two of them and fewer for short words. It returns "" for a word that is
// known or near to none.
func Suggest(word string, known []string) string {
	const longest = 64 // names of protocols and keywords are shorter
	if len(word) > longest || len(word) < 2 {
		return ""
	}
	best, most := "", 1+min(len(word)/4, 1)
	for _, k := range known {
		if k == word {
			return ""
		}
		if len(k) > longest || len(k)-len(word) > most || len(word)-len(k) > most {
			continue
		}
		if d := distance(word, k); d < most || d == most && best == "" {
			best, most = k, d
		}
	}
	return best
}

// distance is the optimal string alignment distance; both fit 64 bytes.
func distance(a, b string) int {
	var rows [3][65]int
	for j := range len(b) + 1 {
		rows[0][j] = j
	}
	for i := 1; i <= len(a); i++ {
		prev2, prev, row := &rows[(i+1)%3], &rows[(i+2)%3], &rows[i%3]
		row[0] = i
		for j := 1; j <= len(b); j++ {
			cost := 1
			if a[i-1] == b[j-1] {
				cost = 0
			}
			d := min(prev[j]+1, row[j-1]+1, prev[j-1]+cost)
			if i > 1 && j > 1 && a[i-1] == b[j-2] && a[i-2] == b[j-1] {
				d = min(d, prev2[j-2]+1)
			}
			row[j] = d
		}
	}
	return rows[len(a)%3][len(b)]
}
