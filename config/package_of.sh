#!/bin/sh
# Print the name of the Debian package that a file is of; 1 if it is of none.
#   usage: package_of.sh FILE
file=$(realpath "$1")
# The folders of /lib are known by the one name or by the other.
line=$(dpkg -S "$file" 2>/dev/null || dpkg -S "${file#/usr}" 2>/dev/null) ||
	exit 1
echo "${line%%[:,]*}"
