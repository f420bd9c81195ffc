# Written from the tables of the program; see config/README.md.

function __adit_after
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
			case -c --config --join --join-file -s --server --token-file --token -d --domain --subdomain -r --remote-port -n --name --duration --connections --json
				set skip 1
			case '-*'
			case '*'
				set -a path $t
		end
	end
	test "$path" = "$argv[1]"
end

complete -c adit -f
complete -c adit -s c -l config -r -F -d 'run with this configuration (YAML or JSON)'
complete -c adit -l join -x -d 'the server and its user, as aditd prints them; -: read from standard input; kept for later commands'
complete -c adit -l join-file -r -F -d 'the same from a file (or ADIT_JOIN_FILE)'
complete -c adit -s s -l server -x -d 'the server, without a join string (default 127.0.0.1:7000)'
complete -c adit -l token-file -r -F -d 'read the token from this file'
complete -c adit -l token -x -d 'the token (others may see it: prefer ADIT_TOKEN)'
complete -c adit -s d -l domain -x -d 'http, https: serve visitors of this host; may be repeated'
complete -c adit -l subdomain -x -d 'http, https: serve this name below the server'\''s domain (default: two words)'
complete -c adit -s r -l remote-port -x -d 'tcp: the public port (default: the server chooses)'
complete -c adit -s n -l name -x -d 'what the proxy is called (default: made up)'
complete -c adit -l requests -d 'with -c: print each request of the http proxies, and what they add up to'
complete -c adit -l no-requests -d 'http: print the address only, not each request'
complete -c adit -l duration -x -d 'bench: how long each of the four parts takes (default 3)'
complete -c adit -l connections -x -d 'bench: of the part with many (default 32)'
complete -c adit -l json -r -F -d 'bench: write the numbers there; -: in place of text'
complete -c adit -l dump-config -d 'print the effective configuration, secrets masked'
complete -c adit -s h -l help -d 'print this text'
complete -c adit -s v -l version -d 'print the version'
complete -c adit -n "__adit_after ''" -a http -d 'publish a web service on this machine'
complete -c adit -n "__adit_after ''" -a https -d 'publish one that has certificates of its own'
complete -c adit -n "__adit_after ''" -a tcp -d 'publish any other service'
complete -c adit -n "__adit_after ''" -a join -d 'keep a join string for later commands'
complete -c adit -n "__adit_after ''" -a bench -d 'measure the way through the server'
complete -c adit -n "__adit_after ''" -a doctor -d 'say what is wrong on the way to the server'
complete -c adit -n "__adit_after ''" -a verify -d 'only check the configuration'
complete -c adit -n "__adit_after 'doctor'" -a http -d 'with this service'
complete -c adit -n "__adit_after 'doctor'" -a https -d 'with this service'
complete -c adit -n "__adit_after 'doctor'" -a tcp -d 'with this service'
complete -c adit -n "__adit_after ''" -a completion -d 'print a script for a shell'
complete -c adit -n "__adit_after 'completion'" -a bash -d 'source it in ~/.bashrc'
complete -c adit -n "__adit_after 'completion'" -a zsh -d 'a file _PROGRAM in $fpath'
complete -c adit -n "__adit_after 'completion'" -a fish -d 'source it in config.fish'
