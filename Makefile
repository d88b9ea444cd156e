# Pharos, a RocketMQ name server. `make help` lists what can be done here.
GO        ?= go
BUILD     := build
PORT      ?= 9876
FUZZTIME  ?= 15s
LDFLAGS   := -s -w
GOFLAGS_BUILD := -trimpath -ldflags '$(LDFLAGS)'
CMDS      := $(notdir $(wildcard cmd/*))
export PHAROS_FUZZTIME := $(FUZZTIME)

.DEFAULT_GOAL := help
.PHONY: help build dist run test test-unit test-race test-privileged interop interop-full hostile measure bench bench-full bench-micro profile faults faults-full failover failover-full generate lint fuzz clean

help: ## this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## /{printf "  make %-16s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

# A command is built with the profile beside it; nsbench with that of namesrv, for the yardstick in it.
build: ## namesrv, nsctl (and nsbench) into build/
	@mkdir -p $(BUILD)
	@for c in $(CMDS); do echo "build $$c"; CGO_ENABLED=0 $(GO) build $(GOFLAGS_BUILD) $$(ls cmd/$$c/*.pgo 2>/dev/null | sed 's/^/-pgo=/') -o $(BUILD)/$$c ./cmd/$$c || exit 1; done

dist: build ## a RocketMQ home in build/dist: bin/mqnamesrv, bin/mqshutdown, conf/
	@sh deploy/dist.sh $(BUILD) $(BUILD)/dist

run: build ## build and start the server on port 9876 (PORT=n for another)
	@echo "Pharos on port $(PORT); in another terminal: $(BUILD)/nsctl -n 127.0.0.1:$(PORT) demo, then $(BUILD)/nsctl -n 127.0.0.1:$(PORT) route TopicTest"
	@printf 'listenPort=%s\n' $(PORT) > $(BUILD)/run.properties
	@exec $(BUILD)/namesrv -c $(BUILD)/run.properties

test: ## everything that proves it: unit, model, race, fuzz, privileged, interop (installs what it needs on Debian as root)
	@sh test/all.sh

test-unit: ## the fast part: unit, model, allocation tests and fuzz seeds
	$(GO) test ./...

test-race: ## the same under the race detector
	$(GO) test -race ./...

test-privileged: ## tests that need root and kernel features (one package at a time: they watch the whole kernel)
	PHAROS_PRIVILEGED=1 $(GO) test -count=1 -p 1 -run 'Privileged' ./...

fuzz: ## every fuzz target for FUZZTIME (15s)
	@sh test/fuzz.sh $(FUZZTIME)

interop: ## real Java brokers, clients and mqadmin against build/namesrv (short form)
	PHAROS_INTEROP=1 $(GO) test -p 1 -count=1 -timeout 15m -v ./test/interop/...

interop-full: ## all versions, faults, the long differential test, a stop of 130 s; report in build/interop
	PHAROS_INTEROP=1 PHAROS_INTEROP_FULL=1 $(GO) test -p 1 -count=1 -timeout 150m -v ./test/interop/...
	PHAROS_HOSTILE=1 PHAROS_INTEROP_FULL=1 $(GO) test -count=1 -timeout 10m -v -run TestStopped ./test/hostile

hostile: ## attackers beside innocents, 10 s an attack, held to the latency target: needs an idle machine
	PHAROS_HOSTILE=1 PHAROS_HOSTILE_SECONDS=10 PHAROS_HOSTILE_STRICT=1 $(GO) test -count=1 -timeout 15m -v -run TestInnocents ./test/hostile

measure: ## lookups beside 15 MB registrations, held to 2 ms above quiet; BPF programs (root): needs an idle machine
	PHAROS_MEASURE=1 $(GO) test -count=1 -v -run TestLookupsBesideRegistrations ./server
	PHAROS_MEASURE=1 PHAROS_PRIVILEGED=1 $(GO) test -count=1 -v -run PrivilegedCost ./bpf

# Benchmarks that nsbench compare's targets speak of, so many times each.
define bench-targets
( $(GO) test -run '^$$' -bench 'OneTopicChanged|GetRouteInfo|GetBrokerClusterInfo|RegisterUnchanged' -benchmem -benchtime 0.3s -cpu 1 -count $(1) ./routetable ./server && \
  $(GO) test -run '^$$' -bench DispatchLoops -benchmem -benchtime 0.3s -cpu 1,2 -count $(1) ./server )
endef

# They are kept, as everything that was measured is, until the binary is another.
define micro-once
$(BUILD)/nsbench build $(MEASURED) -kept $(1) || \
	{ { $(BUILD)/nsbench build $(MEASURED) && $(call bench-targets,$(2)); } > $(1).new && mv $(1).new $(1); }
endef

# What is measured, and the commit for reports: a binary tells that only if git was asked when it was built.
MEASURED = -pharos $(BUILD)/namesrv -commit '$(shell git describe --always --dirty --abbrev=12 --exclude '*' 2>/dev/null)'

bench: build ## servers compared under load, short form, 15 minutes: report in build/bench/short (needs an idle machine; BENCHFLAGS for nsbench compare)
	@mkdir -p $(BUILD)/bench/short
	$(call micro-once,$(BUILD)/bench/short/micro.txt,3)
	$(BUILD)/nsbench compare $(MEASURED) -out $(BUILD)/bench/short -pairs 3 -window 1s -warm-window 3s -warm-max 20s $(BENCHFLAGS)

bench-full: build ## all of it, three hours; killed, or out of BENCHFLAGS='-budget 1h', it goes on; report in build/bench/full
	@mkdir -p $(BUILD)/bench/full
	$(call micro-once,$(BUILD)/bench/full/micro.txt,7)
	$(BUILD)/nsbench compare $(MEASURED) -out $(BUILD)/bench/full -full $(BENCHFLAGS)

profile: ## measure anew what the compiler optimises namesrv for: cmd/namesrv/lookups.pgo
	$(GO) test -trimpath -run '^$$' -bench 'LookupRun|GetRouteInfo|RegisterUnchanged|GetBrokerClusterInfo' -cpu 1 -benchtime 2s \
		-o /dev/null -cpuprofile $(CURDIR)/cmd/namesrv/lookups.pgo ./server

bench-micro: ## micro benchmarks of the hot paths
	$(GO) test -run '^$$' -bench . -benchmem ./codec ./routetable ./server

faults: build ## dead, living and flapping brokers in network namespaces (root): minutes; report in build/faults/short (FAULTSFLAGS for nsbench faults)
	$(BUILD)/nsbench faults $(MEASURED) -short -out $(BUILD)/faults/short $(FAULTSFLAGS)

faults-full: build ## all of it and what watching costs, two hours; killed, it goes on; report in build/faults/full
	$(BUILD)/nsbench faults $(MEASURED) -out $(BUILD)/faults/full $(FAULTSFLAGS)
	$(BUILD)/nsbench faults $(MEASURED) -cost -out $(BUILD)/faults/full

failover: build ## what clients notice when a name server or a broker fails (root): 12 minutes; report in build/failover/short (FAILOVERFLAGS for nsbench failover)
	$(BUILD)/nsbench failover -short -out $(BUILD)/failover/short $(FAILOVERFLAGS)

failover-full: build ## all of it, two hours; killed, it goes on; report in build/failover/full
	$(BUILD)/nsbench failover -out $(BUILD)/failover/full $(FAILOVERFLAGS)

generate: ## regenerate what is generated
	$(GO) generate ./...

lint: ## gofmt, vet, staticcheck, govulncheck, shellcheck, generated files
	@sh .ci/lint.sh

clean: ## remove build/
	rm -rf $(BUILD)
