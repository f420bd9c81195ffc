#!/bin/sh
# Install the Debian packages that are missing for what is asked: build, demo,
# check, apps, fuzz, bench, package, root, kernel (several may be given). What
# is there in any form is respected: tests are for commands, headers and Python
# modules, never for package names.
# `deps.sh python` prints the Python that the tests run with.
set -u

CC=${CC:-gcc}
SSL_INC=${SSL_INC:-/usr/include/android}

has() { command -v "$1" >/dev/null 2>&1; }
header() {
	printf '#include <%s>\n' "$1" |
		"$CC" ${2:+-isystem "$2"} -E -xc - >/dev/null 2>&1
}
imports() { "$1" -c "import $2" >/dev/null 2>&1; }

# The Python on PATH unless only Debian's has the modules that tests import.
python() {
	for p in python3 /usr/bin/python3; do
		imports "$p" 'cryptography, websockets' && {
			echo "$p"
			return
		}
	done
	for p in python3 /usr/bin/python3; do
		imports "$p" cryptography && { echo "$p"; return; }
	done
	echo python3
}

# clang under its plain or its versioned name, and whether it links a fuzzer.
find_clang() { command -v clang || command -v clang-14; }
links_fuzzer() {
	echo 'int LLVMFuzzerTestOneInput(const char *d, long n)
		{ return d == (char *)n; }' |
		"$(find_clang)" -fsanitize=fuzzer,address,undefined -xc -o /dev/null - \
			>/dev/null 2>&1
}
clang_version() { "$(find_clang)" -dumpversion | cut -d. -f1; }

# nginx with its stream module, built in or beside it.
nginx_streams() {
	[ -e /usr/lib/nginx/modules/ngx_stream_module.so ] ||
		PATH=$PATH:/usr/sbin nginx -V 2>&1 |
			grep -q -e '--with-stream '
}

# One line a need: a test, and the package that meets it.
missing() {
	for what; do
		case $what in
		build)
			has "$CC" || echo gcc
			has make || echo make
			header stdio.h || echo libc6-dev
			header liburing.h || echo liburing-dev
			header ares.h || echo libc-ares-dev
			header yaml.h || echo libyaml-dev
			header jansson.h || echo libjansson-dev
			header snappy-c.h || echo libsnappy-dev
			header qrencode.h || echo libqrencode-dev
			header seccomp.h || echo libseccomp-dev
			header uthash.h || echo uthash-dev
			header openssl/aead.h "$SSL_INC" ||
				echo android-libboringssl-dev
			;;
		demo)
			has curl || echo curl
			[ -e /etc/ssl/certs/ca-certificates.crt ] ||
				echo ca-certificates
			has python3 || echo python3
			;;
		check)
			header criterion/criterion.h || echo libcriterion-dev
			has git || echo git
			has nginx || [ -x /usr/sbin/nginx ] || echo nginx-light
			has node || has nodejs || echo nodejs
			has nc || echo netcat-openbsd
			has ab || echo apache2-utils
			imports "$(python)" cryptography ||
				echo python3 python3-cryptography
			imports "$(python)" websockets ||
				echo python3 python3-websockets
			;;
		apps)
			has node || echo nodejs
			has npm || echo npm
			has chromium || has chromium-browser ||
				has google-chrome || echo chromium
			;;
		fuzz)
			if ! find_clang >/dev/null; then
				echo clang
			elif ! links_fuzzer; then
				echo "libclang-rt-$(clang_version)-dev"
			fi
			;;
		bench)
			has wrk || echo wrk
			has haproxy || [ -x /usr/sbin/haproxy ] || echo haproxy
			has nginx || [ -x /usr/sbin/nginx ] || echo nginx-light
			nginx_streams || echo libnginx-mod-stream
			;;
		package)
			has dpkg-shlibdeps || echo dpkg-dev
			has lintian || echo lintian
			has mmdebstrap || echo mmdebstrap
			has xz || echo xz-utils
			;;
		root)
			has mmdebstrap || echo mmdebstrap
			has unshare || echo util-linux
			;;
		kernel)
			has qemu-system-x86_64 || echo qemu-system-x86
			has mke2fs || [ -x /sbin/mke2fs ] || echo e2fsprogs
			;;
		*)
			echo "deps.sh: unknown: $what" >&2
			exit 2
			;;
		esac
	done
}

if [ "${1:-}" = python ]; then
	python
	exit 0
fi

wanted() { missing "$@" | tr ' ' '\n' | sort -u | tr '\n' ' '; }
packages=$(wanted "$@")
[ -z "$packages" ] && exit 0

if ! has apt-get; then
	echo "missing, and this is not Debian; install what provides:" \
		"$packages" >&2
	exit 1
fi
as_root=
if [ "$(id -u)" != 0 ]; then
	has sudo || {
		echo "missing packages; as root: apt-get install $packages" >&2
		exit 1
	}
	as_root=sudo
fi
export DEBIAN_FRONTEND=noninteractive
install() {
	$as_root apt-get install -y --no-install-recommends "$@" >&2
}
# Twice: what one package lacks is seen only when it is there (clang).
for _ in 1 2; do
	[ -z "$packages" ] && break
	echo "installing: $packages"
	# The package lists may be absent or old: fetch them only when needed.
	# shellcheck disable=SC2086
	install $packages || {
		$as_root apt-get update >&2 && install $packages
	} || {
		echo "could not install: $packages" >&2
		exit 1
	}
	packages=$(wanted "$@")
done
# An unmet need now would only be found later, with a worse message.
[ -z "$packages" ] || {
	echo "still missing after the installation: $packages" >&2
	exit 1
}
