# Everything that one does with this repository. `make` alone lists it.
#
# Build outputs live outside of the clone, so that a second fresh clone builds in seconds. A CARGO_TARGET_DIR that is set
# already is respected.

SHELL := bash
.SHELLFLAGS := -euo pipefail -c
.NOTPARALLEL:

CACHE := $(or $(XDG_CACHE_HOME),$(HOME)/.cache)/mlpipeline
export CARGO_TARGET_DIR ?= $(CACHE)/target
BIN := $(CARGO_TARGET_DIR)/debug
# Programs that `make` installs for itself go here.
TOOLS := $(CACHE)/tools
export PATH := $(PATH):$(TOOLS)/bin:$(HOME)/.cargo/bin

.DEFAULT_GOAL := help

.PHONY: help
help: ## List these targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-14s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

.PHONY: demo
demo: ## Build, and run the crash course on this machine from data to predictions
	@deploy/demo/run.sh

.PHONY: test
test: test-tools build ## Run every test that this machine can run
	cargo test --workspace --locked

.PHONY: test-unit
test-unit: ## Run the tests that need nothing but the code beside them
	cargo test --workspace --locked --lib --bins

.PHONY: test-tools
test-tools: ## Install what the tests need beside the Rust toolchain
	@tests/tools/install.sh

# One set of features for all that is built here: cargo builds a dependency once more for each set.
.PHONY: build
build: ## Build the three programs, for development
	cargo build --workspace --bins --locked

.PHONY: path
path: ## Print the folder of the built programs, for your PATH
	@echo "$(BIN)"

.PHONY: lint
lint: fmt-check clippy deny ## Check formatting, lints, licences and sources

.PHONY: fmt
fmt: ## Format all Rust code
	cargo fmt --all

.PHONY: fmt-check
fmt-check: ## Check the formatting
	cargo fmt --all --check

.PHONY: clippy
clippy: ## Check the lints, warnings being errors
	cargo clippy --workspace --all-targets --locked -- -D warnings

.PHONY: deny
deny: ## Check licences, bans and sources of dependencies
	@tests/tools/install-deny.sh "$(TOOLS)"
	cargo deny --locked check --hide-inclusion-graph licenses bans sources

.PHONY: audit
audit: ## Check dependencies for known vulnerabilities (fetches the advisory database from GitHub)
	@tests/tools/install-deny.sh "$(TOOLS)"
	cargo deny --locked check advisories

.PHONY: generate
generate: crd reference ## Write all generated files anew

.PHONY: crd
crd: build ## Write the CustomResourceDefinition to crds/
	$(BIN)/mlpipeline-operator crd > crds/mlpipeline.dev_mlpipelines.yaml

.PHONY: reference
reference: build ## Write the generated pages of docs/reference/
	$(BIN)/write-reference docs/reference

.PHONY: clean
clean: ## Remove what was built
	rm -rf "$(CARGO_TARGET_DIR)" .mlpipeline .mlpipeline-demo
