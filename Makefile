# Yamori. Every target says what it needs when that is missing.
GO      ?= go
BIN     := bin/yamori
VERSION ?= $(shell git describe --tags --always --dirty 2>/dev/null || echo devel)
LDFLAGS := -s -w -X main.version=$(VERSION)
BUILD   := CGO_ENABLED=0 $(GO) build -trimpath -ldflags '$(LDFLAGS)'
FUZZTIME ?= 30s
LINT    := v2.15.0

.PHONY: run build test race lint fuzz bench cross geo clean go

run: build ## watch this machine's network (asks for sudo where it is needed)
	@if [ "$$(id -u)" = 0 ]; then exec $(BIN) run $(ARGS); \
	elif command -v sudo >/dev/null; then echo "Watching needs root: asking sudo."; exec sudo $(BIN) run $(ARGS); \
	else echo "Watching needs root. Run as root, or once as root: setcap cap_net_raw,cap_net_admin+ep $(BIN); then: $(BIN) run"; exit 1; fi

build: go ## build bin/yamori
	@$(BUILD) -o $(BIN) ./cmd/yamori

test: go ## all tests
	$(GO) vet ./...
	$(GO) test ./...

race: go ## all tests under the race detector (a part of the captures)
	CGO_ENABLED=1 $(GO) test -race ./...

lint: go ## gofmt, vet, golangci-lint
	@f=$$(gofmt -l cmd internal); [ -z "$$f" ] || { echo "gofmt: $$f"; exit 1; }
	$(GO) vet ./...
	@command -v golangci-lint >/dev/null && golangci-lint run ./... || \
	$(GO) run github.com/golangci/golangci-lint/v2/cmd/golangci-lint@$(LINT) run ./...

fuzz: go ## every fuzz target, FUZZTIME each (30s)
	@set -e; for p in $$($(GO) list ./...); do \
	  for f in $$($(GO) test -list '^Fuzz' $$p | grep '^Fuzz' || true); do \
	    echo "== $$p $$f"; $(GO) test -run '^$$' -fuzz "^$$f$$" -fuzztime $(FUZZTIME) -parallel 2 $$p; \
	  done; done

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
