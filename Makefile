# The commands people use. Each installs what it needs; `make help` lists them.

GO            ?= go
BIN           := bin
CACHE         := $(or $(XDG_CACHE_HOME),$(HOME)/.cache)/gameday
LINT_VERSION  := v2.15.0
LINT          := $(CACHE)/tools/golangci-lint-$(LINT_VERSION)
NAME          ?= gameday
CLUSTER_FLAGS ?= --monitoring --shop
# Elsewhere than on real nodes of our own some promises can't be shown; say which.
SHOW_SKIPS    := $(if $(filter-out local,$(CLUSTER)),-v)

# One setting for all, or half of everything is compiled twice.
export CGO_ENABLED := 0

.DEFAULT_GOAL := help
.PHONY: help build demo test unit lint cluster-test e2e programs bench generate cluster-up cluster-down clean

help: ## list the targets
	@awk -F':.*## ' '/^[a-z0-9-]+:.*## / { printf "  %-14s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

build: ## build bin/gameday
	$(GO) build -o $(BIN)/gameday ./cmd/gameday

demo: build ## a local cluster and three runs: one passes, one is held by a PDB, one must fail
	$(GO) run ./test/demo

test: lint unit cluster-test e2e ## everything: linters, unit tests, end-to-end tests on a local cluster

unit: ## unit tests, no cluster needed
	$(GO) test -short $$($(GO) list ./... | grep -v -e /test/e2e -e /test/bench)

lint: $(LINT) ## go vet and golangci-lint
	$(GO) vet ./...
	$(LINT) run

e2e: ## the suites on a real cluster; CLUSTER=local (default), kwok, kind, or existing with CONTEXT
	$(GO) test -count=1 -timeout 90m $(SHOW_SKIPS) ./test/e2e/...

cluster-test: programs ## the local cluster's own tests
	$(GO) test -count=1 -timeout 40m ./test/cluster/...

programs: ## build what local clusters consist of, once; later starts find it in the cache
	$(GO) run ./test/cluster/cmd/cluster build --monitoring --velero
	$(GO) run ./test/cluster/cmd/cluster build --kubernetes 1.35
	$(GO) run ./test/cluster/cmd/cluster build --flavour kwok

bench: build ## the figures of the documentation, as ratios against the named tools
	$(GO) run ./test/bench

generate: ## the JSON Schema from the Go types
	$(GO) generate ./...

cluster-up: ## a local cluster with monitoring and the sample application (NAME, CLUSTER_FLAGS)
	$(GO) run ./test/cluster/cmd/cluster up --name $(NAME) $(CLUSTER_FLAGS)

cluster-down: ## remove the local cluster and everything it left
	$(GO) run ./test/cluster/cmd/cluster down --name $(NAME)

clean: ## remove what make built here; the caches stay
	rm -rf $(BIN)

$(LINT):
	@echo "installing golangci-lint $(LINT_VERSION)"
	@mkdir -p $(CACHE)/tools/install
	GOBIN=$(CACHE)/tools/install $(GO) install github.com/golangci/golangci-lint/v2/cmd/golangci-lint@$(LINT_VERSION)
	@mv $(CACHE)/tools/install/golangci-lint $@
