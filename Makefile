# The front door. Each target is enough alone, on a bare Debian 12 machine too: tools/setup brings what is missing.
# Settings: PRESET=release|debug|sanitize   JOBS=<compilers at once>   RECIPE=<name> (for demo)
PRESET ?= release
JOBS   ?= $(shell nproc)
RECIPE ?= fine_tuning_from_preferences
BUILD  := build/$(PRESET)
# One line of progress on a terminal, silence elsewhere; warnings and errors always.
NINJA  := $(shell [ -t 2 ] || echo -- --quiet)

# Output of a tool that worked is noise: it goes to a log, which is shown when the tool failed.
quietly = @mkdir -p $(BUILD); echo "$(2)" >&2; $(1) >$(BUILD)/$(3).log 2>&1 </dev/null || { tail -40 $(BUILD)/$(3).log >&2; exit 1; }

.PHONY: all mujoco demo test bench format docs fuzz install ale clean help setup configure
all: build/rlhf  ## build the program (default)

setup:  ## bring system packages, LibTorch, default models and Rust crates (a second when they are there)
	@tools/setup

configure: setup
	$(call quietly,CARGO_NET_OFFLINE=true cmake --preset $(PRESET) -DRLHF_BUILD_TESTS=ON -DRLHF_BUILD_BENCHMARKS=ON,configuring $(BUILD),configure)

.PHONY: build/rlhf
build/rlhf: configure
	@echo "building rlhf" >&2
	@cmake --build --preset $(PRESET) --target rlhf -j $(JOBS) $(NINJA)

mujoco:  ## bring MuJoCo and its robots (10 MB; Apache-2.0, MIT) and build with them
	@tools/setup mujoco
	@$(MAKE) --no-print-directory build/rlhf

demo: build/rlhf  ## a whole paper end to end with a simulated labeler, in minutes
	@build/rlhf recipe run $(RECIPE) --preset small --output runs/demo --overwrite; status=$$?; \
	  [ ! -f runs/demo/report.html ] || printf '\nThe report: %s\n' '$(CURDIR)/runs/demo/report.html'; exit $$status

test: configure  ## build everything and run every test
	@echo "building everything" >&2
	@cmake --build --preset $(PRESET) -j $(JOBS) $(NINJA)
	@OMP_NUM_THREADS=1 ctest --preset $(PRESET) --output-on-failure --label-exclude slow -j $(JOBS)

bench: configure  ## our speed and the peers', text and control, in turn on this machine (hours; see benchmarks/README.md)
	@cmake --build --preset $(PRESET) --target benchmarks -j $(JOBS) $(NINJA)
	@benchmarks/run

format:  ## clang-format over every C++ file
	@command -v clang-format >/dev/null || { echo "format: install clang-format first" >&2; exit 1; }
	@git ls-files -co --exclude-standard '*.h' '*.cpp' | xargs clang-format -i

docs:  ## check the pages: their links, and that PAPERS.md names what is there
	@python3 tests/house/papers_test.py && python3 tests/house/links_test.py

fuzz:  ## a minute of fuzzing per file format (needs clang-19, libclang-rt-19-dev)
	@tools/fuzz

install: build/rlhf  ## install program, library and CMake package (PREFIX=/usr/local)
	@cmake --build --preset $(PRESET) -j $(JOBS) $(NINJA)
	@cmake --install $(BUILD) --prefix $(or $(PREFIX),/usr/local)

ale:  ## Atari games: the Arcade Learning Environment (GPL-2.0) and its worker, a program of its own
	@tools/setup_ale

clean:  ## remove what was built (downloads stay in the user's cache)
	@rm -rf build/release build/debug build/sanitize build/rlhf rust/target

help:  ## this list
	@sed -nE 's/^([a-z-]+):.*##  ?(.*)/  make \1\t\2/p' Makefile | expand -t 18
