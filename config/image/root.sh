#!/bin/sh
# What is in the image, out of programs that are built: root.sh BUILD DIR.
# DIR/root has the two programs without symbols, what they load, the authorities
# that the system trusts, and the lines that say who they run as; no shell, no
# package, nothing else. DIR/home has the one directory that is theirs.
set -eu
umask 022

build=$1 out=$2/root
rm -rf "$out" "$2/home"
mkdir -p "$out/etc/ssl/certs" "$2/home/state"
chmod 700 "$2/home/state"

for program in aditd adit; do
	strip -o "$out/$program" "$build/$program"
	chmod 755 "$out/$program"
	# "NAME => PATH (ADDRESS)", and the loader as "PATH (ADDRESS)".
	ldd "$build/$program" | tr -s '\t' ' ' |
		sed -n 's|^\(.* =>\)* *\(/[^ ]*\) (0x.*|\2|p'
done | sort -u | while read -r library; do
	mkdir -p "$out${library%/*}"
	cp -L "$library" "$out$library"
	chmod 755 "$out$library"
done

cp -L /etc/ssl/certs/ca-certificates.crt "$out/etc/ssl/certs/"
echo 'adit:x:65532:65532:adit:/state:/' >"$out/etc/passwd"
echo 'adit:x:65532:' >"$out/etc/group"
echo 'hosts: files dns' >"$out/etc/nsswitch.conf"
chmod 644 "$out/etc/passwd" "$out/etc/group" "$out/etc/nsswitch.conf" \
	"$out/etc/ssl/certs/ca-certificates.crt"
