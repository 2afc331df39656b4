"""Clients that connect, shake hands, ask once and go: an operation is all of that.

wrk keeps its connections, and `openssl s_time` resumes nothing in TLS 1.3.
"""
import multiprocessing
import socket
import ssl
import time

import host

CIPHER = "TLS_AES_256_GCM_SHA384"  # what OpenSSL's clients, wrk among them, ask for first


def _one(port: int, context: ssl.SSLContext, request: bytes, session) -> tuple:
    """(bytes of the answer, the session it left); the answer must be a 200."""
    with socket.create_connection(("127.0.0.1", port), timeout=20) as plain:
        plain.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        with context.wrap_socket(plain, session=session) as connection:
            if connection.session_reused != (session is not None):
                raise RuntimeError("a handshake was full that should not be, or the other way round")
            if connection.cipher()[0] != CIPHER:
                raise RuntimeError(f"{connection.cipher()[0]} was chosen, not {CIPHER}")
            connection.sendall(request)
            answer = bytearray()
            while part := connection.recv(65536):
                answer += part
            if not answer.startswith(b"HTTP/1.1 200 "):
                raise RuntimeError(f"answered {bytes(answer[:100])!r}")
            return len(answer), connection.session


def _ask_until(end: float, port: int, request: bytes, resumes: bool, into) -> None:
    context = host.client_tls()
    took_us, received, faults = [], 0, 0
    session = _one(port, context, request, None)[1] if resumes else None
    while (begun := time.monotonic()) < end:
        try:
            length, _ = _one(port, context, request, session)
            received += length
            took_us.append((time.monotonic() - begun) * 1e6)
        except (OSError, RuntimeError):
            faults += 1
    into.put((took_us, received, faults))


def _ask(proxy, case, headers: dict, seconds: int, resumes: bool) -> dict:
    lines = [f"GET {case.body.path} HTTP/1.1", "Host: gateway.bench", "Connection: close",
             *(f"{name}: {value}" for name, value in headers.items())]
    request = "\r\n".join([*lines, "", ""]).encode()
    results, begun = multiprocessing.Queue(), time.monotonic()
    clients = [multiprocessing.Process(target=_ask_until, args=(begun + seconds, proxy.port, request, resumes, results))
               for _ in range(case.connections)]
    for client in clients:
        client.start()
    parts = [results.get(timeout=seconds + 60) for _ in clients]
    for client in clients:
        client.join()
    return figures_of(parts, (time.monotonic() - begun) * 1e6)


def figures_of(parts: list, duration_us: float) -> dict:
    """As figures.wrk_figures."""
    took_us = sorted(each for part in parts for each in part[0])

    def percentile(share: float) -> float:
        return took_us[min(len(took_us) - 1, int(len(took_us) * share))] if took_us else 0

    return {"requests": len(took_us), "bytes": sum(part[1] for part in parts), "duration_us": duration_us,
            "p50_us": percentile(0.5), "p99_us": percentile(0.99), "p999_us": percentile(0.999),
            "max_us": took_us[-1] if took_us else 0, "errors": sum(part[2] for part in parts)}


def ask_full(proxy, case, headers: dict, seconds: int) -> dict:
    return _ask(proxy, case, headers, seconds, resumes=False)


def ask_resumed(proxy, case, headers: dict, seconds: int) -> dict:
    """Each client's own first handshake, which is full, is not counted as an operation (its CPU time is)."""
    return _ask(proxy, case, headers, seconds, resumes=True)
