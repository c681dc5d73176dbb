# What one types here. Everything needs Go alone; make test also needs PostgreSQL, Chromium and a C compiler (for the race
# detector) and installs what it lacks.
SHELL := /bin/bash
.PHONY: test demo bench build lint generate clean

# Whatever make test compiles it compiles once, with the race detector. SQLite is left out of it, as C would be: it is C
# written as Go, and one goroutine at a time is in a connection; so is the arithmetic of signatures, which shares nothing.
# Programs end without the second they wait by default for races.
test: export GOFLAGS += -race -gcflags=github.com/ncruces/go-sqlite3-wasm/...=-race=false -gcflags=crypto/internal/fips140/edwards25519/...=-race=false
test: export GORACE = atexit_sleep_ms=0
test: # everything, with the race detector, on both databases and in a real browser
	@.ci/install
	@.ci/lint
	@.ci/generated
	go test -C tools ./...
	go test -race -vet=off -timeout 25m -p 2 ./...

demo: # a whole Aver with two tenants on https://localhost:8443; a second time finds its data again
	go run ./cmd/aver demo

bench: # the numbers of the README, beside the raw figures of the same run
	go run ./proof/bench

# Pages, and what forms and requests are answered by, are not inlined: each of their parts would be copied to wherever it is
# used, two megabytes in all, for no time that could be measured.
SMALL := $(foreach packages,frame/page .../ui .../web trust/...,-gcflags=aver/$(packages)=-l)

build: # one static binary, bin/aver
	CGO_ENABLED=0 go build -trimpath -ldflags "-s -w" $(SMALL) -o $(or $(TO),bin/aver) ./cmd/aver

lint: # formatting, vet, staticcheck, checksums
	@.ci/lint

generate: # pages, widget and lists that programs write; committed, and checked by make test
	go generate ./...
	go run -C tools ./licences

clean: # removes the demo's data and what was built
	rm -rf bin demo-data
