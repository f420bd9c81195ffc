"""Snappy's framing format, written from its description: no library is used.

`Packer` compresses with a plain greedy search, `Unpacker` reads any stream.
Run as a program it prints vectors for tests/unit/test_snappy.c.
"""
import struct

IDENTIFIER = b"\xff\x06\x00\x00sNaPpY"
BLOCK = 65536


def _table():
    rows = []
    for byte in range(256):
        c = byte
        for _ in range(8):
            c = c >> 1 ^ (0x82F63B78 if c & 1 else 0)
        rows.append(c)
    return rows


TABLE = _table()


def crc32c(data):
    c = 0xFFFFFFFF
    for byte in data:
        c = c >> 8 ^ TABLE[(c ^ byte) & 0xFF]
    return c ^ 0xFFFFFFFF


def masked(data):
    c = crc32c(data)
    return ((c >> 15 | c << 17) + 0xA282EAD8) & 0xFFFFFFFF


def varint(n):
    out = b""
    while n > 127:
        out += bytes([n & 127 | 128])
        n >>= 7
    return out + bytes([n])


def literal(data):
    n = len(data) - 1
    if n < 0:
        return b""
    if n < 60:
        return bytes([n << 2]) + data
    if n < 256:
        return bytes([60 << 2, n]) + data
    return bytes([61 << 2]) + struct.pack("<H", n) + data


def copy(offset, length):
    """Copies of at most 64 bytes, in the shortest of the three forms."""
    out = b""
    while length > 0:
        n = min(length, 64)
        if 4 <= n <= 11 and offset < 2048:
            out += bytes([1 | n - 4 << 2 | offset >> 8 << 5, offset & 255])
        elif offset < 65536:
            out += bytes([2 | n - 1 << 2]) + struct.pack("<H", offset)
        else:
            out += bytes([3 | n - 1 << 2]) + struct.pack("<I", offset)
        length -= n
    return out


def pack(block):
    """One block, compressed."""
    out, seen, start, at = varint(len(block)), {}, 0, 0
    while at + 4 <= len(block):
        word = block[at:at + 4]
        before = seen.get(word)
        seen[word] = at
        if before is None:
            at += 1
            continue
        n = 4
        while at + n < len(block) and block[before + n] == block[at + n]:
            n += 1
        out += literal(block[start:at]) + copy(at - before, n)
        at += n
        start = at
    return out + literal(block[start:])


def unpack(data):
    """One block, as it was. ValueError: it is broken."""
    size = shift = at = 0
    while True:
        byte = data[at]
        size |= (byte & 127) << shift
        at, shift = at + 1, shift + 7
        if byte < 128:
            break
    out = bytearray()
    while at < len(data):
        tag = data[at]
        at += 1
        kind, n = tag & 3, tag >> 2
        if kind == 0:
            if n >= 60:
                more = n - 59
                n = int.from_bytes(data[at:at + more], "little")
                at += more
            out += data[at:at + n + 1]
            at += n + 1
            continue
        if kind == 1:
            n, offset = (n & 7) + 4, tag >> 5 << 8 | data[at]
            at += 1
        else:
            width = 2 if kind == 2 else 4
            n, offset = n + 1, int.from_bytes(data[at:at + width], "little")
            at += width
        if not 0 < offset <= len(out):
            raise ValueError("a copy from nowhere")
        for _ in range(n):
            out.append(out[-offset])
    if len(out) != size:
        raise ValueError("another size than said")
    return bytes(out)


def chunk(kind, body):
    return bytes([kind]) + struct.pack("<I", len(body))[:3] + body


class Packer:
    """What is written becomes whole chunks, the identifier before the first."""

    def __init__(self):
        self.begun = False

    def write(self, data):
        out = b"" if self.begun or not data else IDENTIFIER
        self.begun |= bool(data)
        for at in range(0, len(data), BLOCK):
            block = data[at:at + BLOCK]
            crc, packed = struct.pack("<I", masked(block)), pack(block)
            if len(packed) >= len(block) - len(block) // 8:
                out += chunk(1, crc + block)
            else:
                out += chunk(0, crc + packed)
        return out


class Unpacker:
    """Bytes in any pieces to what they were. ValueError: they are broken."""

    def __init__(self):
        self.rest, self.begun, self.kinds = b"", False, []

    def read(self, data):
        self.rest += data
        out = b""
        while len(self.rest) >= 4:
            kind = self.rest[0]
            n = int.from_bytes(self.rest[1:4], "little")
            if len(self.rest) < 4 + n:
                break
            body, self.rest = self.rest[4:4 + n], self.rest[4 + n:]
            self.kinds.append(kind)
            out += self.open(kind, body)
        return out

    def open(self, kind, body):
        if kind == 0xFF:
            if body != IDENTIFIER[4:]:
                raise ValueError("not the framing format")
            self.begun = True
            return b""
        if not self.begun:
            raise ValueError("no identifier")
        if kind >= 0x80:
            return b""
        if kind > 1:
            raise ValueError(f"chunk of kind {kind:#x}")
        block = unpack(body[4:]) if kind == 0 else body[4:]
        if len(block) > BLOCK:
            raise ValueError("chunk too large")
        if struct.pack("<I", masked(block)) != body[:4]:
            raise ValueError("wrong CRC")
        return block


if __name__ == "__main__":
    for plain in (b"hello", b"a" * 300, b"abcd" * 20 + b"xyz" + b"abcd" * 4,
                  bytes(range(128)) + b"-" + bytes(range(128))):
        wire = Packer().write(plain)
        assert Unpacker().read(wire) == plain
        print(plain.hex(), wire.hex())
