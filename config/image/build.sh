#!/bin/sh
# The image: build.sh BUILD DIR NAME, with podman, buildah or docker, whichever
# is there first, or $ENGINE; nothing is pulled. The context is left in DIR.
set -eu

build=$1 dir=$2 name=$3
here=$(dirname "$0")

if [ -z "${ENGINE:-}" ]; then
	for e in podman buildah docker; do
		if command -v $e >/dev/null 2>&1; then
			ENGINE=$e
			break
		fi
	done
fi
if [ -z "${ENGINE:-}" ]; then
	echo "none of podman, buildah and docker is here" >&2
	exit 1
fi

mkdir -p "$dir"
"$here/root.sh" "$build" "$dir"
# The last stage, out of this context in place of the stage before.
sed -n '/^FROM scratch/,$p' "$here/../Dockerfile" |
	sed 's|--from=build ||; s|/image/|/|' >"$dir/Dockerfile"

# Images as OCI has them know no HEALTHCHECK.
set --
case ${ENGINE%% *} in
*podman | *buildah) set -- --format docker ;;
esac
# shellcheck disable=SC2086 # a command, and perhaps its options
$ENGINE build "$@" -t "$name" -f "$dir/Dockerfile" "$dir"
