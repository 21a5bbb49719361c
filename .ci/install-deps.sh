#!/bin/sh
# Copyright 2026 The Quire authors
#
# SPDX-License-Identifier: LGPL-2.1-or-later

# Usage: install-deps.sh [bench]
#
# Installs what Quire is built and tested with, from Debian's packages; for the benchmarks
# its peers too. Says nothing and does nothing when all is there.

set -eu

packages='
binutils
g++
gcc
gi-docgen
gir1.2-gdkpixbuf-2.0
gir1.2-glib-2.0
gjs
gobject-introspection
libc6-dev
libgdk-pixbuf-2.0-dev
libgirepository1.0-dev
libgjs-dev
libglib2.0-dev
meson
mypy
ninja-build
pkg-config
python-gi-dev
python3
python3-dev
python3-gi
python3-hypothesis
python3-numpy
python3-pil
python3-pytest
valac
valgrind
'

# Who is measured beside Quire. Without them their columns are empty.
peers='
gir1.2-gstreamer-1.0
libgstreamer-plugins-base1.0-0
libgstreamer1.0-dev
python3-gst-1.0
'

command -v dpkg-query >/dev/null || exit 0

as_root='env DEBIAN_FRONTEND=noninteractive'
[ "$(id -u)" -eq 0 ] || as_root="sudo $as_root"

install_missing() {
  missing=
  for package in "$@"; do
    status=$(dpkg-query --show --showformat='${db:Status-Status}' "$package" 2>/dev/null || true)
    [ "$status" = installed ] || missing="$missing $package"
  done
  [ -n "$missing" ] || return 0

  echo "Installing:$missing"
  $as_root apt-get update -qq &&
    $as_root apt-get install -qq -y --no-install-recommends $missing >/dev/null
}

install_missing $packages
if [ "${1:-}" = bench ]; then
  install_missing $peers || echo 'The peers could not be installed: what is missing is not measured' >&2
fi
