#!/bin/sh
# Copyright 2026 The Quire authors
#
# SPDX-License-Identifier: LGPL-2.1-or-later

# Installs what Quire is built and tested with, from Debian's packages. Says nothing
# and does nothing when all is there.

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
'

command -v dpkg-query >/dev/null || exit 0

missing=
for package in $packages; do
  status=$(dpkg-query --show --showformat='${db:Status-Status}' "$package" 2>/dev/null || true)
  [ "$status" = installed ] || missing="$missing $package"
done

[ -n "$missing" ] || exit 0

as_root='env DEBIAN_FRONTEND=noninteractive'
[ "$(id -u)" -eq 0 ] || as_root="sudo $as_root"

echo "Installing:$missing"
$as_root apt-get update -qq
$as_root apt-get install -qq -y --no-install-recommends $missing >/dev/null
