"""Who has the log's key, and with it any signature but those of sealing keys that are erased.

Writes a log of one segment anew, as docs/audit_log.md has a stranger do it, with whatever
its records are changed to: frames, sequence, tree, commits and checkpoint add up again.
"""
import base64
import hashlib
import re
import struct

from harness.context import expect
from harness.segments import HEAD, MAGIC, frames, sealed

SEAL = re.compile(rb"\x18\x21fsealed\x18\x22\x79")


class Forger:
    def __init__(self, script, key_line: str):
        """script: verify.py as a module, for its arithmetic of Ed25519 and its tree."""
        self.script = script
        self.origin, _, encoded = key_line.removeprefix("PRIVATE+KEY+").split("+", 2)
        self.seed = base64.b64decode(encoded)[1:]

    def _encoded(self, point) -> bytes:
        inverse = pow(point[2], self.script.P - 2, self.script.P)
        x, y = point[0] * inverse % self.script.P, point[1] * inverse % self.script.P
        return (y | (x & 1) << 255).to_bytes(32, "little")

    def signature(self, seed: bytes, message: bytes) -> tuple[bytes, bytes]:
        """(public key, signature), RFC 8032 §5.1.6."""
        script, digest = self.script, hashlib.sha512(seed).digest()
        secret = int.from_bytes(digest[:32], "little") & ((1 << 254) - 8) | (1 << 254)
        public = self._encoded(script.times(secret, script.BASE))
        r = int.from_bytes(hashlib.sha512(digest[32:] + message).digest(), "little") % script.L
        left = self._encoded(script.times(r, script.BASE))
        k = int.from_bytes(hashlib.sha512(left + public + message).digest(), "little") % script.L
        return public, left + ((r + k * secret) % script.L).to_bytes(32, "little")

    def line(self, name: str, seed: bytes, message: bytes) -> str:
        public, signature = self.signature(seed, message)
        key_id = hashlib.sha256(name.encode() + b"\n\x01" + public).digest()[:4]
        return f"— {name} {base64.b64encode(key_id + signature).decode()}\n"

    def note(self, text: str, seal_seed: bytes | None = None) -> bytes:
        out = text + "\n" + self.line(self.origin, self.seed, text.encode())
        if seal_seed is not None:
            out += self.line(self.origin + "/seal", seal_seed, text.encode())
        return out.encode()

    def rewrite(self, log, change) -> None:
        """change: takes the bodies of all record frames, in order, and gives those that there are to be."""
        segments = list(log.glob("segment-*.log"))
        expect(len(segments) == 1, f"{len(segments)} segments")
        header, *rest = frames(segments[0].read_bytes())
        bodies = [frame[HEAD.size:] for frame in rest]
        changed = iter(change([body for body in bodies if body[0] == 0]))
        tree, out, note = self.script.Tree(), [header], b""
        for body in bodies:
            if body[0] == 0:
                body = next(changed)
                tree.append(0, hashlib.sha256(body).digest())
            else:
                note = self.note(f"{self.origin}\n{tree.end}\n{base64.b64encode(tree.root()).decode()}\n")
                body = body[:9] + note
            out.append(sealed(body))
        segments[0].write_bytes(MAGIC + b"".join(out))
        (log / "checkpoint").write_bytes(note)


def seals(bodies) -> list[int]:
    """Where records of seals are that the log did not have before."""
    found, known = [], set()
    for index, body in enumerate(bodies):
        if SEAL.search(body) and seal_of(body) not in known:
            known.add(seal_of(body))
            found.append(index)
    return found


def seal_of(body: bytes) -> bytes:
    at = SEAL.search(body).end()
    return body[at + 2:at + 2 + struct.unpack(">H", body[at:at + 2])[0]]


def with_seal(body: bytes, note: bytes) -> bytes:
    at = SEAL.search(body).end()
    return body[:at] + struct.pack(">H", len(note)) + note + body[at + 2 + len(seal_of(body)):]


def later(body: bytes, seconds: int) -> bytes:
    at = body.index(b"\x01\x1b", 1, 6) + 2  # Behind the map's head: key 1, head of eight bytes.
    time = struct.unpack(">Q", body[at:at + 8])[0] + seconds * 10**9
    return body[:at] + struct.pack(">Q", time) + body[at + 8:]
