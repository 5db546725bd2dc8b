#!/bin/sh
set -e
cd "$(dirname "$0")"
autoreconf -if
test -n "$NOCONFIGURE" || ./configure "$@"
