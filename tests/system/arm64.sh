#!/bin/sh
# arm64, on a machine of another kind: cross-built by Debian's toolchain in a
# root, and run there by qemu-user, which has no io_uring: on epoll. Arguments
# are those of tests/run; the last line is `N passed, N failed, N skipped`.
# The unit tests are without sanitizers, whose memory qemu-user has not.
set -eu
# shellcheck source=tests/system/root.sh
. "$(dirname "$0")/root.sh"

SUITE=${DEBIAN_SUITE:-bookworm}

make_root "$SUITE-arm64" "$SUITE" --architectures=amd64,arm64
# BoringSSL's -dev package is arm64's: only one of both can be there.
install crossbuild-essential-arm64 qemu-user-static uthash-dev \
	liburing-dev:arm64 libc-ares-dev:arm64 libyaml-dev:arm64 \
	libjansson-dev:arm64 libsnappy-dev:arm64 libqrencode-dev:arm64 \
	libseccomp-dev:arm64 \
	android-libboringssl-dev:arm64 libcriterion-dev:arm64
export CC=aarch64-linux-gnu-gcc
install_for build demo check
echo "# building in $ROOT"
in_source make -s -j2 CC=$CC UNIT_MODE=-O1 all unit-build build/adit-forge ||
	fail "arm64: make all unit-build"

# Programs of arm64 are qemu-user's: as the system has it, or for this run alone
# where the kernel lets a user namespace say so (Linux 6.7).
is_run() { in_source build/aditd --version; }
if ! is_run >/dev/null 2>&1; then
	# A line for binfmt_misc: ELF, of 64 bits, a program, for the machine 183.
	zeros='\x00\x00\x00\x00\x00\x00\x00\x00'
	ones='\xff\xff\xff\xff\xff\xff\xff\xff'
	ARM64=":arm64:M::\x7fELF\x02\x01\x01\x00$zeros\x02\x00\xb7\x00"
	ARM64="$ARM64:\xff\xff\xff\xff\xff\xff\xff\x00$ones\xfe\xff\xff\xff"
	ARM64="$ARM64:$PWD/$ROOT/usr/bin/qemu-aarch64-static:F"
	export ARM64
	UNSHARE='--user --map-root-user'
	BEFORE='formats=proc/sys/fs/binfmt_misc &&
		mount -t binfmt_misc binfmt_misc $formats &&
		printf %s "$ARM64" >$formats/register'
	is_run >/dev/null || fail "arm64: qemu-user cannot be registered here"
fi
is_run
in_source config/demo/run.sh || fail "arm64: no page came through the tunnel"
# Its tests are all about what an emulator of system calls has not.
echo "skip test_ring: qemu-user has no io_uring"
in_source rm -f build/unit/test_ring
# All units; what needs half a minute of a processor is not for an emulator.
[ $# -gt 0 ] || set -- --unit --flow test_ a01 a03 a13 c02 e05 k02
in_source env CASE_TIMEOUT=600 tests/run "$@"
