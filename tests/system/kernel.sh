#!/bin/sh
# The flow tests on the kernel of a Debian release, in an emulator: a root of
# that release becomes a disk, its kernel boots from it, and guest.sh runs there
# as the first process. Arguments are those of tests/run; the last line is
# `N passed, N failed, N skipped`.
# KERNEL_SUITE (bookworm), KERNEL_SECONDS until it hangs, KERNEL_ACCEL=kvm
# where that works.
set -eu
# shellcheck source=tests/system/root.sh
. "$(dirname "$0")/root.sh"

SUITE=${KERNEL_SUITE:-bookworm}
SECONDS_MAX=${KERNEL_SECONDS:-3000}
IMAGE=$ROOTS/$SUITE.img
LOG=$ROOTS/$SUITE.log
# What the event layer is made of, and the flow tests that need no frpc.
[ $# -gt 0 ] || set -- --unit --flow test_ring test_loop test_pipe test_epoll \
	a0 a1 c02 d0 e05 p01

[ "$(uname -m)" = x86_64 ] || fail "kernel: this is no x86-64"
make_root "$SUITE" "$SUITE"
install_for build demo check
install iproute2 kmod linux-image-cloud-amd64 mount
echo "# building in $ROOT"
in_source make -s -j2 all build/adit-micro build/adit-forge build/counting.so \
	build/unit/test_ring build/unit/test_loop build/unit/test_pipe \
	build/unit/test_epoll || fail "kernel: make all"

echo "$*" >"$ROOT/src/build/words"
within "$ROOT" apt-get clean
rm -f "$IMAGE"
mke2fs -q -t ext4 -O ^has_journal -d "$ROOT" "$IMAGE" \
	"$(du -sm "$ROOT" | awk '{ print $1 * 2 + 1024 }')M"

# A panic ends it, as the guest's own end does: neither starts again. What
# protects from flaws of processors only costs time in an emulator.
timeout "$SECONDS_MAX" qemu-system-x86_64 -accel "${KERNEL_ACCEL:-tcg}" \
	-cpu max -smp 2 -m 4096 -nodefaults -nographic -no-reboot \
	-serial stdio -kernel "$ROOT"/vmlinuz -initrd "$ROOT"/initrd.img \
	-append "root=/dev/vda rw console=ttyS0 panic=-1 quiet no_timer_check \
		mitigations=off no5lvl init=/src/tests/system/guest.sh" \
	-drive "if=virtio,format=raw,cache=unsafe,file=$IMAGE" \
	-device virtio-rng-pci </dev/null | sed -u 's|\r||g' | tee "$LOG"
rm -f "$IMAGE"

# What the guest has said at its end; the summary is the last line.
status=0
grep -q '^guest: 0$' "$LOG" || status=1
summary=$(grep -E '^[0-9]+ passed, [0-9]+ failed, [0-9]+ skipped$' "$LOG" |
	tail -n 1 || :)
case $summary in
"") fail "kernel: no end: it panicked, or took more than $SECONDS_MAX s" ;;
"0 passed"*) status=1 ;;
esac
grep -o -m 1 'guest: Linux.*' "$LOG" || status=1
echo "$summary"
exit "$status"
