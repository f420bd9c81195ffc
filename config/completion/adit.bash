# Written from the tables of the program; see config/README.md.

_adit() {
	local cur=${COMP_WORDS[COMP_CWORD]} i path= words=
	local prev=${COMP_WORDS[COMP_CWORD - 1]}
	if [[ $cur == = ]]; then
		cur=
	elif [[ $prev == = ]]; then
		prev=${COMP_WORDS[COMP_CWORD - 2]}
	fi
	COMPREPLY=()
	case $prev in
	-c | --config | --join-file | --token-file | --json)
		compopt -o filenames 2>/dev/null
		mapfile -t COMPREPLY < <(compgen -f -- "$cur")
		return ;;
	-c | --config | --join | --join-file | -s | --server | --token-file | --token | -d | --domain | --subdomain | -r | --remote-port | -n | --name | --duration | --connections | --json) return ;;
	esac
	if [[ $cur == -* ]]; then
		words='--config --join --join-file --server --token-file --token --domain --subdomain --remote-port --name --requests --no-requests --duration --connections --json --dump-config --help --version'
	else
		for ((i = 1; i < COMP_CWORD; i++)); do
			case ${COMP_WORDS[i]} in
			-c | --config | --join | --join-file | -s | --server | --token-file | --token | -d | --domain | --subdomain | -r | --remote-port | -n | --name | --duration | --connections | --json)
				[[ ${COMP_WORDS[i + 1]} == = ]] && ((i++))
				((i++)) ;;
			-*) ;;
			*) path+=${path:+ }${COMP_WORDS[i]} ;;
			esac
		done
		case $path in
		'') words='http https tcp join bench doctor verify completion' ;;
		'doctor') words='http https tcp' ;;
		'completion') words='bash zsh fish' ;;
		esac
	fi
	mapfile -t COMPREPLY < <(compgen -W "$words" -- "$cur")
}
complete -F _adit adit
