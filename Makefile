# Needs Node 20 or newer, npm and make. Everything else, the Node that runs the code included, comes from the lockfile.

STAMP := node_modules/.installed
RUN := npm run --silent
NODE := node_modules/.bin/node
NAME ?= dev

.DEFAULT_GOAL := help

.PHONY: help
help: ## Say what each target does
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## /\1|/' | awk -F'|' '{ printf "  %-18s%s\n", $$1, $$2 }'

.PHONY: demo
demo: $(STAMP) ## Show a guarded call end to end, in under a minute (KEEP=1 leaves it running)
	@$(RUN) demo

.PHONY: test
test: $(STAMP) ## Run every test (FORBID_SKIPS=1 fails when one is skipped)
	@$(RUN) test -- all $(if $(FORBID_SKIPS),--forbid-skips)

.PHONY: test-unit
test-unit: $(STAMP) ## Run all tests but the conformance suite and those on a cluster or a Vault
	@$(RUN) test:unit

.PHONY: test-conformance
test-conformance: $(STAMP) ## Compare the published MCP conformance suite directly and through the proxy
	@$(RUN) test:conformance

.PHONY: test-browser
test-browser: $(STAMP) ## Run the tests of the console in a real Chromium (needs make tools)
	@$(NODE) hack/test.ts browser

.PHONY: test-cluster
test-cluster: $(STAMP) ## Run the tests on a cluster: one of this machine, or the one of KUBECONFIG=FILE on this line
	@$(if $(filter command,$(firstword $(origin KUBECONFIG))),GATEHOUSE_TEST_KUBECONFIG=$(KUBECONFIG)) $(NODE) hack/test.ts cluster

.PHONY: test-vault
test-vault: $(STAMP) ## Run the tests of credentials against a real Vault and PostgreSQL (needs make tools)
	@$(RUN) test -- vault

.PHONY: cluster-up
cluster-up: $(STAMP) ## Bring up a Kubernetes cluster with real pods on this machine (NAME=dev; needs make tools, and root)
	@$(NODE) hack/cluster/main.ts up --name $(NAME)

.PHONY: cluster-down
cluster-down: $(STAMP) ## Take that cluster down and leave nothing of it (NAME=dev)
	@$(NODE) hack/cluster/main.ts down --name $(NAME)

.PHONY: image
image: $(STAMP) ## Build the image into an archive (BASE=IMAGE with Node and iptables, TAG=NAME, OUT=FILE)
	@$(NODE) hack/image/main.ts $(if $(BASE),--base $(BASE)) $(if $(TAG),--tag $(TAG)) $(if $(OUT),--out $(OUT))

.PHONY: verify
verify: $(STAMP) ## Check format, lint, types, import boundaries, dead code and generated files
	@$(RUN) verify

.PHONY: generate
generate: $(STAMP) ## Write the CRD YAML from the schemas
	@$(RUN) generate

.PHONY: bench
bench: $(STAMP) ## Measure throughput and memory against bare relays (JSON to BENCH_OUT)
	@$(RUN) bench

.PHONY: tools
tools: $(STAMP) ## Bring what the cluster tests need beside npm packages: Debian packages and Go builds, once, into a cache
	@$(NODE) hack/tools/main.ts

$(STAMP): package.json package-lock.json .npmrc
	@npm ci --loglevel=error
	@touch $@
