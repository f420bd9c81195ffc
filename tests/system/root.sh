# Roots of Debian for the tests beside it: made by mmdebstrap, kept in
# build/system, with this source in /src. Sourced, by a script that may be
# called from anywhere.
# shellcheck shell=sh
cd "$(dirname "$0")/../.." || exit 1
ROOTS=build/system

# End as tests/run does when it cannot run.
fail() {
	echo "not ok $*"
	echo "0 passed, 1 failed, 0 skipped"
	exit 1
}

# For within: more options of unshare(1), and what is done at first, in the
# root's folder.
UNSHARE='' BEFORE=:

# within ROOT COMMAND...: in a root, which has /proc, /sys and /dev meanwhile.
# What it leaves behind ends with it. By pivot_root(2): who was put there by
# chroot(2) can make no user namespace, and much would be skipped.
within() {
	# shellcheck disable=SC2086
	unshare --mount --pid --fork --kill-child $UNSHARE sh -c '
		mount --bind "$0" "$0" && cd "$0" &&
		mount -t proc proc proc &&
		mount --rbind /sys sys &&
		mount --rbind /dev dev &&
		'"$BEFORE"' &&
		pivot_root . . && umount -l . && cd / || exit 1
		env -u MAKEFLAGS -u MAKELEVEL -u MFLAGS "$@"
		exit $?' "$@"
}

# make_root NAME SUITE [OPTION]: a bare Debian of that release, unless there is
# one from before; ROOT is its folder.
make_root() {
	name=$1 suite=$2
	shift 2
	ROOT=$ROOTS/$name
	[ "$(id -u)" = 0 ] || fail "$name: only root makes a root of Debian"
	if [ ! -e "$ROOT/complete" ]; then
		echo "# making $ROOT"
		rm -rf "$ROOT"
		mkdir -p "$ROOTS"
		mmdebstrap --quiet --variant=apt --include=mount \
			--dpkgopt=force-unsafe-io "$@" "$suite" "$ROOT" ||
			fail "$name: mmdebstrap $suite"
		printf '%s localhost\n' 127.0.0.1 ::1 >"$ROOT/etc/hosts"
		touch "$ROOT/complete"
	fi
	mkdir -p "$ROOT/src"
	find "$ROOT/src" -mindepth 1 -maxdepth 1 ! -name build \
		-exec rm -rf {} +
	tar --exclude=./build --exclude=./.git --exclude=__pycache__ -cf - . |
		tar -C "$ROOT/src" --no-same-owner -xf -
}

# in_source COMMAND...: in the root's copy of the source.
in_source() {
	within "$ROOT" env -C /src LC_ALL=C.UTF-8 "$@"
}

# install PACKAGE...: into the root, what is not there.
install() {
	within "$ROOT" sh -c '
		dpkg -s "$@" >/dev/null 2>&1 && exit 0
		export DEBIAN_FRONTEND=noninteractive
		apt-get -qq update && apt-get -qq -y \
			--no-install-recommends install "$@" >/dev/null' \
		install "$@" || fail "could not install: $*"
}

# install_for KIND...: what tests/deps.sh finds missing.
install_for() {
	install make
	in_source tests/deps.sh "$@" 2>"$ROOT/install.log" || {
		tail -n 5 "$ROOT/install.log"
		fail "could not install: $*"
	}
}
