# Written from the tables of the program; see config/README.md.

_aditd() {
	local cur=${COMP_WORDS[COMP_CWORD]} i path= words=
	local prev=${COMP_WORDS[COMP_CWORD - 1]}
	if [[ $cur == = ]]; then
		cur=
	elif [[ $prev == = ]]; then
		prev=${COMP_WORDS[COMP_CWORD - 2]}
	fi
	COMPREPLY=()
	case $prev in
	-c | --config)
		compopt -o filenames 2>/dev/null
		mapfile -t COMPREPLY < <(compgen -f -- "$cur")
		return ;;
	-c | --config) return ;;
	esac
	if [[ $cur == -* ]]; then
		words='--config --dump-config --frpc --help --version'
	else
		for ((i = 1; i < COMP_CWORD; i++)); do
			case ${COMP_WORDS[i]} in
			-c | --config)
				[[ ${COMP_WORDS[i + 1]} == = ]] && ((i++))
				((i++)) ;;
			-*) ;;
			*) path+=${path:+ }${COMP_WORDS[i]} ;;
			esac
		done
		case $path in
		'') words='verify reload token health identity upgrade completion' ;;
		'token') words='new list renew revoke' ;;
		'health') words='ready' ;;
		'identity') words='next activate' ;;
		'completion') words='bash zsh fish' ;;
		esac
	fi
	mapfile -t COMPREPLY < <(compgen -W "$words" -- "$cur")
}
complete -F _aditd aditd
