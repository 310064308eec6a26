# Makefile: a thin front for people who type make. CMake (CMakePresets.json) does the work.
PRESET ?= release
PREFIX ?= /usr/local
JOBS ?= $(shell nproc)
build_dir = build$(if $(filter-out release,$(PRESET)),/$(PRESET))

.PHONY: all setup demo test test-all bench bench-instances install asan clean

all:
	cmake --preset $(PRESET) --log-level=WARNING
	cmake --build --preset $(PRESET) -j $(JOBS)

setup:
	scripts/setup

demo: setup
	$(MAKE) all
	examples/demo

test: setup
	$(MAKE) all
	WASMX_BUILD=$(build_dir) tests/run

test-all: setup
	$(MAKE) all
	WASMX_BUILD=$(build_dir) tests/run --all

bench: setup
	$(MAKE) all
	bench/run

bench-instances: setup
	$(MAKE) all
	node bench/instances.mjs $(build_dir)

install: all
	cmake --install $(build_dir) --prefix $(PREFIX)

# Everything but generated code under AddressSanitizer and UndefinedBehaviorSanitizer.
asan: setup
	$(MAKE) test PRESET=asan

clean:
	rm -rf build
