#!/bin/sh
# Start a sample site, aditd and adit on loopback, and fetch a page through the
# tunnel. On a terminal it keeps running until Ctrl-C; otherwise it ends by
# itself, with 0 when the page came.
set -eu

here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../.." && pwd)
bin=$root/${BUILD:-build}
name=demo.localhost
dir=$(mktemp -d "${TMPDIR:-/tmp}/adit-demo-XXXXXX")
pids=

cleanup() {
	trap - EXIT INT TERM
	for p in $pids; do
		kill "$p" 2>/dev/null && wait "$p" 2>/dev/null || :
	done
	rm -rf "$dir"
}
trap cleanup EXIT
trap 'echo; cleanup; exit 0' INT TERM

# The port asked for, or one that is free when somebody has it.
port() {
	python3 - "$1" <<-'PY'
	import socket, sys
	for port in (int(sys.argv[1]), 0):
	    try:
	        s = socket.socket()
	        s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
	        s.bind(("127.0.0.1", port))
	        print(s.getsockname()[1])
	        break
	    except OSError:
	        pass
	PY
}

fail() {
	echo "demo: $1" >&2
	cat "$dir"/*.log >&2
	exit 1
}

# Wait up to 10 s until the file has the text.
await() {
	i=0
	until grep -q "$2" "$1" 2>/dev/null; do
		i=$((i + 1))
		[ $i -le 100 ] || fail "$3"
		sleep 0.1
	done
}

site=$(port 3000)
link=$(port 7000)
web=$(port 8080)

cat >"$dir/aditd.yaml" <<END
bindAddr: 127.0.0.1
bindPort: $link
vhostHTTPPort: $web
stateDir: $dir/state
END

echo "A sample site, which nobody else can reach:"
echo "  \$ python3 -m http.server $site --bind 127.0.0.1"
python3 -m http.server "$site" --bind 127.0.0.1 \
	--directory "$here/site" >"$dir/site.log" 2>&1 &
pids="$! $pids"

echo "The server, on a machine that visitors can reach:"
echo "  \$ aditd token new me -c aditd.yaml"
"$bin/aditd" token new me -c "$dir/aditd.yaml" >"$dir/token" ||
	fail "no user was made"
(umask 077 && sed -n "s/^join *'\(.*\)'$/\1/p" "$dir/token" >"$dir/join")
sed 's/adit_[A-Za-z0-9_-]*/adit_********/; s/^/      /' "$dir/token"
echo "  \$ aditd -c aditd.yaml"
sed 's/^/      /' "$dir/aditd.yaml"
"$bin/aditd" -c "$dir/aditd.yaml" >"$dir/aditd.log" 2>&1 &
pids="$! $pids"
await "$dir/aditd.log" "started successfully" "aditd did not start"

echo "The client, beside the site:"
echo "  \$ adit http $site --domain $name" \
	"--join '$(sed 's/adit_[A-Za-z0-9_-]*/adit_********/' "$dir/join")'"
"$bin/adit" http "$site" --domain "$name" --join-file "$dir/join" \
	>"$dir/url" 2>"$dir/adit.log" &
pids="$! $pids"
await "$dir/url" "http" "adit got no address"
url=$(cat "$dir/url")
echo "      $url"

echo "A visitor:"
echo "  \$ curl $url/"
# The site may still be starting: curl asks again while it gets no page.
curl -sS --fail --noproxy '*' --max-time 10 --retry 20 --retry-delay 1 \
	--retry-all-errors --resolve "$name:$web:127.0.0.1" \
	-o "$dir/page" "$url/" 2>"$dir/curl.log" || fail "no page came"
sed 's/^/      /' "$dir/page"
cmp -s "$dir/page" "$here/site/index.html" || fail "the page is not the site's"

if [ -t 0 ] && [ -t 1 ]; then
	echo "Open $url in a browser; Ctrl-C ends the demo."
	wait
else
	echo "It works."
fi
