# Needs Node 20 or newer, npm and make. Everything else, the Node that runs the code included, comes from the lockfile.

STAMP := node_modules/.installed
RUN := npm run --silent

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
test-unit: $(STAMP) ## Run all tests but the conformance suite
	@$(RUN) test:unit

.PHONY: test-conformance
test-conformance: $(STAMP) ## Compare the published MCP conformance suite directly and through the proxy
	@$(RUN) test:conformance

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
tools: $(STAMP) ## Bring what the tests need: npm packages, among them the Node that runs them

$(STAMP): package.json package-lock.json .npmrc
	@npm ci --loglevel=error
	@touch $@
