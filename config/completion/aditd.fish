# Written from the tables of the program; see config/README.md.

function __aditd_after
	set -l path
	set -l skip 0
	set -l tokens (commandline -opc)
	set -e tokens[1]
	for t in $tokens
		if test $skip = 1
			set skip 0
			continue
		end
		switch $t
			case -c --config
				set skip 1
			case '-*'
			case '*'
				set -a path $t
		end
	end
	test "$path" = "$argv[1]"
end

complete -c aditd -f
complete -c aditd -s c -l config -r -F -d 'run with this configuration (YAML or JSON)'
complete -c aditd -l dump-config -d 'with -c: print the effective configuration, secrets masked'
complete -c aditd -l frpc -d 'token new, renew: make a secret for its frpc, too'
complete -c aditd -s h -l help -d 'print this text'
complete -c aditd -s v -l version -d 'print the version'
complete -c aditd -n "__aditd_after ''" -a verify -d 'only check the configuration'
complete -c aditd -n "__aditd_after ''" -a reload -d 'have aditd read its configuration again'
complete -c aditd -n "__aditd_after ''" -a token -d 'make, list, renew or take out users'
complete -c aditd -n "__aditd_after 'token'" -a new -d 'make a user, and show its token'
complete -c aditd -n "__aditd_after 'token'" -a list -d 'who there is'
complete -c aditd -n "__aditd_after 'token'" -a renew -d 'give a user another token'
complete -c aditd -n "__aditd_after 'token'" -a revoke -d 'take a user out'
complete -c aditd -n "__aditd_after ''" -a health -d 'ask the aditd that runs how it is'
complete -c aditd -n "__aditd_after 'health'" -a ready -d 'whether it takes visitors, too'
complete -c aditd -n "__aditd_after ''" -a identity -d 'by what adit knows this server'
complete -c aditd -n "__aditd_after 'identity'" -a next -d 'make the key that comes after'
complete -c aditd -n "__aditd_after 'identity'" -a activate -d 'put that key in place'
complete -c aditd -n "__aditd_after ''" -a upgrade -d 'take over from the aditd that runs'
complete -c aditd -n "__aditd_after ''" -a completion -d 'print a script for a shell'
complete -c aditd -n "__aditd_after 'completion'" -a bash -d 'source it in ~/.bashrc'
complete -c aditd -n "__aditd_after 'completion'" -a zsh -d 'a file _PROGRAM in $fpath'
complete -c aditd -n "__aditd_after 'completion'" -a fish -d 'source it in config.fish'
