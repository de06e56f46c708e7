// Command surverify runs the tests of suricata-verify and says how many give
// the answers they ask for.
//
//	go run ./internal/tools/surverify [-v] [-only REGEXP] [-list passes|all] [-peer] [-eve FILE] FOLDER
//
// FOLDER holds tests.txt (all tests), passes-suricata-7.0.10.txt (those that
// Suricata 7.0.10 passes), tests.tsv and tests/. Checks are those that apply
// to Suricata 7.0.10, of tests that need a newer one those for the last release
// of the series that they need; a test's own arguments and settings are honoured
// where they make sense. A rule that does not load fails its test.
package main

import (
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"regexp"
)

func main() {
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, "surverify:", err)
		os.Exit(1)
	}
}

func run() error {
	verbose := flag.Bool("v", false, "print each test that fails, with the reason")
	only := flag.String("only", "", "run only tests whose name matches this `regexp`")
	list := flag.String("list", "all", "which tests: `passes` or all")
	eve := flag.String("eve", "", "write the events of the tests to this `file`")
	peer := flag.Bool("peer", false, "run the installed Suricata instead, to check the runner")
	flag.Parse()
	if flag.NArg() != 1 {
		flag.Usage()
		os.Exit(2)
	}
	re, err := regexp.Compile(*only)
	if err != nil {
		return err
	}
	tests, err := Load(flag.Arg(0))
	if err != nil {
		return err
	}
	runner := runYamori
	if *peer {
		runner = runSuricata
	}
	if *eve != "" {
		f, err := os.Create(*eve)
		if err != nil {
			return err
		}
		defer f.Close()
		inner, enc := runner, json.NewEncoder(f)
		runner = func(t *Test) (*Result, error) {
			res, err := inner(t)
			for _, ev := range res.events() {
				if err := enc.Encode(ev); err != nil {
					return nil, err
				}
			}
			return res, err
		}
	}
	var rep Report
	for _, t := range tests {
		if !re.MatchString(t.Name) || *list == "passes" && !t.Passes {
			continue
		}
		rep.Add(judge(t, runner))
	}
	rep.Print(os.Stdout, *verbose)
	return nil
}
