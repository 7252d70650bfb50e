# Everything that is done with this repository, one word each. `make` lists them.

SHELL := bash
.SHELLFLAGS := -euo pipefail -c
export PATH := $(PATH):$(HOME)/.cargo/bin

WALKTHROUGH := fixtures/walkthrough.pcap
FRESH := target/lab

.PHONY: help
help: ## list the targets
	@sed -nE 's/^([a-z]+):.*## (.*)/  make \1\t\2/p' Makefile | expand -t 18

.PHONY: demo
demo: ## build nestscope and show what it makes of a small capture
	@tools/need build
	@cargo build --release --locked
	@printf '\n$$ nestscope calls -r $(WALKTHROUGH)\n'
	@target/release/nestscope calls -r $(WALKTHROUGH)
	@printf '\n$$ nestscope report -r $(WALKTHROUGH)\n'
	@target/release/nestscope report -r $(WALKTHROUGH)
	@printf '\nNext, with a Nest service on port 8888 of this machine:\n\n'
	@printf '  %starget/release/nestscope -i lo -p 8888\n\n' "$$([ "$$(id -u)" -eq 0 ] || echo 'sudo ')"

.PHONY: test
test: ## check the code, record real Nest services anew, run every test
	@tools/need test
	@$(MAKE) --no-print-directory check recordings
	@cargo test --locked --doc
# Last, so that the output ends with what the tests say.
	@cargo test --locked --tests

.PHONY: check
check: ## formatting, lints and documentation, with warnings as errors
	cargo fmt --check
	cargo clippy --locked --all-targets -- -D warnings
	cargo clippy --locked --all-targets --no-default-features -- -D warnings
	RUSTDOCFLAGS='-D warnings -A rustdoc::private-intra-doc-links' cargo doc --locked --no-deps --document-private-items

.PHONY: recordings
recordings: ## record real Nest services and compare each call with what they sent
	tools/fresh $(FRESH)
	tests/lab/jsonsocket --verify
	NESTSCOPE_RECORDINGS=$(CURDIR)/$(FRESH) cargo test --locked --test recordings

.PHONY: bench
bench: ## speed and memory over 1 GB of traffic, beside cat, tcpdump and tcpflow
	@tools/need bench
	@bench/run

.PHONY: pictures
pictures: ## draw the pictures of the README again
	@tools/need pictures
	@tools/pictures
