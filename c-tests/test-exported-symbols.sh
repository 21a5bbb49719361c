#!/bin/sh
# Copyright 2026 The Quire authors
#
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# Usage: test-exported-symbols.sh NM LIBRARY LIST [--update]
#
# The library exports what the list says, and nothing else: a symbol that is gone or
# renamed breaks programs, one too many can never be taken back. Whoever adds one on
# purpose runs this with --update and commits the list.

set -eu
LC_ALL=C
export LC_ALL

nm=$1
library=$2
list=$3

# What a sanitizer adds is no part of the library.
symbols=$("$nm" -D --defined-only "$library" |
  awk '{ print $NF }' | sed 's/@.*//' |
  grep -v -E '^(__(asan|tsan|ubsan|odr_asan|sanitizer|start|stop|llvm|gcov)|_init$|_fini$)' | sort -u)

if [ "${4:-}" = --update ]; then
  printf '%s\n' "$symbols" > "$list"
  exit 0
fi

echo 1..2

foreign=$(printf '%s\n' "$symbols" | grep -v '^quire_' || true)
if [ -z "$foreign" ]; then
  echo 'ok 1 - every symbol begins with quire_'
else
  printf '%s\n' "$foreign" | sed 's/^/# not ours: /'
  echo 'not ok 1 - every symbol begins with quire_'
fi

# In the output of diff, < is what the list has and the library has not.
if difference=$(printf '%s\n' "$symbols" | diff "$list" -); then
  echo 'ok 2 - the symbols are those of the list'
else
  printf '%s\n' "$difference" | sed -n 's/^</# gone:/p; s/^>/# new:/p'
  echo 'not ok 2 - the symbols are those of the list'
fi
