#compdef adit
# Written from the tables of the program; see config/README.md.

_adit() {
	local curcontext=$curcontext state line
	local -a here
	typeset -A opt_args
	_arguments -C -S \
		'(-c --config)'{-c+,--config=}'[run with this configuration (YAML or JSON)]:FILE:_files' \
		--join='[the server and its user, as aditd prints them; -: read from standard input; kept for later commands]:STRING: ' \
		--join-file='[the same from a file (or ADIT_JOIN_FILE)]:FILE:_files' \
		'(-s --server)'{-s+,--server=}'[the server, without a join string (default 127.0.0.1:7000)]:HOST\:PORT: ' \
		--token-file='[read the token from this file]:FILE:_files' \
		--token='[the token (others may see it: prefer ADIT_TOKEN)]:TOKEN: ' \
		'*'{-d+,--domain=}'[http, https: serve visitors of this host; may be repeated]:NAME: ' \
		--subdomain='[http, https: serve this name below the server'\''s domain (default: two words)]:NAME: ' \
		'(-r --remote-port)'{-r+,--remote-port=}'[tcp: the public port (default: the server chooses)]:PORT: ' \
		'(-n --name)'{-n+,--name=}'[what the proxy is called (default: made up)]:NAME: ' \
		--requests'[with -c: print each request of the http proxies, and what they add up to]' \
		--no-requests'[http: print the address only, not each request]' \
		--duration='[bench: how long each of the four parts takes (default 3)]:SECONDS: ' \
		--connections='[bench: of the part with many (default 32)]:N: ' \
		--json='[bench: write the numbers there; -: in place of text]:FILE:_files' \
		--dump-config'[print the effective configuration, secrets masked]' \
		'(-h --help)'{-h,--help}'[print this text]' \
		'(-v --version)'{-v,--version}'[print the version]' \
		'*:word:->word' && return
	case "${(j: :)line[1,-2]}" in
	'')
		here=(
			'http:publish a web service on this machine'
			'https:publish one that has certificates of its own'
			'tcp:publish any other service'
			'join:keep a join string for later commands'
			'bench:measure the way through the server'
			'doctor:say what is wrong on the way to the server'
			'verify:only check the configuration'
			'completion:print a script for a shell') ;;
	'doctor')
		here=(
			'http:with this service'
			'https:with this service'
			'tcp:with this service') ;;
	'completion')
		here=(
			'bash:source it in ~/.bashrc'
			'zsh:a file _PROGRAM in $fpath'
			'fish:source it in config.fish') ;;
	esac
	[[ $state == word ]] && _describe -t commands word here
}

if [[ $funcstack[1] == _adit ]]; then
	_adit "$@"
else
	compdef _adit adit
fi
