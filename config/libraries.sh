#!/bin/sh
# Print the files of the libraries that ELF files name, one a line, but
# glibc's: those are the system's. Nothing is run: the files may be of another
# machine. CC and SSL_LIB are the Makefile's.
#   usage: libraries.sh FILE...
set -eu
export LC_ALL=C

objdump=$($CC -print-prog-name=objdump)
named=$("$objdump" -p "$@" | sed -n 's/^ *NEEDED *//p' | sort -u |
	grep -v -e '^lib\(c\|m\|dl\|rt\|pthread\|resolv\)\.so\.' -e '^ld-')

for name in $named; do
	if [ -e "$SSL_LIB/$name" ]; then
		echo "$SSL_LIB/$name"
	else
		# With its whole path, if the compiler knows it.
		$CC -print-file-name="$name" | grep / || {
			echo "libraries.sh: where is $name?" >&2
			exit 1
		}
	fi
done
