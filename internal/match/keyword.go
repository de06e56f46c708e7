// Package match is the rule engine: it compiles rules of Suricata's language
// into an immutable Set and inspects packets, streams and transactions with
// it. Rules are data here: which options exist is said by a table of keywords,
// which buffers exist by the protocols.
package match

import "github.com/yamori-net/yamori/internal/rules"

// Keyword is one option of the rule language.
type Keyword struct {
	Name    string
	Aliases []string
	Family  string // "payload", "flow", "http"…, for the documentation
	Doc     string // one line
	Example string // options of a rule that uses it
	// Setup adds the option to the rule being compiled. The error says what is
	// wrong with the value.
	Setup func(c *compiler, o rules.Option) error
	// Inert says why the keyword is accepted and has no effect here; empty for
	// keywords that work.
	Inert string
}

// Keywords lists every option of the language in the order of the
// documentation.
func Keywords() []Keyword {
	var out []Keyword
	for _, family := range [][]Keyword{
		metaKeywords, payloadKeywords, bytesKeywords, flowKeywords, bitsKeywords, hostKeywords, thresholdKeywords,
		ipKeywords, linkKeywords, tcpKeywords, icmpKeywords, appKeywords, transformKeywords, inflateKeywords, partKeywords, legacyKeywords, numberKeywords, ldapKeywords,
		certKeywords, oldKeywords, fileKeywords, reputationKeywords, refusedKeywords,
	} {
		out = append(out, family...)
	}
	for _, b := range stickyBuffers {
		doc := b.doc
		if doc == "" {
			doc = "inspect the buffer " + b.name
		}
		out = append(out, Keyword{Name: b.name, Aliases: b.aliases, Family: "buffer", Doc: doc,
			Example: b.name + `; content:"x";`, Setup: stickySetup(b.name)})
	}
	return out
}

// nothing is the Setup of options that change no match.
func nothing(*compiler, rules.Option) error { return nil }
