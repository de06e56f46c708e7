# Yamori. Every target says what it needs when that is missing.
GO      ?= go
BIN     := bin/yamori
VERSION ?= $(shell git describe --tags --always --dirty 2>/dev/null || echo devel)
LDFLAGS := -s -w -X main.version=$(VERSION)
BUILD   := CGO_ENABLED=0 $(GO) build -trimpath -ldflags '$(LDFLAGS)'
FUZZTIME ?= 30s
LINT    := v2.15.0
# The folders with fuzz targets, and where what they find is kept.
FUZZED  := $(patsubst %/,fuzz/%,$(sort $(dir $(shell grep -rl '^func Fuzz' --include=*_test.go cmd internal))))
FUZZCACHE ?= $(shell $(GO) env GOCACHE)/fuzz/github.com/yamori-net/yamori

.PHONY: run build test race lint fuzz $(FUZZED) bench cross geo clean go

run: build ## watch this machine's network (asks for sudo where it is needed)
	@if [ "$$(id -u)" = 0 ]; then exec $(BIN) run $(ARGS); \
	elif command -v sudo >/dev/null; then echo "Watching needs root: asking sudo."; exec sudo $(BIN) run $(ARGS); \
	else echo "Watching needs root. Run as root, or once as root: setcap cap_net_raw,cap_net_admin+ep $(BIN); then: $(BIN) run"; exit 1; fi

build: go ## build bin/yamori
	@$(BUILD) -o $(BIN) ./cmd/yamori

# Most of the slow tests wait: for kernels, namespaces and clocks. Twice as many
# packages as processors are under way at a time, and in each six such tests.
# The vet that "go test" would do for each package is a part of that of "test".
TESTFLAGS := -vet=off -p $(shell echo $$((2 * $$(getconf _NPROCESSORS_ONLN)))) -parallel 6

test: go ## all tests
	$(GO) vet ./...
	$(GO) test $(TESTFLAGS) ./...

# A race takes two threads: packages that start none, neither themselves nor in
# their tests (most parsers), are left out, and so are long tests in which one
# goroutine compares or reads captures: "make test" has them all. By default a
# program under the race detector sleeps for a second before it ends.
RACED = $(addprefix ./,$(sort $(dir $(shell grep -rlE '(^|[{;:])[[:space:]]*go |[.]Go\b|Parallel\b|"sync|"net/http' --include=*.go --exclude-dir=testdata cmd internal))))

ALONE = RulesAgainstNaive|ScanAgainstNaive|HostileDataStaysLinear|AnchorsBeyondLimit|NamesSameAsPatterns|PublicRules|PrefilterFindsAll|MaxPorts|Carriers|SequenceQuiet|Quiet|Seekers|MiningLabMidstream

race: go ## what runs side by side, under the race detector (a part of the captures)
	GORACE=atexit_sleep_ms=50 CGO_ENABLED=1 $(GO) test -race $(TESTFLAGS) -skip '^Test($(ALONE))$$' $(RACED)

lint: go ## gofmt, vet, golangci-lint
	@f=$$(gofmt -l cmd internal); [ -z "$$f" ] || { echo "gofmt: $$f"; exit 1; }
	$(GO) vet ./...
	@command -v golangci-lint >/dev/null && golangci-lint run ./... || \
	$(GO) run github.com/golangci/golangci-lint/v2/cmd/golangci-lint@$(LINT) run ./...

fuzz: go $(FUZZED) ## every fuzz target, FUZZTIME each (30s); what they find goes to FUZZCACHE

# A package's test program is made once for all its targets: -fuzz has it
# instrumented, as "go test -fuzz" does.
$(FUZZED): fuzz/%: go
	@set -e; t=$$(mktemp -d); trap 'rm -rf "$$t"' EXIT; c=$(abspath $(FUZZCACHE))/$*; mkdir -p $$c; \
	$(GO) test -c -fuzz . -o $$t/test ./$*; cd $*; \
	for f in $$(grep -hoE '^func Fuzz[A-Za-z0-9_]+' *_test.go | cut -c6-); do \
	  echo "== $* $$f"; $$t/test -test.run '^$$' -test.fuzz "^$$f$$" -test.fuzztime $(FUZZTIME) -test.parallel 2 -test.fuzzcachedir $$c; \
	done

bench: go ## benchmarks; YAMORI_BENCH names captures for the whole way of a packet
	$(GO) test -run '^$$' -bench . -benchtime 1s ./...

cross: go ## static binaries for routers in dist/, with their sizes
	@mkdir -p dist
	@set -e; for t in amd64: arm64: arm:7 mipsle:softfloat; do \
	  a=$${t%%:*}; v=$${t#*:}; n=$$a; [ $$a = arm ] && n=armv7; \
	  GOOS=linux GOARCH=$$a GOARM=$$([ $$a = arm ] && echo $$v) GOMIPS=$$([ $$a = mipsle ] && echo $$v) \
	    $(BUILD) -o dist/yamori-linux-$$n ./cmd/yamori; \
	  printf '%-24s %9d bytes\n' yamori-linux-$$n $$(wc -c < dist/yamori-linux-$$n); done

geo: go ## databases of countries and networks in data/geo, fetched with npm (ARGS="-from FILE" without)
	@$(GO) run ./internal/tools/geodb -dir data/geo $(ARGS)

clean:
	rm -rf bin dist

go:
	@command -v $(GO) >/dev/null || { echo "Go 1.26 or newer is needed: install it from https://go.dev/dl/ or with your system's packages, and put it on PATH."; exit 1; }
	@$(GO) env GOVERSION | awk -F'[go.]+' '{ if ($$2 < 1 || $$2 == 1 && $$3 < 26) { print "Go 1.26 or newer is needed, this is " $$0 "."; exit 1 } }'
