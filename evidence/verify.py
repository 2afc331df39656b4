#!/usr/bin/env python3
"""Checks an evidence package of a Sluice gateway. Python's standard library is all it needs.

    python3 verify.py PACKAGE.zip [KEY [WITNESS | CHECKPOINT]...]

KEY is the log's verifier line as you know it from elsewhere; without it the package
is only shown to be consistent with itself. WITNESS is the line of a witness who must
have seen the log. CHECKPOINT is a file with a checkpoint that you kept, which the log
must continue. Exit code 0: verified; 4: not.
"""
import base64
import datetime
import hashlib
import json
import re
import sys
import zipfile

# Ed25519, RFC 8032 §5.1.
P = 2**255 - 19
L = 2**252 + 27742317777372353535851937790883648493
D = -121665 * pow(121666, P - 2, P) % P


class Fault(Exception):
    pass


def expect(condition, what):
    if not condition:
        raise Fault(what)


def point(encoded):
    """(X, Y, Z, T) of an encoded point."""
    y = int.from_bytes(encoded, "little")
    sign, y = y >> 255, y & (2**255 - 1)
    expect(y < P, "a point is none")
    x2 = (y * y - 1) * pow(D * y * y + 1, P - 2, P) % P
    x = pow(x2, (P + 3) // 8, P)
    if (x * x - x2) % P:
        x = x * pow(2, (P - 1) // 4, P) % P
    expect((x * x - x2) % P == 0 and not (x == 0 and sign), "a point is none")
    if x & 1 != sign:
        x = P - x
    return x, y, 1, x * y % P


def add(p, q):
    a, b = (p[1] - p[0]) * (q[1] - q[0]) % P, (p[1] + p[0]) * (q[1] + q[0]) % P
    c, d = 2 * p[3] * q[3] * D % P, 2 * p[2] * q[2] % P
    e, f, g, h = b - a, d - c, d + c, b + a
    return e * f % P, g * h % P, f * g % P, e * h % P


def times(n, p):
    q = (0, 1, 1, 0)
    while n:
        if n & 1:
            q = add(q, p)
        p, n = add(p, p), n >> 1
    return q


BASE = point(bytes([0x58]) + bytes([0x66] * 31))


def check_signature(key, message, signature, what):
    s = int.from_bytes(signature[32:], "little")
    expect(len(signature) == 64 and s < L, what)
    k = int.from_bytes(hashlib.sha512(signature[:32] + key + message).digest(), "little") % L
    left, right = times(s, BASE), add(point(signature[:32]), times(k, point(key)))
    expect((left[0] * right[2] - right[0] * left[2]) % P == 0 and
           (left[1] * right[2] - right[1] * left[2]) % P == 0, what)


def key_of(line, kind=1):
    """(name, public key) of a verifier line, which is that of signed notes. Witnesses' keys are of kind 4."""
    name, key_id, encoded = line.split("+", 2)
    tagged = base64.b64decode(encoded, validate=True)
    expect(len(tagged) == 33 and tagged[0] == kind, "the key is no Ed25519 key of its kind")
    expect(hashlib.sha256(name.encode() + b"\n" + tagged).digest()[:4].hex() == key_id,
           "the key's id does not belong to it")
    return name, tagged[1:]


# The manifest's signature: OpenSSH, PROTOCOL.sshsig.

def ssh_string(content):
    return len(content).to_bytes(4, "big") + content


def check_ssh(key, message, armored):
    lines = armored.decode().split("\n")
    expect(lines[0] == "-----BEGIN SSH SIGNATURE-----" and lines[-2:] == ["-----END SSH SIGNATURE-----", ""],
           "the manifest's signature is none")
    blob = base64.b64decode("".join(lines[1:-2]), validate=True)
    purpose = ssh_string(b"sluice-evidence") + ssh_string(b"") + ssh_string(b"sha256")
    head = b"SSHSIG" + bytes([0, 0, 0, 1]) + ssh_string(ssh_string(b"ssh-ed25519") + ssh_string(key)) + purpose
    signature = blob[-64:]
    expect(blob == head + ssh_string(ssh_string(b"ssh-ed25519") + ssh_string(signature)),
           "the manifest's signature is of another key, or for another purpose")
    check_signature(key, b"SSHSIG" + purpose + ssh_string(hashlib.sha256(message).digest()), signature,
                    "the manifest was changed")


def check_checkpoint(note, origin, key, size, root):
    """A C2SP checkpoint in a signed note."""
    text, _, lines = note.decode().partition("\n\n")
    expect(lines.startswith(f"— {origin} ") and lines.count("\n") == 1, "the checkpoint has another signer")
    signature = base64.b64decode(lines[:-1].split(" ")[2], validate=True)
    expect(len(signature) == 68, "the checkpoint was changed")
    check_signature(key, text.encode() + b"\n", signature[4:], "the checkpoint was changed")
    expect(text == f"{origin}\n{size}\n{base64.b64encode(root).decode()}",
           "the checkpoint signs another state of the log than the package shows")


class Timestamps:
    """Checkpoints that a time-stamp authority saw. Whose word its is, `openssl ts -verify` says."""

    def __init__(self, files, manifest, origin, key):
        self.files, self.origin, self.key = files, origin, key
        self.left = list(manifest["timestamps"])

    def look(self, tree):
        if self.left and self.left[0]["log_records"] == tree.end:
            self.check(self.left.pop(0), tree)

    def check(self, stamped, tree):
        name = f"timestamps/{stamped['log_records']:020}"
        note, response = self.files[name + ".checkpoint"], self.files[name + ".tsr"]
        check_checkpoint(note, self.origin, self.key, tree.end, tree.root())
        expect(hashlib.sha256(note).digest() in response, "a timestamp is about something else")

    def finish(self, tree):
        """One behind the range is of a tree that continues it."""
        for stamped in self.left:
            expect(stamped is self.left[-1], "the timestamps do not fit the range")
            self.check(stamped, longer(tree, stamped))


def is_quorum(policy, keys):
    """Whether these witnesses are enough: C2SP tlog-policy."""
    satisfied = {"none"}
    for kind, name, *words in (words for words in policy if len(words) > 1):
        if kind == "witness" and words[0] in keys:
            satisfied.add(name)
        if kind == "group":
            threshold, members = {"any": 1, "all": len(words) - 1}.get(words[0]), words[1:]
            if len(satisfied & set(members)) >= (threshold or int(words[0])):
                satisfied.add(name)
    return any(words[0] == "quorum" and words[1] in satisfied for words in policy if words)


class Cosigned:
    """What witnesses saw: cosignature/v1 of C2SP, on a checkpoint within the range or behind it."""

    def __init__(self, files, manifest, origin, key, wanted):
        self.files, self.origin, self.key, self.wanted = files, origin, key, wanted
        self.seen, self.names = manifest["cosigned"], []
        expect(self.seen or not wanted, "no witness saw any of the range")

    def look(self, tree):
        if self.seen and self.seen["log_records"] == tree.end:
            self.check(tree)

    def check(self, tree):
        text, _, rest = self.files["cosigned"].decode().partition("\n\n")
        own, *lines = rest[:-1].split("\n")
        check_checkpoint(f"{text}\n\n{own}\n".encode(), self.origin, self.key, tree.end, tree.root())
        policy = [line.split() for line in self.files["witness_policy"].decode().split("\n")]
        keys = {words[2] for words in policy if words and words[0] == "witness"}
        names = [self.check_line(text, line, keys) for line in lines]
        expect(names and self.wanted <= set(names), "a witness did not sign this checkpoint")
        expect(is_quorum(policy, set(names)), "not as many witnesses signed it as the policy wants")
        self.names = [key.split("+")[0] for key in names]

    def check_line(self, text, line, keys):
        """The key of a line that is right."""
        dash, name, encoded = line.split(" ")
        blob = base64.b64decode(encoded, validate=True)
        wanted = [key for key in keys if key.split("+")[:2] == [name, blob[:4].hex()]]
        expect(dash == "—" and len(blob) == 76 and wanted, "a line is of no witness of the policy")
        time = int.from_bytes(blob[4:12], "big")
        check_signature(key_of(wanted[0], 4)[1], f"cosignature/v1\ntime {time}\n{text}\n".encode(), blob[12:],
                        "what a witness signed was changed")
        return wanted[0]

    def finish(self, tree):
        if self.seen and not self.names:
            self.check(longer(tree, self.seen))


class Kept:
    """A checkpoint that whoever verifies kept: wherever the tree has its size, it has its root."""

    def __init__(self, note, origin, key):
        self.note, self.origin, self.key = note, origin, key
        self.records, self.is_met = int(note.split(b"\n")[1]), False

    def look(self, tree):
        if self.records == tree.end:
            check_checkpoint(self.note, self.origin, self.key, tree.end, tree.root())
            self.is_met = True

    def finish(self, tree):
        self.look(tree)
        expect(self.is_met, f"the package does not show the log at the {self.records} records that you saw")


class Seals:
    """Each is signed by the log's key and by the key that the seal before names, which signed nothing else."""
    GRACE = 600

    def __init__(self, records, origin, key, begins_at_first):
        # Of which trees there are seals; what only looks like one adds a tree in vain.
        found = re.findall(rb"\x18\x21fsealed\x18\x22.{2,3}?[^\n]{1,200}\n([0-9]{1,20})\n", records, re.S)
        self.roots = {int(size): None for size in found}
        self.origin, self.key, self.is_certain = origin, key, True
        self.begins_at_first, self.count = begins_at_first, 0
        self.number, self.note, self.until, self.size, self.began, self.successor = 0, b"", 0, 0, 0, b""
        self.late = None

    def look(self, tree):
        if tree.end in self.roots:
            self.roots[tree.end] = tree.root()

    def finish(self, tree):
        pass

    def read(self, record, first_record):
        if record[6] == 4 and record.get(33) == b"sealed":
            self.add(record[34], first_record)
        seconds = record[1] // 10**9
        if self.number and seconds > self.until:
            self.late = self.late or record[1]
            expect(not self.is_certain or record[1] <= self.late + self.GRACE * 10**9,
                   f"seal {self.number} had ended, and the log went on without another")

    def add(self, note, first_record):
        if note == self.note:
            return
        text, _, lines = note.decode().partition("\n\n")
        name, size, root, seal = text.split("\n")
        word, number, began, until, successor = seal.split(" ")
        number, began, until, size, lines = int(number), int(began), int(until), int(size), lines.split("\n")
        root, successor = (base64.b64decode(words, validate=True) for words in (root, successor))
        again = (f"{name}\n{size}\n{base64.b64encode(root).decode()}\n"
                 f"seal {number} {began} {until} {base64.b64encode(successor).decode()}")
        expect(text == again and name == self.origin and len(successor) == 32 and number > 0 and
               len(lines) == (2 if number == 1 else 3) and lines[-1] == "", "the seal is malformed")
        message = text.encode() + b"\n"
        self.check_line(lines[0], self.origin, self.key, message, "the seal is not signed by the log's key")
        is_unseen = self.number == 0 and not self.begins_at_first
        if number > 1 and not is_unseen and (self.is_certain or number == self.number + 1):
            expect(number == self.number + 1, f"seal {number} follows seal {self.number}")
            self.check_line(lines[1], self.origin + "/seal", self.successor, message,
                            f"seal {number} is not signed by the key that seal {self.number} names")
            expect(began >= self.began and size >= self.size, f"seal {number} is older than seal {self.number}")
        expect(size < first_record or self.roots.get(size) == root,
               f"seal {number} is of another log: of {size} records it was not this one")
        self.number, self.note, self.began, self.until = number, note, began, until
        self.size, self.successor, self.late = size, successor, None
        self.count += 1

    def check_line(self, line, name, key, message, what):
        key_id = hashlib.sha256(name.encode() + b"\n\x01" + key).digest()[:4]
        expect(line.startswith(f"— {name} "), what)
        blob = base64.b64decode(line[len(f"— {name} "):], validate=True)
        expect(len(blob) == 68 and blob[:4] == key_id, what)
        check_signature(key, message, blob[4:], what)


class Recordings:
    """Of a package that has recordings: each chunk that a record names is there, and no other."""
    NOTE = re.compile(rb"chunk ([0-9]+), ([0-9]+) bytes, SHA-256 ([0-9a-f]{64}), behind ([0-9a-f]{64}), from .+ to .+")
    REMOVED = re.compile(rb"([0-9]+) chunks, [0-9]+ bytes, from .+ to [^;]+; .+")
    END = re.compile(rb"([0-9]+) chunks, the last ([0-9a-f]{64})(?:; .*)?", re.S)

    def __init__(self, manifest):
        self.files, self.known, self.last, self.shown = {}, set(), {}, {}
        self.manifest, self.removed = manifest, manifest.get("removed_recordings", {})
        for name, file in manifest["files"].items():
            if name.startswith("recordings/"):
                _, recording, chunk = name.split("/")
                self.files[recording.encode(), int(chunk.split("-")[0])] = file

    def read(self, record, index):
        event, name = record.get(33), record.get(44)
        if not (self.files or self.removed) or name is None:
            return
        last = self.last.get(name)
        if event == b"recording-removed":
            note = self.REMOVED.fullmatch(record[34])
            expect(note and (last is None or last[0] == int(note[1])),
                   f"recording {name.decode()} was not whole when it was removed")
            self.shown[name.decode()] = index
        elif event == b"recording-chunk":
            note = self.NOTE.fullmatch(record[34])
            expect(note, "a record of a chunk is malformed")
            number, size, digest, before = int(note[1]), int(note[2]), note[3].decode(), note[4].decode()
            file = self.files.get((name, number))
            is_removed = file is None and name.decode() in self.removed
            expect(is_removed or file and (file["bytes"], file["sha256"]) == (size, digest),
                   f"chunk {number} of recording {name.decode()} is missing, or is another")
            expect(last in (None, (number, digest), (number - 1, before)),
                   f"chunk {number} of recording {name.decode()} does not follow the one before")
            if not is_removed:
                self.known.add((name, number))
            self.last[name] = number, digest
        elif event in (b"recording-closed", b"recording-cut", b"recording-stopped"):
            end = self.END.fullmatch(record[34])
            expect(end and last in (None, (int(end[1]), end[2].decode())),
                   f"the end of recording {name.decode()} is not that of its last chunk")

    def finish(self):
        first, end = self.manifest["first_record"], self.manifest["end_record"]
        for name, record in self.removed.items():
            expect(record < self.manifest["log_records"] and
                   (self.shown.get(name) == record or not first <= record < end or self.manifest["filter"]),
                   f"record {record} does not say that recording {name} was removed")
        expect(self.known == set(self.files), "the package has a chunk that no record tells of")


# The tree: RFC 6962 §2.1.

def longer(tree, seen):
    """The tree as it was when somebody saw it, behind the range."""
    out = Tree()
    out.end, out.subtrees = tree.end, list(tree.subtrees)
    out.append_range(seen["log_records"], seen["after"])
    return out


def node(left, right):
    return hashlib.sha256(b"\x01" + left + right).digest()


class Tree:
    def __init__(self):
        self.end = 0
        self.subtrees = []  # (level, hash), left to right

    def append(self, level, value):
        self.end += 1 << level
        while self.subtrees and self.subtrees[-1][0] == level and self.end % (2 << level) == 0:
            value = node(self.subtrees.pop()[1], value)
            level += 1
        self.subtrees.append((level, value))

    def append_range(self, end, hashes):
        """The roots of the largest subtrees that follow one another up to `end`."""
        for value in hashes:
            expect(self.end < end, "the manifest's hashes do not fit its range")
            level = (end - self.end).bit_length() - 1
            while self.end % (1 << level):
                level -= 1
            self.append(level, bytes.fromhex(value))
        expect(self.end == end, "the manifest's hashes do not fit its range")

    def root(self):
        if not self.subtrees:
            return hashlib.sha256(b"").digest()
        value = self.subtrees[-1][1]
        for _, left in reversed(self.subtrees[:-1]):
            value = node(left, value)
        return value


# Records: CBOR (RFC 8949), of which they use little.

def item(data, at):
    """(value, end) of the item at `at`."""
    major, info = data[at] >> 5, data[at] & 31
    at += 1
    if data[at - 1] == 0xf5:
        return True, at
    if info >= 24:
        width = 1 << (info - 24)
        expect(info < 28 and at + width <= len(data), "a record is cut")
        info, at = int.from_bytes(data[at:at + width], "big"), at + width
    if major == 0:
        return info, at
    if major in (2, 3):
        expect(at + info <= len(data), "a record is cut")
        return data[at:at + info], at + info
    expect(major in (4, 5), "bytes that are no record")
    values = []
    for _ in range(info * (major - 3)):
        value, at = item(data, at)
        values.append(value)
    return (dict(zip(values[::2], values[1::2])) if major == 5 else tuple(values)), at


def time_text(ns):
    whole = datetime.datetime.fromtimestamp(ns // 10**9, datetime.timezone.utc)
    return whole.strftime("%Y-%m-%dT%H:%M:%S") + f".{ns % 10**9:09}Z"


def check_records(data, manifest, tree, seals, recordings, others):
    is_filtered, last, shown, gaps, times_seen, at = manifest["kind"] == "filtered", {}, 0, 0, [], 0

    def append(leaf):
        tree.append(0, leaf)
        for other in others:
            other.look(tree)

    while at < len(data):
        begin = at
        value, at = item(data, at)
        if isinstance(value, bytes):
            expect(is_filtered and len(value) == 32, "bytes that are no record")
            append(value)
            seals.is_certain = False
            continue
        expect(isinstance(value, dict), "bytes that are no record")
        seals.read(value, manifest["first_record"])
        recordings.read(value, tree.end)
        append(hashlib.sha256(b"\x00" + data[begin:at]).digest())
        shown += 1
        gaps += value[6] == 7
        times_seen = [times_seen[0] if times_seen else value[1], value[1]]
        worker, sequence = (value[2], value[3]), value[4]
        if 39 in value:
            policy = manifest["files"].get(f"policies/{value[39].hex()}.json")
            expect(policy and policy["sha256"] == value[39].hex(), "a record names a policy that is not in the package")
        before = last.get(worker, 0)
        expect(sequence > before if is_filtered or not before else sequence == before + 1,
               f"record {tree.end - 1} does not follow its worker's last one")
        last[worker] = sequence
    expect(tree.end == manifest["end_record"], "records are missing, or too many")
    expect(shown == manifest["records_shown"], "another number of records is shown than the manifest says")
    if is_filtered:
        return gaps
    expect(manifest["first_record"] == 0 or time_text(times_seen[0]) < manifest["from"],
           "the range does not reach back to its beginning")
    expect(manifest["end_record"] == manifest["log_records"] or
           (manifest["until"] and time_text(times_seen[1]) >= manifest["until"]),
           "the range does not reach its end")
    return gaps


def verify(path, wanted_key, witnesses=(), kept=()):
    with zipfile.ZipFile(path) as package:
        files = {}
        for name in package.namelist():
            expect(name not in files, f"{name} is there twice")
            files[name] = package.read(name)
    for name in ("manifest.json", "manifest.json.sig", "checkpoint", "records.cbor"):
        expect(name in files, f"{name} is missing")
    manifest = json.loads(files["manifest.json"])
    expect(manifest["sluice_evidence"] == 1, "this is no package that this script knows")
    expect(wanted_key in ("", manifest["key"]), f"the package was made with another key: {manifest['key']}")
    origin, key = key_of(manifest["key"])
    expect(origin == manifest["origin"], "the key is of another log than the manifest says")
    check_ssh(key, files["manifest.json"], files["manifest.json.sig"])
    expect(set(files) == set(manifest["files"]) | {"manifest.json", "manifest.json.sig"},
           "the package holds other files than its manifest says")
    for name, file in manifest["files"].items():
        expect(len(files[name]) == file["bytes"] and
               hashlib.sha256(files[name]).hexdigest() == file["sha256"], f"{name} was changed")
    check_checkpoint(files["checkpoint"], origin, key, manifest["log_records"], bytes.fromhex(manifest["log_root"]))
    tree = Tree()
    tree.append_range(manifest["first_record"], manifest["left"])
    cosigned = Cosigned(files, manifest, origin, key, set(witnesses))
    ends = [Kept(note, origin, key) for note in kept]
    others = [Timestamps(files, manifest, origin, key), cosigned]
    seals = Seals(files["records.cbor"], origin, key, manifest["first_record"] == 0)
    for other in [seals, *ends]:
        other.look(tree)
    recordings = Recordings(manifest)
    gaps = check_records(files["records.cbor"], manifest, tree, seals, recordings, [seals] + others + ends)
    recordings.finish()
    for other in others:
        other.finish(tree)
    tree.append_range(manifest["log_records"], manifest["right"])
    expect(tree.root().hex() == manifest["log_root"], "the records are not those that the checkpoint signs")
    for end in ends:
        end.finish(tree)
    return manifest, cosigned.names, gaps


def main():
    if len(sys.argv) < 2:
        sys.exit(__doc__)
    wanted_key, *more = [word.strip() for word in sys.argv[2:]] or [""]
    witnesses = [word for word in more if "+" in word]
    try:
        kept = [open(word, "rb").read() for word in more if "+" not in word]
        manifest, names, gaps = verify(sys.argv[1], wanted_key, witnesses, kept)
    except Exception as fault:  # Whatever stops it, the package was not verified.
        print(f"NOT VERIFIED: {fault}")
        sys.exit(4)
    print(f"verified: {manifest['kind']}, records {manifest['first_record']} to {manifest['end_record']} of "
          f"{manifest['log_records']}, {manifest['records_shown']} shown")
    print(f"root of the log: {manifest['log_root']}")
    if gaps:
        print(f"{gaps} of them say that others may be missing there")
    for name, record in manifest.get("removed_recordings", {}).items():
        print(f"recording {name} was removed, as record {record} says")
    for name in names:
        print(f"the witness {name} saw {manifest['cosigned']['log_records']} records of it")
    if not wanted_key:
        print("checked with the key inside; give the key you trust as a second argument")


if __name__ == "__main__":
    main()
