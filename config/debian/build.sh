#!/bin/sh
# Make build/adit_VERSION-0adit1_ARCH.deb for `make deb`, which sets the
# variables. dpkg's own tools are all that it takes.
set -eu

export SOURCE_DATE_EPOCH
work=$(pwd)/$B/deb
root=$work/debian/adit
doc=$root/usr/share/doc/adit
strip=$($CC -print-prog-name=strip)
here=config/debian
eval "$(dpkg-architecture -s ${MULTIARCH:+-t"$MULTIARCH"} 2>/dev/null)"
deb=$B/adit_$VERSION-0adit1_$DEB_HOST_ARCH.deb

rm -rf "$work/debian"
umask 022
make -s --no-print-directory B="$B" CC="$CC" BIN="$B/deb" install \
	DESTDIR="$root" PREFIX=/usr SYSCONFDIR=/etc >/dev/null

# BoringSSL is of no use to others by this name: it is the program's own.
mkdir -p "$root/usr/lib/adit"
files=$(config/libraries.sh "$root"/usr/bin/*)
for file in $files; do
	case $file in
	"$SSL_LIB"/*) install -m 644 "$file" "$root/usr/lib/adit/" ;;
	esac
done
owner=$(config/package_of.sh "$SSL_LIB/libssl.so") || owner=
"$strip" -R .comment "$root"/usr/bin/* "$root"/usr/lib/adit/*

# What dpkg does not overwrite once it was changed, and samples.
install -D -m 640 $here/aditd.yaml "$root/etc/adit/aditd.yaml"
mkdir "$doc/examples"
mv "$root"/etc/adit/*.sample "$doc/examples"
mkdir -p "$root/etc/fail2ban"
mv "$doc/fail2ban/filter.d" "$root/etc/fail2ban"
rmdir "$doc/fail2ban"

rm "$doc/LICENSE"
cat $here/copyright ${owner:+"/usr/share/doc/$owner/copyright"} \
	>"$doc/copyright"
mv "$doc/CHANGELOG.md" "$doc/changelog"
cat >"$work/debian/changelog" <<END
adit ($VERSION-0adit1) unstable; urgency=medium

  * Release $VERSION: /usr/share/doc/adit/changelog.gz tells what is new.

 -- $(sed -n 's/^Maintainer: //p' $here/control)  $(
	LC_ALL=C date -u -R -d "@$SOURCE_DATE_EPOCH")
END
install -m 644 "$work/debian/changelog" "$doc/changelog.Debian"
gzip -9n "$doc"/changelog* "$root"/usr/share/man/man*/*
install -D -m 644 $here/lintian-overrides \
	"$root/usr/share/lintian/overrides/adit"

# What dpkg reads: names, dependencies, sums.
mkdir "$root/DEBIAN"
cp $here/control $here/shlibs.local "$work/debian"
(cd "$root" && find etc -type f | LC_ALL=C sort | sed 's|^|/|') \
	>"$root/DEBIAN/conffiles"
if [ -e "$root/usr/lib/systemd/system/aditd.service" ]; then
	install -m 755 $here/postinst $here/prerm $here/postrm "$root/DEBIAN"
fi
(cd "$root" && find usr -type f -print0 |
	LC_ALL=C sort -z | xargs -0 md5sum) >"$root/DEBIAN/md5sums"
(
	cd "$work"
	dpkg-shlibdeps --warnings=0 -Tdebian/substvars -l"$root/usr/lib/adit" \
		"$root"/usr/bin/* "$root"/usr/lib/adit/*
	dpkg-gencontrol -padit -Pdebian/adit -Tdebian/substvars \
		-fdebian/files
)
chmod -R u=rwX,go=rX "$root"
chmod 640 "$root/etc/adit/aditd.yaml"
dpkg-deb --root-owner-group -Zxz -b "$root" "$deb" >/dev/null
echo "$deb"
