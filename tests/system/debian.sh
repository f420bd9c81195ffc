#!/bin/sh
# Another release of Debian, in a root of it: built with its clang, the unit
# and the basic flow tests, and then with its gcc all of `make check`. Arguments
# are those of tests/run, for a part of the check: both builds, and that part of
# gcc's. The last line is `N passed, N failed, N skipped`.
# DEBIAN_SUITE (trixie).
set -eu
# shellcheck source=tests/system/root.sh
. "$(dirname "$0")/root.sh"

SUITE=${DEBIAN_SUITE:-trixie}

make_root "$SUITE" "$SUITE"
# For fuzz: clang, with its sanitizers.
install_for build demo check bench fuzz
# They are in no package: this machine's, which need no library.
for program in frpc frps; do
	found=$(command -v $program) && cp "$found" "$ROOT/usr/local/bin/" || :
done

echo "# building in $ROOT: clang"
in_source make -s -j2 CC=clang B=build/clang U=build/clang/unit \
	all unit-build || fail "$SUITE: make CC=clang all unit-build"
if [ $# -eq 0 ]; then
	in_source env BUILD=build/clang UNIT=build/clang/unit \
		tests/run --unit --flow test_ a0 ||
		fail "$SUITE: tests of what clang has built"
	in_source make -s check
	exit
fi

echo "# building in $ROOT: gcc"
in_source make -s -j2 check-build || fail "$SUITE: make check-build"
case " $* " in
*" --again "*)
	for san in address thread; do
		in_source make -s -j2 SAN=$san all ||
			fail "$SUITE: make SAN=$san all"
	done
	;;
esac
in_source tests/run "$@"
