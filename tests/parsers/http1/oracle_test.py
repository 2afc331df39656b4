"""What our request decoder accepts, h11 accepts too, with equal meaning.

Usage: oracle_test.py DECODER CORPUS_FOLDER [STREAMS]

DECODER is the program of oracle_main.cc. Streams are the malformed corpus and
random edits of sound and unsound requests. The other direction does not hold:
we refuse much that h11 forgives. Exits with 77, which counts as skipped, when
h11 is not installed.
"""

import pathlib
import random
import struct
import subprocess
import sys

try:
    import h11
except ImportError:
    print("h11 is not installed (Debian: python3-h11)")
    sys.exit(77)

SOUND = [
    b"GET /v1/a?b=c HTTP/1.1\r\nHost: a\r\nAccept: */*\r\n\r\n",
    b"POST /b HTTP/1.1\r\nHost: a:80\r\nContent-Length: 5\r\n\r\nhello",
    b"PUT /c HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\nX: y\r\n\r\n"
    b"5;a=b\r\nhello\r\n00A\r\n0123456789\r\n0\r\nETag: x\r\n\r\n",
    b"GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n",
    b"HEAD /d HTTP/1.1\r\nHost: [::1]:8080\r\nConnection: close, x-hop\r\nX-Hop: 1\r\n\r\n",
]
PIECES = [
    b"\r\n", b"\n", b"\r", b" ", b"\t", b"\0", b"\x0b", b":", b",", b";", b"0", b"5", b"\r\n\r\n",
    b"Host: a\r\n", b"Content-Length: 5\r\n", b"Transfer-Encoding: chunked\r\n", b"chunked",
    b"Connection: close\r\n", b"0\r\n\r\n", b"0x", b"+", b"HTTP/1.1", b"\x80", b"Expect: 100-continue\r\n",
]


def edited(rng, streams):
    """A stream with a few bytes or pieces put in, taken out or doubled."""
    data = bytearray(rng.choice(streams))
    if rng.random() < 0.3:
        data += rng.choice(streams)
    for _ in range(rng.randrange(4)):
        at = rng.randrange(len(data) + 1)
        kind = rng.randrange(4)
        if kind == 0:
            data[at:at] = rng.choice(PIECES)
        elif kind == 1:
            del data[at:at + rng.randrange(1, 4)]
        elif kind == 2 and at < len(data):
            data[at] = rng.randrange(256)
        else:
            end = min(len(data), at + rng.randrange(1, 30))
            data[at:at] = data[at:end]
    return bytes(data)


def ours(decoder, streams):
    """Per stream: the whole requests we accepted, and how it ended."""
    joined = b"".join(struct.pack("<I", len(s)) + s for s in streams)
    lines = subprocess.run([decoder], input=joined, stdout=subprocess.PIPE, check=True).stdout
    for line in lines.decode().splitlines():
        requests = []
        words = iter(line.split(" "))
        for word in words:
            if word != "request":
                break
            method, target, minor = next(words), next(words), next(words)
            request = {"line": (bytes.fromhex(method), bytes.fromhex(target), int(minor)),
                       "fields": [], "body": b"", "trailers": [], "is_whole": False}
            fields = request["fields"]
            for word in words:
                if word == "body":
                    request["body"] = bytes.fromhex(next(words))
                    fields = request["trailers"]
                elif word == "end":
                    request["is_whole"] = True
                    break
                elif "=" in word:
                    name, value = (bytes.fromhex(part) for part in word.split("="))
                    if name.lower() == b"transfer-encoding":
                        value = value.lower()  # as h11 gives it
                    fields.append((name.lower(), value))
                else:
                    break
            if request["is_whole"]:
                requests.append(request)
            else:
                break
        yield requests, line.rsplit(" ", 1)[-1]


def theirs(stream, count):
    """The first `count` requests as h11 reads them."""
    connection = h11.Connection(h11.SERVER, max_incomplete_event_size=1 << 20)
    connection.receive_data(stream)
    for _ in range(count):
        request = None
        while True:
            event = connection.next_event()
            if isinstance(event, h11.Request):
                minor = int(event.http_version[-1:])
                request = {"line": (event.method, event.target, minor),
                           "fields": [tuple(map(bytes, f)) for f in event.headers],
                           "body": b"", "trailers": [], "is_whole": True}
            elif isinstance(event, h11.Data):
                request["body"] += bytes(event.data)
            elif isinstance(event, h11.EndOfMessage):
                request["trailers"] = [tuple(map(bytes, f)) for f in event.headers]
                yield request
                break
            else:
                raise AssertionError(f"h11 does not see a whole request: {event}")
        connection.send(h11.Response(status_code=200, headers=[("Content-Length", "0")]))
        connection.send(h11.EndOfMessage())
        if connection.our_state is h11.MUST_CLOSE:
            return  # after "close" it reads no further; neither does a session
        connection.start_next_cycle()


def is_out_of_scope(stream, requests):
    """h11 takes no empty line before a request and stops at protocol switches."""
    switches = any(r["line"][0] == b"CONNECT" or any(n == b"upgrade" for n, _ in r["fields"])
                   for r in requests)
    return switches or stream.startswith(b"\r\n") or b"\r\n\r\n\r\n" in stream


def main():
    decoder, corpus = sys.argv[1], pathlib.Path(sys.argv[2])
    count = int(sys.argv[3]) if len(sys.argv) > 3 else 20000
    files = [path.read_bytes() for path in sorted(corpus.glob("*.req"))]
    short = [data for data in files if len(data) < 1000]
    rng = random.Random(1)
    streams = SOUND + files
    streams += [edited(rng, SOUND if rng.random() < 0.7 else short) for _ in range(count)]

    compared = 0
    for stream, (requests, _) in zip(streams, ours(decoder, streams)):
        if not requests or is_out_of_scope(stream, requests):
            continue
        try:
            for mine, other in zip(requests, theirs(stream, len(requests))):
                assert mine == other, f"h11 reads {other}\nwe read  {mine}"
                compared += 1
        except (AssertionError, h11.RemoteProtocolError) as problem:
            print(f"differs on {stream!r}\n{problem!r}")
            return 1
    print(f"{compared} accepted requests of {len(streams)} streams read alike")
    return 0 if compared > count // 20 else 1


sys.exit(main())
