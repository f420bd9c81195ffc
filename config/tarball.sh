#!/bin/sh
# Make build/adit-VERSION-linux-ARCH.tar.xz for `make tarball`, which sets the
# variables. It runs from any folder of a Linux with a glibc that is not older
# than this one's: all other libraries are in lib/, where the programs look for
# them. So a bare Debian needs no package more, and no system's update changes
# what was tested.
set -eu

root=$B/tarball/root
name=adit-$VERSION-linux-$ARCH
top=$root/$name
objdump=$($CC -print-prog-name=objdump)

rm -rf "$root"
umask 022
make -s --no-print-directory B="$B" CC="$CC" BIN="$B/tarball" install \
	DESTDIR="$top" PREFIX= SYSCONFDIR=/etc DOCDIR= UNIT_DIR=/systemd \
	>/dev/null
mkdir "$top/lib"
# Units have whole paths in them: this one is as good as any.
for unit in "$top"/systemd/*; do
	[ -e "$unit" ] && sed -i "s|/bin/adit|/opt/adit/bin/adit|" "$unit"
done

# By the names that are looked for.
files=$(config/libraries.sh "$top"/bin/*)
for file in $files; do
	install -m 644 "$file" "$top/lib/${file##*/}"
done
# A RUNPATH is for what a program names itself: it has to name all of them.
for program in "$top"/bin/*; do
	direct=$(config/libraries.sh "$program")
	# shellcheck disable=SC2086
	[ "$direct" = "$(config/libraries.sh "$program" $direct)" ] || {
		echo "tarball.sh: $program does not name all that it loads" >&2
		exit 1
	}
done

# What their licences ask for: these, and where the source is. Libraries that
# no package has are the builder's own.
mkdir "$top/licenses"
for file in $files; do
	package=$(config/package_of.sh "$file") || continue
	cp "/usr/share/doc/$package/copyright" "$top/licenses/$package"
	# shellcheck disable=SC2016
	dpkg-query -W -f '${source:Package} ${source:Version}\n' "$package" |
		sed "1!d; s|^|${file##*/}: Debian's source package |"
done >"$top/licenses/SOURCES"

"$($CC -print-prog-name=strip)" "$top"/bin/* "$top"/lib/*
chmod -R u=rwX,go=rX "$top"
tar -C "$root" --format=ustar --sort=name --mtime="@$SOURCE_DATE_EPOCH" \
	--owner=0 --group=0 --numeric-owner -c "$name" |
	xz -9 -T1 >"$B/$name.tar.xz"
glibc=$("$objdump" -T "$top"/bin/* "$top"/lib/* |
	grep -o 'GLIBC_[0-9.]*' | sort -uV | tail -n 1)
echo "$B/$name.tar.xz, for glibc ${glibc#GLIBC_} or later"
