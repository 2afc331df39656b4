"""Reads and writes segments of the audit log as docs/audit_log.md, "Frames", has a
stranger do it."""
import hashlib
import shutil
import struct
import subprocess

from harness.context import expect

HEAD = struct.Struct("<II")  # body bytes, CRC-32C over the length and the body
MAGIC = b"sluice-segment1\n"
RECORD = 0


def _crc_row(byte: int) -> int:
    for _ in range(8):
        byte = (byte >> 1) ^ (0x82F63B78 if byte & 1 else 0)
    return byte


_CRC_TABLE = [_crc_row(byte) for byte in range(256)]


def crc32c(data: bytes) -> int:
    crc = 0xFFFFFFFF
    for byte in data:
        crc = (crc >> 8) ^ _CRC_TABLE[(crc ^ byte) & 255]
    return crc ^ 0xFFFFFFFF


def frames(data: bytes) -> list[bytes]:
    expect(data.startswith(MAGIC), "not a segment")
    found, position = [], len(MAGIC)
    while position < len(data):
        length, crc = HEAD.unpack_from(data, position)
        frame = data[position:position + HEAD.size + length]
        expect(crc == crc32c(frame[:4] + frame[HEAD.size:]), "this reader misreads the log")
        found.append(frame)
        position += len(frame)
    return found


def sealed(body: bytes) -> bytes:
    length = struct.pack("<I", len(body))
    return length + struct.pack("<I", crc32c(length + body)) + body


def copied(directory, to):
    """A copy of a log, also of one that is being written, segments as they were written."""
    while True:
        try:
            shutil.copytree(directory, to)
            break
        except shutil.Error:  # A segment was compressed meanwhile: its file went.
            shutil.rmtree(to)
    for path in to.glob("segment-*.log.zst"):
        # Zstandard's own program gives them back.
        subprocess.run(["zstd", "-dqf", "--rm", path], check=True, timeout=60)
    return to


def is_record(frame: bytes) -> bool:
    return frame[HEAD.size] == RECORD


def rewrite(path, change) -> None:
    """Writes the segment with its list of frames changed, checksums and all."""
    path.write_bytes(MAGIC + b"".join(change(frames(path.read_bytes()))))


def edit_record(all_frames, old: bytes, new: bytes):
    """Changes text in the first record that has it, and seals the frame anew."""
    index = next(i for i, frame in enumerate(all_frames) if is_record(frame) and old in frame)
    body = all_frames[index][HEAD.size:].replace(old, new)
    return all_frames[:index] + [sealed(body)] + all_frames[index + 1:]


def _cbor(major: int, value: int) -> bytes:
    for info, width in ((24, 1), (25, 2), (26, 4), (27, 8)):
        if value < 24:
            return bytes([major << 5 | value])
        if value < 1 << 8 * width:
            return bytes([major << 5 | info]) + value.to_bytes(width, "big")
    raise ValueError(value)


def _root(leaves: list[bytes]) -> bytes:
    """Of a perfect tree."""
    while len(leaves) > 1:
        leaves = [hashlib.sha256(b"\x01" + left + right).digest() for left, right in zip(leaves[::2], leaves[1::2])]
    return leaves[0]


def _removed(begin: int, leaves: list[bytes], positions: dict) -> bytes:
    end, hashes = begin + len(leaves), []
    while leaves:
        size = 1 << (len(leaves).bit_length() - 1)
        while begin % size:
            size //= 2
        hashes.append(_root(leaves[:size]))
        begin, leaves = begin + size, leaves[size:]
    workers = [_cbor(4, 3) + b"".join(_cbor(0, number) for number in (*worker, sequence))
               for worker, sequence in sorted(positions.items())]
    return sealed(b"R" + _cbor(5, 3) + _cbor(0, 1) + _cbor(0, end)
                  + _cbor(0, 2) + _cbor(4, len(hashes)) + b"".join(b"\x58\x20" + value for value in hashes)
                  + _cbor(0, 3) + _cbor(4, len(workers)) + b"".join(workers))


def stripped(all_frames: list[bytes], item) -> list[bytes]:
    """What stays of a segment that retention removes, if it has no record of retention itself: seals do.
    `item` reads CBOR."""
    out, leaves, positions = [all_frames[0]], [], {}
    begin = item(all_frames[0], HEAD.size + 1)[0][4]
    for frame in all_frames[1:]:
        record = item(frame, HEAD.size + 1)[0] if is_record(frame) else {}
        is_seal = record.get(33) == b"sealed"
        if record and not is_seal:
            leaves.append(hashlib.sha256(frame[HEAD.size:]).digest())
            positions[record[2], record[3]] = record[4]
            continue
        out += [_removed(begin, leaves, positions), frame] if leaves else [frame]
        begin, leaves, positions = begin + len(leaves) + is_seal, [], {}
    return out
