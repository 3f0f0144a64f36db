# switchfs: build, test, install. `make help` lists the targets.

SHELL := bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := build

SWIFT ?= swift
PREFIX ?= /usr/local
DESTDIR ?=
# Where mount(8) looks for its helpers, whatever the prefix is.
MOUNT_HELPER_DIR ?= /sbin

SOURCES := Package.swift Sources Tests
# No module imports what no dependency in Package.swift leads to; PackageTests are stricter.
CHECKED := --explicit-target-dependency-import-check error
RELEASE := -c release --static-swift-stdlib $(CHECKED)
PROGRAM := .build/release/switchfs

# What is needed, and the Debian packages that have it; a .pc is a library that pkg-config knows.
BUILD_TOOLS := pkg-config fuse3.pc
BUILD_PACKAGES := libfuse3-dev pkg-config
TEST_TOOLS := fusermount3 getfattr setfattr getfacl setfacl spin
TEST_PACKAGES := fuse3 attr acl spin
# What switchfs is measured beside, and with; each is a Debian package of the same name.
PEERS := fuse-overlayfs mergerfs unionfs-fuse git
BENCH := .build/release/switchfs-bench

.PHONY: help
help: ## this list
	@grep -hE '^[a-z-]+:.*## ' Makefile | sed -E 's/:.*## /\t/' | expand -t 14

.PHONY: setup
setup: build-tools ## installs what is missing, by apt and as root
	@$(call need,$(TEST_TOOLS),$(TEST_PACKAGES))

.PHONY: build-tools
build-tools:
	@$(call need,$(BUILD_TOOLS),$(BUILD_PACKAGES))

# The tools that there must be, and the packages to install where one is missing.
define need
missing=
for tool in $(1); do
    case "$$tool" in
    *.pc) pkg-config --exists "$${tool%.pc}" 2>/dev/null || missing+=" $$tool" ;;
    *) command -v "$$tool" >/dev/null || missing+=" $$tool" ;;
    esac
done
[ -n "$$missing" ] || exit 0
if [ "$$(id -u)" != 0 ] || ! command -v apt-get >/dev/null; then
    echo "missing:$$missing; install these packages: $(2)" >&2
    exit 1
fi
echo "missing:$$missing; installing $(2)"
apt-get update -qq
DEBIAN_FRONTEND=noninteractive apt-get install -y -qq $(2) >/dev/null
endef

.PHONY: build
build: build-tools ## the program, optimized, with Swift's libraries inside
	$(SWIFT) build $(RELEASE) --product switchfs

# What can't be installed is left out; the program says so.
.PHONY: bench
bench: setup build ## measures switchfs beside other unions for five minutes, as root
	@missing=
	for peer in $(PEERS); do command -v "$$peer" >/dev/null || missing+=" $$peer"; done
	if [ -n "$$missing" ] && [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
	    echo "missing:$$missing; installing"
	    apt-get update -qq
	    DEBIAN_FRONTEND=noninteractive apt-get install -y -qq $$missing >/dev/null || true
	fi
	$(SWIFT) build $(RELEASE) --product switchfs-bench
	image=
	if [ -e /dev/loop-control ] && command -v mkfs.ext4 >/dev/null; then image="--image 16384"; fi
	$(BENCH) $$image --seconds 300 --json .build/bench.json --plot .build/bench.svg
	echo "all values: .build/bench.json; plot: .build/bench.svg"

.PHONY: demo
demo: build ## shows a union over this machine's cgroups, and takes it away again
	SWITCHFS="$$PWD/$(PROGRAM)" examples/cgroup-notes/run

.PHONY: lint
lint: ## formatting, and the syntax of shell scripts
	$(SWIFT) format lint --strict --parallel -r $(SOURCES)
	for script in .ci/run examples/*/run Tests/Fuzz/run docs/model/run; do bash -n "$$script"; done

.PHONY: model
model: setup ## checks the coherence protocol in every order of its steps, in some minutes
	docs/model/run full
	docs/model/run bugs

.PHONY: unit
unit: build-tools ## every test but those on real mounts; what needs root is skipped without, and told
	$(SWIFT) build --build-tests $(CHECKED)
	.build/debug/switchfs-fuzz replay Tests/Fuzz/Corpus
	$(SWIFT) test --skip-build --skip '^MountTests\.'

# Tests mount below a directory of their own; whatever a crash leaves mounted there goes.
.PHONY: test
test: setup lint ## lint, the small model, build, all tests, those of threads under the thread sanitizer, a minute of fuzzing
	@[ "$$(id -u)" = 0 ] || echo "not root: tests that mount or make cgroups are skipped" >&2
	SWITCHFS_TEST_DIRECTORY=$$(mktemp -d "$${TMPDIR:-/tmp}/switchfs-make-test.XXXXXX")
	# Tests act as other users there.
	chmod 755 "$$SWITCHFS_TEST_DIRECTORY"
	export SWITCHFS_TEST_DIRECTORY
	clean() {
	    awk -v below="$$SWITCHFS_TEST_DIRECTORY/" 'index($$5, below) == 1 { print $$5 }' /proc/self/mountinfo \
	        | tac | while read -r path; do umount -l "$$(printf %b "$${path//\\/\\0}")" || true; done
	    rm -rf --one-file-system "$$SWITCHFS_TEST_DIRECTORY"
	}
	trap clean EXIT
	docs/model/run small
	$(SWIFT) build --build-tests $(CHECKED)
	.build/debug/switchfs-fuzz replay Tests/Fuzz/Corpus
	$(SWIFT) test --skip-build
	$(SWIFT) test --sanitize=thread -Xswiftc -DTHREAD_SANITIZER --scratch-path .build-tsan $(CHECKED) \
	    --filter '^UnionCoreTests\.' --filter '^LayerWatchTests\.'
	$(feed)

# libFuzzer's main needs a linker that gold isn't.
FUZZ_SECONDS ?= 60
.PHONY: fuzz
fuzz: build-tools ## feeds decoders with what nobody sends, for FUZZ_SECONDS
	$(feed)

define feed
$(SWIFT) build -c release --sanitize=fuzzer -Xswiftc -DFUZZER -Xswiftc -use-ld=lld --scratch-path .build-fuzz $(CHECKED) --product switchfs-fuzz
FUZZ_SECONDS=$(FUZZ_SECONDS) Tests/Fuzz/run
endef

.PHONY: install
install: ## the program, manual, mount helpers and completions below DESTDIR/PREFIX
	@[ -x $(PROGRAM) ] || { echo "nothing built yet: run make build first" >&2; exit 1; }
	root="$(DESTDIR)$(PREFIX)"
	[ -n "$(DESTDIR)" ] || [ -w "$(PREFIX)" ] || { echo "$(PREFIX) is not writable: run as root, or give PREFIX or DESTDIR" >&2; exit 1; }
	install -Dm755 $(PROGRAM) "$$root/bin/switchfs"
	install -Dm644 docs/switchfs.8 "$$root/share/man/man8/switchfs.8"
	completions() { install -Dm644 /dev/stdin "$$root/share/$$2" < <($(PROGRAM) --generate-completion-script "$$1"); }
	completions bash bash-completion/completions/switchfs
	completions zsh zsh/site-functions/_switchfs
	completions fish fish/vendor_completions.d/switchfs.fish
	install -d "$(DESTDIR)$(MOUNT_HELPER_DIR)"
	for helper in mount.fuse.switchfs mount.switchfs; do
	    ln -sf "$(PREFIX)/bin/switchfs" "$(DESTDIR)$(MOUNT_HELPER_DIR)/$$helper"
	done

.PHONY: uninstall
uninstall: ## what install put there
	@root="$(DESTDIR)$(PREFIX)"
	rm -f "$$root/bin/switchfs" "$$root/share/man/man8/switchfs.8" \
	    "$$root/share/bash-completion/completions/switchfs" "$$root/share/zsh/site-functions/_switchfs" \
	    "$$root/share/fish/vendor_completions.d/switchfs.fish" \
	    "$(DESTDIR)$(MOUNT_HELPER_DIR)/mount.fuse.switchfs" "$(DESTDIR)$(MOUNT_HELPER_DIR)/mount.switchfs"

.PHONY: clean
clean: ## what was built
	rm -rf .build .build-tsan .build-fuzz

.ONESHELL:
