"""Configuration as a user meets it: templates, includes, JSON, all errors of
a file with their places, files of other formats, limits; the manual pages."""
import json
import os
import re
import signal
import socket
import subprocess
import tempfile

from harness import (ADIT, ADITD, ROOT, TEMP, TOKEN, Client, Origin, Server,
                     answers, case, check, dial, echo, equal, free_port,
                     free_ports, main, until)


def folder(files):
    path = tempfile.mkdtemp(dir=TEMP)
    for name, text in files.items():
        os.makedirs(os.path.dirname(f"{path}/{name}"), exist_ok=True)
        with open(f"{path}/{name}", "w") as f:
            f.write(text if isinstance(text, str) else json.dumps(text))
    return path


def run(program, text, *args, name="x.yaml", env=None):
    """Exit code, stdout, and the lines of stderr without the folder."""
    path = folder({name: text})
    r = subprocess.run([program, *args, "-c", f"{path}/{name}"], cwd=path,
                       env={**os.environ, **(env or {})},
                       capture_output=True, text=True, timeout=20)
    return r.returncode, r.stdout, r.stderr.replace(path + "/", "")


def lines(text):
    return [line for line in text.splitlines() if line]


@case("all errors of a file: file, line, column, key, found, allowed; exit 2")
def all_errors():
    code, out, err = run(ADITD, "bindPort: 70000\n"
                         "auth:\n"
                         "  method: oidc\n"
                         "  tokn: x\n"
                         "allowPorts:\n"
                         "  - start: 9\n"
                         "    end: 2\n"
                         "log: {level: loud}\n", "verify")
    equal(code, 2, "exit code")
    equal(out, "", "stdout")
    got = lines(err)
    equal([g.split(": ")[0] for g in got],
          ["x.yaml:1:11", "x.yaml:3:11", "x.yaml:4:3", "x.yaml:6:5",
           "x.yaml:8:14"], "places")
    for line, words in zip(got, (["bindPort", '"70000"', "65535"],
                                 ["auth.method", '"oidc"', "token"],
                                 ["auth.tokn", "auth.token"],
                                 ["allowPorts[0]", "start"],
                                 ["log.level", '"loud"', "info"])):
        for word in words:
            check(word in line, f"{word} is not in {line}")


@case("a file of frp's in TOML or INI is recognised and named")
def other_formats():
    for text in ('bindPort = 7000\n', '# frps.toml\n[common]\nbind_port = 1\n',
                 '[auth]\ntoken = "x"\n', 'serverAddr = "{{ .Envs.X }}"\n',
                 '[[proxies]]\nname = "x"\n'):
        for program in (ADITD, ADIT):
            code, _, err = run(program, text, "verify")
            equal(code, 2, f"exit code of {text!r}")
            equal(len(lines(err)), 1, f"lines of {text!r}")
            check("TOML" in err or "INI" in err, err)


@case("JSON is read, and a key that is known but not built is named")
def json_file():
    code, _, err = run(ADIT, json.dumps({
        "serverAddr": "a.test", "auth": {"token": "\u00e9\n"},
        "proxies": [{"name": "x", "type": "tcp", "localPort": 1}]},
        indent=2), "verify", name="x.json")
    equal((code, err), (0, ""), "a good file")
    code, _, err = run(ADIT, json.dumps({
        "proxies": [{"name": "x", "type": "xtcp", "localPort": 1}],
        "transport": {"protocol": "quic"}}, indent=1), "verify")
    equal(code, 2, "exit code")
    check(all("not supported yet" in line for line in lines(err)), err)
    equal(len(lines(err)), 2, "lines")


@case("JSON of a client whose webServer is off, with its address")
def json_address():
    for conf, code in (({"webServer": {"addr": "127.0.0.1"}}, 0),
                       ({"webServer": {"addr": "0.0.0.0", "port": 0}}, 0),
                       ({"webServer": {"addr": "10.0.0.1"}}, 2),
                       ({"webServer": {"port": "0"}}, 2)):
        have, _, err = run(ADIT, json.dumps(conf), "verify", name="x.json")
        equal(have, code, err)
        if conf["webServer"].get("port"):
            check("without quotes" in err, err)


@case("a byte order mark, as editors on Windows write, in any of the files")
def byte_order_mark():
    for program, text in ((ADITD, "auth: {token: x}\nbindPort: 7001\n"),
                          (ADIT, "serverAddr: a.test\nserverPort: 7001\n"),
                          (ADIT, '{"serverAddr": "a.test"}')):
        code, _, err = run(program, "\ufeff" + text, "verify")
        equal((code, err), (0, ""), repr(text))
    path = folder({"users.yaml": "\ufeffusers:\n- name: a\n"
                                 "  frpToken: x\n"})
    os.chmod(f"{path}/users.yaml", 0o600)
    with Server({"usersFile": f"{path}/users.yaml"}) as s:
        check("users: 1 from" in s.log(), s.log())


@case("a proxy whose customDomains is a list of nothing serves nobody")
def no_domains():
    for kind in ("http", "https"):
        proxy = {"name": "x", "type": kind, "localPort": 1,
                 "customDomains": []}
        code, _, err = run(ADIT, json.dumps({"proxies": [proxy]}), "verify")
        equal(code, 2, err)
        check("proxies[0].customDomains: no value" in err, err)
        code, _, err = run(ADIT, json.dumps({"proxies": [
            {**proxy, "subdomain": "a"}]}), "verify")
        equal((code, err), (0, ""), "with a subdomain")


@case("keys with dots, as TOML has them: how they are nested")
def dots():
    code, _, err = run(ADIT, "serverAddr: a.test\nauth.token: x\n"
                       "transport: {tls.enable: true}\nproxies:\n"
                       "- {name: x, type: tcp, localPort: 1, "
                       "transport.useEncryption: true}\n", "verify")
    equal(code, 2, err)
    got = lines(err)
    equal(len(got), 3, err)
    for line, nested in zip(got, ("auth: {token: ...}", "tls: {enable: ...}",
                                  "transport: {useEncryption: ...}")):
        check(line.endswith(nested), line)


@case("subDomainHost is a domain")
def sub_domain_host():
    for text, code in (("tunnel.example.com", 0), ("tunnel.example.com.", 0),
                       ("http://tunnel.example.com", 2), ("*.example.com", 2),
                       ("tunnel.example.com:8380", 2), (".example.com", 2),
                       ("bücher.example", 2), ("tunnel.example.com ", 2)):
        have, _, err = run(ADITD, json.dumps(
            {"auth": {"token": "x"}, "subDomainHost": text}), "verify")
        equal(have, code, f"{text!r}: {err}")
        check(code == 0 or "subDomainHost" in err, err)


# What a file names and aditd cannot do without. The rest of each is good.
UNUSABLE = {
    "usersFile": ({"usersFile": "none.yaml"}, {"usersFile": "."},
                  {"usersFile": "wrong.yaml"}, {"usersFile": "open.yaml"}),
    "custom404Page": ({"custom404Page": "none.html"}, {"custom404Page": "."}),
    "transport.tls": tuple({"transport": {"tls": t}} for t in (
        {"certFile": "none", "keyFile": "none"},
        {"certFile": "wrong.yaml", "keyFile": "wrong.yaml"},
        {"trustedCaFile": "none"}, {"trustedCaFile": "wrong.yaml"})),
}


@case("aditd verify: what a start would be refused for, with the same words")
def unusable():
    path = folder({"wrong.yaml": "users: [{name: A, frpToken: x}]\n",
                   "open.yaml": "users: []\n"})
    os.chmod(f"{path}/wrong.yaml", 0o600)
    for key, confs in UNUSABLE.items():
        for conf in confs:
            with open(f"{path}/x.yaml", "w") as f:
                json.dump({"auth": {"token": "x"}, "bindAddr": "127.0.0.1",
                           "bindPort": free_port(), **conf}, f)
            said = []
            for words in (["verify"], []):
                r = subprocess.run([ADITD, *words, "-c", "x.yaml"], cwd=path,
                                   capture_output=True, text=True, timeout=20)
                equal((r.returncode, r.stdout), (2, ""), f"{conf}: {r.stderr}")
                said.append(r.stderr)
            equal(said[1], said[0], "a start says")
            check(key in said[0] or "wrong.yaml:1:" in said[0], said[0])
            equal(len(lines(said[0])), 1, said[0])
    with open(f"{path}/x.yaml", "w") as f:
        json.dump({"auth": {"token": "x"}, "usersFile": "none.yaml",
                   "custom404Page": "none.html",
                   "transport": {"tls": {"trustedCaFile": "none"}}}, f)
    r = subprocess.run([ADITD, "verify", "-c", "x.yaml"], cwd=path,
                       capture_output=True, text=True, timeout=20)
    equal(len(lines(r.stderr)), 3, r.stderr)


@case("aditd verify: nobody is asked for a secret: a warning, as users may come")
def unguarded():
    home = {"XDG_STATE_HOME": folder({})}
    for conf, word in (({}, "reaches bindAddr 0.0.0.0 could publish"),
                       ({"bindAddr": "127.0.0.1", "proxyBindAddr": "0.0.0.0"},
                        "services at proxyBindAddr 0.0.0.0;"),
                       ({"bindAddr": "127.0.0.1"}, None)):
        code, out, err = run(ADITD, json.dumps(conf), "verify", env=home)
        equal(code, 0, err)
        check("syntax is ok" in out, out)
        equal(len(lines(err)), 1 if word else 0, err)
        if word:
            check(err.startswith("warning: x.yaml:1:1: auth.token: ")
                  and word in err, err)
            code, _, again = run(ADITD, json.dumps(conf), env=home)
            equal((code, "warning: " + again), (2, err), "a start")


@case("1 MiB and 64 levels are the limits; deep nesting costs no time")
def limits():
    for text, word in (("#" * (1 << 20) + "\n", "1 MiB"),
                       ("a: " + "[" * 100 + "]" * 100, "64 levels"),
                       ("a: " + "[" * 500000, "64 levels"),
                       ("{{range parseNumberRange \"1-65536\"}}"
                        "# 0123456789012345\n{{end}}", "1 MiB")):
        code, _, err = run(ADITD, text, "verify")
        equal(code, 2, "exit code")
        check(word in err, err[:200])


TEMPLATE = """serverAddr: {{ .Envs.ADIT_TEST_HOST }}
serverPort: {{ .Envs.ADIT_TEST_PORT }}
auth: {token: "{{ .Envs.ADIT_TEST_TOKEN }}"}
proxies:
{{- range $_, $v := parseNumberRangePair "%d-%d" "%d-%d" }}
- name: tcp-{{ $v.First }}
  type: tcp
  localPort: {{ $v.Second }}
  remotePort: {{ $v.First }}
{{- end }}
"""


@case("templates: environment and port ranges, as in frp's files")
def templates():
    local, remote = free_ports(3), free_ports(3)
    with Server() as s:
        origins = [Origin(echo, port=local + i) for i in range(3)]
        env = {"ADIT_TEST_HOST": "127.0.0.1", "ADIT_TEST_PORT": str(s.port),
               "ADIT_TEST_TOKEN": TOKEN}
        c = Client(s, [], start=False, env=env)
        c.write(TEMPLATE % (remote, remote + 2, local, local + 2))
        with c.start():
            for i in range(3):
                c.wait_log(rf"\[tcp-{remote + i}\] start proxy success")
                with dial(remote + i) as conn:
                    conn.sendall(b"x")
                    equal(conn.recv(1), b"x", "echo")
        for o in origins:
            o.close()


@case("templates: errors have the places of the file")
def template_errors():
    code, _, err = run(ADIT, "# {{/* c */}}\nserverAddr: "
                       "{{ .Envs.ADIT_TEST_NONE }}\n", "verify")
    equal(code, 2, "exit code")
    check(err.startswith("x.yaml:2:13: template: "), err)
    code, _, err = run(ADIT, "proxies:\n"
                       '{{ range parseNumberRange "1-3" }}\n'
                       "- {name: p{{ . }}, type: tcp, localport: {{ . }}}\n"
                       "{{ end }}\n", "verify")
    got = lines(err)
    equal(code, 2, "exit code")
    check(got and all(g.startswith("x.yaml:3:") for g in got), err)


@case("includes: proxies of more files, wildcards, errors of each by its name")
def includes():
    ports = [free_port() for _ in range(3)]
    with Origin(echo) as o, Server() as s:
        proxy = [{"name": f"p{i}", "type": "tcp", "localPort": o.port,
                  "remotePort": p} for i, p in enumerate(ports)]
        path = folder({"conf.d/b.yaml": {"proxies": [proxy[1]]},
                       "conf.d/a.json": {"proxies": [proxy[2]]},
                       "conf.d/other.txt": "not: read"})
        c = Client(s, proxy[:1], {"includes": [f"{path}/conf.d/*.yaml",
                                               f"{path}/conf.d/a.json"]})
        with c:
            for i, port in enumerate(ports):
                c.wait_log(rf"\[p{i}\] start proxy success")
                with dial(port) as conn:
                    conn.sendall(b"x")
                    equal(conn.recv(1), b"x", "echo")
    path = folder({"main.yaml": {"includes": ["./d/*", "none/*.yaml"],
                                 "proxies": [proxy[0]]},
                   "d/1.yaml": {"proxies": [{**proxy[0], "remotePort": 1}]},
                   "d/2.yaml": "proxies:\n- name: q\n  type: tcp\n",
                   "d/3.yaml": "serverPort: 1\n"})
    r = subprocess.run([ADIT, "verify", "-c", "main.yaml"], cwd=path,
                       capture_output=True, text=True, timeout=20)
    equal(r.returncode, 2, "exit code")
    for start in ("main.yaml:1:", "./d/1.yaml:1:", "./d/2.yaml:2:",
                  "./d/3.yaml:1:1: serverPort: unknown key"):
        check(any(g.startswith(start) for g in lines(r.stderr)),
              f"{start} in {r.stderr}")
    equal(len(lines(r.stderr)), 4, r.stderr)


@case("--dump-config: effective values, secrets masked, a file again")
def dump():
    text = {"auth": {"token": "hidden1"}, "user": "me",
            "transport": {"poolCount": 7},
            "proxies": [{"name": "x", "type": "http", "localPort": 1,
                         "subdomain": "s", "annotations": {"k": "v"}}]}
    code, out, err = run(ADIT, text if isinstance(text, str)
                         else json.dumps(text), "--dump-config")
    equal((code, err), (0, ""), "dump")
    check("hidden1" not in out and "poolCount: 7" in out, out)
    code, again, err = run(ADIT, out, "--dump-config")
    equal((code, again), (0, out), "the dump of the dump")
    code, out, _ = run(ADIT, json.dumps({"transport": {
        "proxyURL": "http://hidden3:hidden2@h:1"}}), "--dump-config")
    check(code == 0 and "hidden" not in out and "***@h:1" in out, out)
    equal(run(ADIT, out, "verify")[0], 0, "a dump with a proxy")
    token = folder({"token": "hidden4"}) + "/token"
    for program in (ADITD, ADIT):
        code, out, _ = run(program, json.dumps({"auth": {"tokenSource": {
            "type": "file", "file": {"path": token}}}}), "--dump-config")
        check(code == 0 and "hidden4" not in out, out)
        equal(run(program, out, "verify")[0], 0, "a dump with a token file")


@case("the sample files and the manual pages are good")
def samples():
    for program, name in ((ADITD, "aditd"), (ADIT, "adit")):
        r = subprocess.run([program, "verify", "-c",
                            f"{ROOT}/config/{name}.yaml"],
                           capture_output=True, text=True, timeout=20)
        equal(r.returncode, 0, f"verify {name}.yaml")
        # It has no token yet.
        equal(len(lines(r.stderr)), program is ADITD, r.stderr)
    for page in ("adit.1", "adit.yaml.5", "aditd.8", "aditd.yaml.5"):
        with open(f"{ROOT}/config/man/{page}") as f:
            text = f.read()
        name = re.escape(page.rsplit(".", 1)[0])
        check(re.search(rf"^\.TH {name} \d ", text, re.M), page)
        try:
            r = subprocess.run(["groff", "-man", "-Tutf8", "-ww", "-z"],
                               input=text, capture_output=True, text=True)
        except FileNotFoundError:
            continue
        equal(r.stderr, "", f"groff on {page}")


@case("log.to is a file: what comes before aditd serves is on stderr, too")
def to_a_file():
    path = tempfile.mkdtemp(dir=TEMP) + "/log"
    with socket.create_server(("127.0.0.1", 0)) as taken:
        s = Server({"bindPort": taken.getsockname()[1], "log": {"to": path}},
                   start=False)
        s.expect_exit = 1
        with s:
            s.launch()
            equal(s.process.wait(20), 1, "exit code")
    with open(path) as f:
        log = lines(f.read())
    check(any(" error msg=\"bindPort" in line for line in log), log)
    equal(lines(s.log()), [line for line in log if " error " in line
                           or " warn " in line], "stderr")
    # Later they are in the log only; to the same file they are once.
    for to in (path, "/dev/stdout"):
        s = Server({"auth": {"token": None}, "log": {"to": to}}, start=False)
        with s:
            s.launch()
            until(lambda: answers(s.port), "aditd")
            s.write("bindPort: no number\n")
            s.process.send_signal(signal.SIGHUP)

            def told():
                with open(s.log_path if to != path else path) as f:
                    return re.search("reload: .* is not used", f.read())
            until(told, "the reload")
            equal(s.log().count("auth.token is not set"), 1, s.log())
            equal("is not used" in s.log(), to != path, s.log())


main()
