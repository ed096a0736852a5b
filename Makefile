# SPDX-License-Identifier: Apache-2.0
# Short words for meson.  `make help` lists them.
#
# Every word first sees to it that what it needs is there: tools/bootstrap installs
# missing Debian packages (apt, as root or with sudo) and is silent when none is.

BUILD  ?= build
PREFIX ?= /usr/local
SHARE   = $(DESTDIR)$(PREFIX)/share
T      ?=

.PHONY: all build run examples test check test-run test-vm asan fuzz bench lint format install
.PHONY: clean help

all: build

help: ## this list
	@sed -n 's/^\([a-z-]*\):.*## /\1\t/p' $(MAKEFILE_LIST) | expand -t 12

build: ## the static binary, build/skep
	@tools/bootstrap build
	@test -f $(BUILD)/build.ninja || meson setup $(BUILD) >$(BUILD).setup.log 2>&1 || \
		{ cat $(BUILD).setup.log; exit 1; }
	@rm -f $(BUILD).setup.log
	@ninja -C $(BUILD) --quiet skep

run: ARGS ?= -- sh examples/tour.sh
run: build ## a tour: real programs in a cgroup of their own (ARGS='…' for other arguments)
	@tools/bootstrap run
	@tools/as-root $(BUILD)/skep watch $(ARGS)
	@echo
	@echo 'Watch the whole machine:  sudo $(BUILD)/skep watch'

examples: build ## the programs of examples/, as build/examples/*.bpf.o
	@ninja -C $(BUILD) --quiet examples

test: build ## everything that CI runs; last line: N passed, N failed, N skipped
	@tools/bootstrap test vm
	@ninja -C $(BUILD) --quiet
	@tests/run-all $(BUILD)

check: build ## unit tests and fuzz corpora only
	@tests/run-all $(BUILD) unit fuzz

test-run: build ## end-to-end tests on this kernel
	@tools/bootstrap test
	@tests/run-all $(BUILD) run

test-vm: build ## the same binary on kernels 5.10, 6.1 and 6.12
	@tools/bootstrap vm
	@tests/run-all $(BUILD) vm

asan: ## unit tests and corpora with address and undefined-behaviour sanitizers
	@tools/bootstrap test
	@tests/run-all $(BUILD) asan

fuzz: ## fuzz one target: make fuzz T=record (SECONDS=60)
	@tools/bootstrap test
	@tools/fuzz $(T)

bench: build ## cost beside strace, bpftrace and bcc's tools (ARGS='--quick size' for a part)
	@tools/bootstrap bench
	@tools/as-root tests/bench/run $(BUILD)/skep $(ARGS)

lint: build ## format, layers, docs, warnings of two compilers
	@tools/bootstrap test
	@tests/run-all $(BUILD) lint warnings

format: ## lay out all C files as .clang-format says
	@tools/bootstrap test
	@git ls-files '*.c' '*.h' | xargs clang-format-14 -i

install: build ## program, manual page, completion; into PREFIX=/usr/local (DESTDIR)
	@install -D -t $(DESTDIR)$(PREFIX)/bin $(BUILD)/skep
	@install -d $(SHARE)/man/man1 $(SHARE)/bash-completion/completions \
		$(SHARE)/zsh/site-functions $(SHARE)/fish/vendor_completions.d
	@$(BUILD)/skep man >$(SHARE)/man/man1/skep.1
	@$(BUILD)/skep completion bash >$(SHARE)/bash-completion/completions/skep
	@$(BUILD)/skep completion zsh >$(SHARE)/zsh/site-functions/_skep
	@$(BUILD)/skep completion fish >$(SHARE)/fish/vendor_completions.d/skep.fish

clean: ## remove what was built
	@rm -rf build build-*
