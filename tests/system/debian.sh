#!/bin/sh
# Another release of Debian, in a root of it: built with its gcc and its clang,
# tested. Arguments are those of tests/run (the unit and flow tests, once,
# without); the last line is `N passed, N failed, N skipped`.
# DEBIAN_SUITE (trixie).
set -eu
# shellcheck source=tests/system/root.sh
. "$(dirname "$0")/root.sh"

SUITE=${DEBIAN_SUITE:-trixie}
[ $# -gt 0 ] || set -- --unit --flow

make_root "$SUITE" "$SUITE"
# For fuzz: clang, with its sanitizers.
install_for build demo check bench fuzz
for more in "CC=gcc" "CC=clang B=build/clang U=build/clang/unit"; do
	echo "# building in $ROOT: $more"
	# shellcheck disable=SC2086
	in_source make -s -j2 $more all unit-build ||
		fail "$SUITE: make $more all unit-build"
done
in_source make -s -j2 build/adit-micro build/adit-forge build/counting.so \
	build/corpus replay-build
in_source tests/run "$@"
