#compdef aditd
# Written from the tables of the program; see config/README.md.

_aditd() {
	local curcontext=$curcontext state line
	local -a here
	typeset -A opt_args
	_arguments -C -S \
		'(-c --config)'{-c+,--config=}'[run with this configuration (YAML or JSON)]:FILE:_files' \
		--dump-config'[with -c: print the effective configuration, secrets masked]' \
		--frpc'[token new, renew: make a secret for its frpc, too]' \
		'(-h --help)'{-h,--help}'[print this text]' \
		'(-v --version)'{-v,--version}'[print the version]' \
		'*:word:->word' && return
	case "${(j: :)line[1,-2]}" in
	'')
		here=(
			'verify:only check the configuration'
			'reload:have aditd read its configuration again'
			'token:make, list, renew or take out users'
			'health:ask the aditd that runs how it is'
			'identity:by what adit knows this server'
			'upgrade:take over from the aditd that runs'
			'completion:print a script for a shell') ;;
	'token')
		here=(
			'new:make a user, and show its token'
			'list:who there is'
			'renew:give a user another token'
			'revoke:take a user out') ;;
	'health')
		here=(
			'ready:whether it takes visitors, too') ;;
	'identity')
		here=(
			'next:make the key that comes after'
			'activate:put that key in place') ;;
	'completion')
		here=(
			'bash:source it in ~/.bashrc'
			'zsh:a file _PROGRAM in $fpath'
			'fish:source it in config.fish') ;;
	esac
	[[ $state == word ]] && _describe -t commands word here
}

if [[ $funcstack[1] == _aditd ]]; then
	_aditd "$@"
else
	compdef _aditd aditd
fi
