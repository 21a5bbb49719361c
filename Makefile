# Copyright 2026 The Quire authors
#
# SPDX-License-Identifier: LGPL-2.1-or-later

# The plain way is `meson setup build && meson test -C build`; this installs what is
# missing first, and runs what a newcomer wants to see.

BUILD ?= build

.PHONY: all bench clean demo deps docs test valgrind

all: $(BUILD)/build.ninja
	ninja -C $(BUILD)

deps:
	@.ci/install-deps.sh

$(BUILD)/build.ninja: | deps
	meson setup $(BUILD)

demo: deps $(BUILD)/build.ninja
	@ninja --quiet -C $(BUILD)
	@meson devenv -C $(BUILD) python3 "$(CURDIR)/examples/run-demo.py" "$(abspath $(BUILD))"

# In a build of its own, that is set up when the peers are there.
bench:
	@.ci/install-deps.sh bench
	@test -f $(BUILD)-bench/build.ninja || meson setup $(BUILD)-bench -Dtests=false -Ddocs=disabled
	@ninja --quiet -C $(BUILD)-bench
	@python3 bench/run-benchmarks.py $(BUILD)-bench

docs: deps $(BUILD)/build.ninja
	ninja -C $(BUILD) docs/quire-1.0

test: deps
	@python3 .ci/run-tests.py

valgrind: deps $(BUILD)/build.ninja
	meson test -C $(BUILD) --setup=valgrind --suite c
	meson test -C $(BUILD) --setup=valgrind_python --suite python

clean:
	rm -rf $(BUILD) $(BUILD)-asan $(BUILD)-bench $(BUILD)-tsan
