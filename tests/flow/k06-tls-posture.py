"""What TLS on the control port offers, and nothing more: versions, cipher
suites, groups, and what has been a hole in TLS; by messages made by hand, by
openssl, and by testssl.sh where it is on PATH."""
import json
import os
import shutil
import ssl
import struct
import subprocess

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa

from harness import (TEMP, Server, Skip, case, check, dial, equal, main,
                     read_all)
from tlskit import certificate

# RFC 5289, RFC 7905: ECDHE with AEAD; and those of TLS 1.3 (RFC 8446).
GOOD = {"ecdsa": {0xC02B, 0xC02C, 0xCCA9}, "rsa": {0xC02F, 0xC030, 0xCCA8}}
GOOD_1_3 = {0x1301, 0x1302, 0x1303}
# Every suite that was ever given a number in these ranges, and TLS 1.3's.
ALL = [*range(0x0001, 0x0100), *range(0x1300, 0x1308),
       *range(0xC001, 0xC100), *range(0xCC13, 0xCC16), *range(0xCCA8, 0xCCAF),
       *range(0xD001, 0xD006)]
FALLBACK = 0x5600  # RFC 7507
SIGNATURES = [0x0403, 0x0804, 0x0401, 0x0503, 0x0805, 0x0501, 0x0806, 0x0601]
GROUPS = [29, 23, 24]

PROTOCOL_VERSION, HANDSHAKE_FAILURE, FALLBACK_ALERT = 70, 40, 86


def vector(data, size):
    return len(data).to_bytes(size, "big") + data


def numbers(values):
    return b"".join(v.to_bytes(2, "big") for v in values)


def hello(version, suites, groups=GROUPS, signatures=SIGNATURES,
          compression=b"\0", offered=(), more=b""):
    """A ClientHello; `offered` are its versions by extension (RFC 8446)."""
    def extension(number, data):
        return number.to_bytes(2, "big") + vector(data, 2)
    extensions = (extension(10, vector(numbers(groups), 2))
                  + extension(11, b"\1\0")
                  + extension(13, vector(numbers(signatures), 2)) + more)
    if offered:
        public = ec.generate_private_key(ec.SECP256R1()).public_key()
        point = public.public_bytes(
            serialization.Encoding.X962,
            serialization.PublicFormat.UncompressedPoint)
        extensions += (extension(43, vector(numbers(offered), 1))
                       + extension(51, vector(numbers([23])
                                              + vector(point, 2), 2)))
    body = (version.to_bytes(2, "big") + os.urandom(32) + vector(b"", 1)
            + vector(numbers(suites), 2) + vector(compression, 1)
            + vector(extensions, 2))
    return (b"\x16" + min(version, 0x0301).to_bytes(2, "big")
            + vector(b"\1" + vector(body, 3), 2))


def answer(port, data):
    """What comes of it: ("hello", version, suite, compression, extensions),
    ("alert", number), or ("end",)."""
    with dial(port, timeout=10) as s:
        s.sendall(data)
        got = b""
        try:
            while len(got) < 5 or len(got) < 5 + int.from_bytes(got[3:5],
                                                                "big"):
                more = s.recv(65536)
                if not more:
                    return ("end",)
                got += more
        except ConnectionError:
            return ("end",)
    if got[0] == 21:
        return "alert", got[6]
    check(got[0] == 22 and got[5] == 2, got[:6])
    at = 9
    version = int.from_bytes(got[at:at + 2], "big")
    at += 34
    at += 1 + got[at]
    suite, compression = struct.unpack(">HB", got[at:at + 3])
    rest = got[at + 5:at + 5 + int.from_bytes(got[at + 3:at + 5], "big")]
    extensions = {}
    while rest:
        number, size = struct.unpack(">HH", rest[:4])
        extensions[number], rest = rest[4:4 + size], rest[4 + size:]
    if 43 in extensions:
        version = int.from_bytes(extensions[43], "big")
    return "hello", version, suite, compression, extensions


def server(kind="ecdsa"):
    """aditd with a certificate of that kind of key."""
    key = rsa.generate_private_key(65537, 2048) if kind == "rsa" else None
    cert, path = certificate("a.test", key=key)
    s = Server({"transport": {"tls": {"certFile": cert, "keyFile": path}}})
    s.certificate = cert
    return s


@case("versions: 1.2 and 1.3, none before")
def versions():
    with server() as s:
        suites = [*GOOD["ecdsa"], 0xC009, 0xC00A, 0x002F, 0x0035]
        for version in (0x0300, 0x0301, 0x0302):
            kind, number = answer(s.port, hello(version, suites))
            equal((kind, number), ("alert", PROTOCOL_VERSION), hex(version))
        equal(answer(s.port, hello(0x0303, suites))[:2], ("hello", 0x0303))
        equal(answer(s.port, hello(0x0303, [0x1301], offered=[0x0304]))[:3],
              ("hello", 0x0304, 0x1301))
        equal(answer(s.port, hello(0x0303, suites, offered=[0x0302, 0x0301])),
              ("alert", PROTOCOL_VERSION))
        # SSL 2.0's hello, with which servers once began to talk of 3.0.
        v2 = b"\1\3\1" + struct.pack(">HHH", 6, 0, 16) + bytes([
            1, 0, 0x80, 7, 0, 0xC0]) + os.urandom(16)
        equal(answer(s.port, (0x8000 | len(v2)).to_bytes(2, "big") + v2),
              ("end",), "SSL 2.0")
        # Behind frp's own first byte it is the same.
        with dial(s.port) as conn:
            conn.sendall(b"\x17" + hello(0x0301, suites))
            equal(conn.recv(100)[5:7], bytes([2, PROTOCOL_VERSION]))


@case("cipher suites: ECDHE with AEAD, and nothing else that has a number")
def suites():
    for kind in ("ecdsa", "rsa"):
        with server(kind) as s:
            taken = {n for n in ALL
                     if answer(s.port, hello(0x0303, [n]))[0] == "hello"}
            equal(taken, GOOD[kind], f"TLS 1.2, {kind}")
            taken = {n for n in ALL if n >> 8 == 0x13 and answer(
                s.port, hello(0x0303, [n], offered=[0x0304]))[0] == "hello"}
            equal(taken, GOOD_1_3, f"TLS 1.3, {kind}")


@case("groups and signatures: no small curves, no DHE, no MD5")
def groups():
    with server() as s:
        suite = [0xC02B]
        for group in (*range(1, 23), 25, 26, 27, 28, *range(256, 261)):
            kind = answer(s.port, hello(0x0303, suite, groups=[group]))[0]
            equal(kind, "alert", f"group {group}")
        for group in GROUPS:
            kind = answer(s.port, hello(0x0303, suite, groups=[group]))[0]
            check(kind == "hello" or group == 24, f"group {group}")
    # MD5, SHA-1, DSA; what is signed comes behind the certificate.
    for kind, suite in (("ecdsa", 0xC02B), ("rsa", 0xC02F)):
        with server(kind) as s:
            for signature in (0x0101, 0x0103, 0x0201, 0x0202, 0x0203, 0x0402):
                with dial(s.port) as conn:
                    conn.sendall(hello(0x0303, [suite],
                                       signatures=[signature]))
                    got = read_all(conn)
                equal(got[-7:-2], b"\x15\3\3\0\2", hex(signature))
                equal(got[-1], HANDSHAKE_FAILURE, hex(signature))


@case("what has been a hole: compression, fallback, heartbeats")
def holes():
    with server() as s:
        good = [*GOOD["ecdsa"]]
        got = answer(s.port, hello(0x0303, good, compression=b"\1\0"))
        equal((got[0], got[3]), ("hello", 0), "compression (CRIME)")
        equal(answer(s.port, hello(0x0303, good, compression=b"\1"))[0],
              "alert", "compression alone")
        equal(answer(s.port, hello(0x0303, [*good, FALLBACK])),
              ("alert", FALLBACK_ALERT), "a fallback to 1.2")
        more = b"\0\x0f\0\1\1\0\x17\0\0\xff\1\0\1\0\0\x16\0\0"
        got = answer(s.port, hello(0x0303, good, more=more))
        check(15 not in got[4], "heartbeat (Heartbleed)")
        check(0xFF01 in got[4], "secure renegotiation is known (RFC 5746)")
        check(0x17 in got[4], "extended master secret (RFC 7627)")


@case("renegotiation is refused, by openssl")
def renegotiation():
    if not shutil.which("openssl"):
        raise Skip("openssl is not here")
    with server() as s:
        said = subprocess.run(
            ["openssl", "s_client", "-tls1_2", "-connect",
             f"127.0.0.1:{s.port}"], input="R\n", text=True, timeout=20,
            check=False, capture_output=True, errors="replace")
        out = said.stdout + said.stderr
        check("RENEGOTIATING" in out and "Secure Renegotiation IS supported"
              in out, out)
        check(said.returncode != 0 and "no renegotiation" in out, out[-500:])


@case("the certificate that aditd makes: name, key, signature")
def certificates():
    with Server() as s:
        path = os.path.join(s.dir, "aditd", "frp.crt")
        with open(path, "rb") as f:
            made = x509.load_pem_x509_certificate(f.read())
        check(isinstance(made.public_key(), ec.EllipticCurvePublicKey), "EC")
        check(made.public_key().key_size >= 256, "256 bits")
        check(isinstance(made.signature_hash_algorithm, hashes.SHA256), "hash")
        trust = ssl.create_default_context(cafile=path)
        for version in (ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3):
            trust.minimum_version = trust.maximum_version = version
            for name in ("localhost", "127.0.0.1"):
                with trust.wrap_socket(dial(s.port), server_hostname=name):
                    pass
            try:
                trust.wrap_socket(dial(s.port), server_hostname="other.test")
                check(False, "another name")
            except ssl.SSLCertVerificationError:
                pass
    with server() as s:
        trust = ssl.create_default_context(cafile=s.certificate)
        with trust.wrap_socket(dial(s.port), server_hostname="a.test") as t:
            equal(t.version(), "TLSv1.3")


@case("adit/1 is TLS 1.3 only, without tickets for early data")
def identity():
    c = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    c.check_hostname, c.verify_mode = False, ssl.CERT_NONE
    c.set_alpn_protocols(["adit/1"])
    with Server() as s:
        with c.wrap_socket(dial(s.port)) as t:
            equal((t.version(), t.selected_alpn_protocol()),
                  ("TLSv1.3", "adit/1"))
        c.maximum_version = ssl.TLSVersion.TLSv1_2
        try:
            c.wrap_socket(dial(s.port))
            check(False, "TLS 1.2 under adit/1")
        except (ssl.SSLError, ConnectionError):
            pass


# What testssl.sh finds that is no fault here: the authority and the target are
# the test's, its openssl the machine's, and the library has no ML-KEM.
EXPECTED = ("cert", "cmdline", "engine", "service", "FS_KEMs")


@case("testssl.sh: protocols, ciphers, and every vulnerability it knows", 600)
def testssl():
    program = shutil.which("testssl.sh") or shutil.which("testssl")
    if not program:
        raise Skip("testssl.sh is not on PATH")
    out = os.path.join(TEMP, "testssl.json")
    with server() as s:
        done = subprocess.run(
            [program, "--quiet", "--color", "0", "--warnings", "off",
             "--nodns", "none", "--add-ca", s.certificate, "--jsonfile", out,
             "-p", "-s", "-f", "-U", f"127.0.0.1:{s.port}"],
            stdin=subprocess.DEVNULL, timeout=580, check=False,
            capture_output=True, text=True, errors="replace")
        check(os.path.exists(out), done.stdout[-1000:] + done.stderr[-1000:])
        with open(out) as f:
            found = json.load(f)
        check(len(found) > 30, f"{len(found)} findings")
        bad = [x for x in found if not x["id"].startswith(EXPECTED)
               and x["severity"] not in ("OK", "INFO")]
        equal(bad, [], "findings")


main()
