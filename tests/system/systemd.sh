#!/bin/sh
# Our units under a systemd that is the first process: Debian 12 in an emulator,
# with our package installed by apt. It boots, systemd.py runs there as a unit of
# its own, and the machine goes off. Arguments are words of its cases, which
# build on each other; the last line is `N passed, N failed, N skipped`.
# SYSTEMD_SUITE (bookworm), SYSTEMD_SECONDS until it hangs, KERNEL_ACCEL=kvm
# where that works.
set -eu
# shellcheck source=tests/system/root.sh
. "$(dirname "$0")/root.sh"

SUITE=${SYSTEMD_SUITE:-bookworm}
SECONDS_MAX=${SYSTEMD_SECONDS:-3000}
IMAGE=$ROOTS/systemd-$SUITE.img
LOG=$ROOTS/systemd-$SUITE.log

[ "$(uname -m)" = x86_64 ] || fail "systemd: this is no x86-64"

# The package, by that release's compiler, from the root of check-kernel.
make_root "$SUITE" "$SUITE"
install_for build
install dpkg-dev
echo "# building in $ROOT"
rm -rf "$ROOT"/src/build/deb "$ROOT"/src/build/adit_*.deb
in_source make -s -j2 deb >"$ROOT/install.log" || {
	tail -n 20 "$ROOT/install.log"
	fail "systemd: make deb"
}
DEB=$(echo "$ROOT"/src/build/adit_*.deb)

# A machine that has never seen a compiler.
make_root "systemd-$SUITE" "$SUITE"
install systemd systemd-sysv dbus curl nginx-light python3 \
	linux-image-cloud-amd64
cp "$DEB" "$ROOT/root/adit.deb"
within "$ROOT" sh -c 'dpkg --purge adit; rm -rf /etc/adit' >/dev/null 2>&1
within "$ROOT" env DEBIAN_FRONTEND=noninteractive apt-get -qq -y \
	--no-install-recommends install /root/adit.deb >"$ROOT/install.log" ||
	{
		cat "$ROOT/install.log"
		fail "systemd: apt-get install adit.deb"
	}
within "$ROOT" apt-get clean
cat >"$ROOT/etc/systemd/system/adit-test.service" <<UNIT
[Unit]
After=multi-user.target
SuccessAction=poweroff-force
FailureAction=poweroff-force

[Service]
Type=oneshot
# An emulator is slow: the tests are more patient.
Environment=PATIENCE=10 LC_ALL=C.UTF-8 HOME=/root PYTHONDONTWRITEBYTECODE=1
ExecStart=/usr/bin/python3 /src/tests/system/systemd.py $*
ExecStopPost=/bin/sh -c 'test "\$EXIT_STATUS" = 0 || journalctl -b -n 200'
ExecStopPost=/bin/sh -c 'echo "guest: \$EXIT_STATUS"'
StandardOutput=tty
StandardError=tty
TTYPath=/dev/ttyS0
UNIT

rm -f "$IMAGE"
mke2fs -q -t ext4 -O ^has_journal -d "$ROOT" "$IMAGE" \
	"$(du -sm "$ROOT" | awk '{ print $1 + 1024 }')M" >/dev/null

# nginx is the tests' own, and nobody logs in.
timeout "$SECONDS_MAX" qemu-system-x86_64 -accel "${KERNEL_ACCEL:-tcg}" \
	-cpu max -smp 2 -m 2048 -nodefaults -nographic -no-reboot \
	-serial stdio -kernel "$ROOT"/vmlinuz -initrd "$ROOT"/initrd.img \
	-append "root=/dev/vda rw console=ttyS0 panic=-1 quiet no_timer_check \
		systemd.show_status=0 systemd.wants=adit-test.service \
		systemd.mask=nginx.service systemd.mask=getty.target \
		systemd.mask=serial-getty@ttyS0.service" \
	-drive "if=virtio,format=raw,cache=unsafe,file=$IMAGE" \
	-device virtio-rng-pci </dev/null | sed -u 's|\r||g' | tee "$LOG"
rm -f "$IMAGE"

# What the guest has said at its end; the summary is the last line.
grep -q '^guest: ' "$LOG" ||
	fail "systemd: no end: it panicked, or took more than $SECONDS_MAX s"
awk '/^ok /{ p++ } /^not ok /{ f++ } /^skip /{ s++ }
	END { printf "%d passed, %d failed, %d skipped\n", p, f, s }' "$LOG"
grep -q '^guest: 0$' "$LOG"
