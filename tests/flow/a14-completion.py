"""Shell completion: the scripts that the programs print, in the shells."""
import os
import shutil
import subprocess
import tempfile

from harness import ADIT, ADITD, ROOT, TEMP, Skip, case, check, equal, main

# What is typed, and what may follow; None: the names of files.
LINES = {
    "adit": [
        (["ht"], {"http", "https"}),
        (["v"], {"verify"}),
        (["doctor", ""], {"http", "https", "tcp"}),
        (["doctor", "-c", "some.yaml", "t"], {"tcp"}),
        (["-s", "completion", "do"], {"doctor"}),
        (["completion", ""], {"bash", "zsh", "fish"}),
        (["http", "--no"], {"--no-requests"}),
        (["http", "3000", "--domain", ""], set()),
        (["http", "3"], set()),
        (["-c", "so"], None),
        (["doctor", "--config", "so"], None),
    ],
    "aditd": [
        (["tok"], {"token"}),
        (["token", ""], {"new", "list", "renew", "revoke"}),
        (["identity", ""], {"next", "activate"}),
        (["token", "new", ""], set()),
        (["token", "--frpc", "r"], {"renew", "revoke"}),
        (["--du"], {"--dump-config"}),
        (["-c", "so"], None),
    ],
}
FILES = {"some.yaml", "so me.yaml"}


def script(shell, program):
    """The program's own words are those that are installed."""
    binary = {"adit": ADIT, "aditd": ADITD}[program]
    path = os.path.join(ROOT, "config/completion", f"{program}.{shell}")
    said = subprocess.run([binary, "completion", shell], timeout=20,
                          check=True, capture_output=True, text=True).stdout
    with open(path) as f:
        equal(said, f.read(), path)
    return path


def in_shell(shell, text, *args):
    """The lines that a shell prints, beside two files and nothing else."""
    binary = shutil.which(shell)
    if not binary:
        raise Skip(f"{shell} is not here")
    here = tempfile.mkdtemp(prefix=shell + "-", dir=TEMP)
    for name in FILES:
        with open(os.path.join(here, name), "w"):
            pass
    done = subprocess.run([binary, *args, text], cwd=here, timeout=60,
                          check=False, capture_output=True, text=True,
                          env={**os.environ, "HOME": here, "ZDOTDIR": here,
                               "TERM": "dumb"})
    equal(done.stderr, "", shell)
    return done.stdout.splitlines()


def quoted(words):
    return " ".join("'" + w + "'" for w in words)


def follow(shell, ask):
    """Each line in a shell: ask(script, program, words) is what it runs."""
    for program, lines in LINES.items():
        path = script(shell, program)
        for words, want in lines:
            equal(ask(path, program, words),
                  FILES if want is None else want, f"{program} {words}")


@case("bash")
def bash():
    def ask(path, program, words):
        return set(in_shell("bash", f"""
            source {path}
            complete -p {program} >/dev/null || echo not registered
            COMP_WORDS=({program} {quoted(words)}) COMP_CWORD={len(words)}
            _{program}
            [[ ${{#COMPREPLY[@]}} = 0 ]] || printf '%s\\n' "${{COMPREPLY[@]}}"
            """, "--norc", "-c"))
    follow("bash", ask)


@case("bash: a value behind =, of which bash makes three words")
def equals():
    path = script("bash", "adit")
    for words, want in ((["--config", "=", "so"], FILES),
                        (["--config", "="], FILES),
                        (["--server", "=", "x"], set()),
                        (["--server", "=", "x", "bench", ""], set()),
                        (["--server", "=", "x", "be"], {"bench"})):
        got = set(in_shell("bash", f"""
            source {path}
            COMP_WORDS=(adit {quoted(words)}) COMP_CWORD={len(words)}
            _adit
            [[ ${{#COMPREPLY[@]}} = 0 ]] || printf '%s\\n' "${{COMPREPLY[@]}}"
            """, "--norc", "-c"))
        equal(got, want, words)


@case("fish")
def fish():
    def ask(path, program, words):
        line = " ".join([program, *words])
        return {x.split("\t")[0] for x in in_shell(
            "fish", f"source {path}; complete -C '{line}'", "--no-config",
            "-c")}
    follow("fish", ask)


# A zsh in a terminal of its own: what it inserts and lists is not printed as
# words, so that compadd says what it was given.
ZSH = """
zmodload zsh/zpty
zpty z zsh -f -i
w() {{ zpty -w z "$1"; }}
w 'PS1= PS2= RPS1='
w 'autoload -Uz compinit; compinit -u -D'
w 'source {path}'
w 'compadd() {{ [[ ${{@[1,(i)(-|--)]}} == *-(O|A|D)\\ * ]] && {{
    builtin compadd "$@"; return }}; local -a got; builtin compadd -O got "$@"
    for g in $got; do print -r -- "GOT ${{(Q)g}}" >>got; done; }}'
w 'show() {{ _main_complete; : >>done; }}; zle -C show complete-word show'
w 'bindkey "^X" show'
w 'print ready >ready'
while [[ ! -e ready ]]; do zpty -r -t z x || sleep 0.05; done
zpty -w -n z {line}$'\\C-x'
for i in {{1..100}}; do [[ -e done ]] && break; zpty -r -t z x; sleep 0.05; done
[[ -e got ]] && cat got
zpty -d z
:
"""


@case("zsh")
def zsh():
    def ask(path, program, words):
        line = "'" + " ".join([program, *words]).replace("'", "") + "'"
        said = in_shell("zsh", ZSH.format(path=path, line=line), "-f", "-c")
        check(all(x.startswith("GOT ") for x in said), said)
        return {x[4:] for x in said}
    follow("zsh", ask)


main()
