"""A person who signs in: the browser, and `sluice login` meanwhile."""
import html
import http.cookiejar
import os
import re
import ssl
import subprocess
import threading
import urllib.error
import urllib.parse
import urllib.request

from harness.context import expect, wait_until


class Browser:
    """Follows redirections and keeps cookies; its person agrees to whatever is asked."""

    def __init__(self, ca):
        cookies = urllib.request.HTTPCookieProcessor(http.cookiejar.CookieJar())
        self._opener = urllib.request.build_opener(
            cookies, urllib.request.ProxyHandler({}),
            urllib.request.HTTPSHandler(context=ssl.create_default_context(cafile=ca)))

    def open(self, url: str, form: dict | None = None) -> tuple[int, str, str]:
        """The status, where it ends, and the page."""
        data = urllib.parse.urlencode(form).encode() if form else None
        try:
            reply = self._opener.open(url, data, timeout=30)
        except urllib.error.HTTPError as refusal:
            reply = refusal
        with reply:
            return reply.status, reply.geturl(), reply.read().decode()

    def enter_code(self, url: str) -> str:
        """The last page."""
        _, where, page = self.open(url)
        for _ in range(4):
            if "<form" not in page:
                break
            action = html.unescape(re.search(r'action="([^"]*)"', page).group(1))
            fields = dict(re.findall(r'name="(\w+)" value="([^"]*)"', page))
            if "confirm" in page:
                fields.setdefault("confirm", "yes")
            _, where, page = self.open(urllib.parse.urljoin(where, action), fields)
        return page


class Login:
    """`sluice login`, while it waits for its person."""

    def __init__(self, context, url: str, ca, provider_ca, home, *words):
        self._process = subprocess.Popen(
            [context.sluice, "login", "--gateway", url, "--ca", str(ca), "--provider-ca", str(provider_ca), *words],
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment(home))
        context.on_exit(self._process.kill)
        self.said = ""
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self) -> None:
        for line in self._process.stderr:
            self.said += line

    def url(self, pattern: str) -> str:
        wait_until(lambda: re.search(pattern + r"\n", self.said) or self._process.poll() is not None, "a URL", 30)
        found = re.search(pattern + r"\n", self.said)
        expect(found is not None, f"no URL: {self.said}")
        return found.group(1)

    def end(self) -> tuple[int, str, str]:
        code = self._process.wait(60)
        self._reader.join(10)
        return code, self._process.stdout.read(), self.said


def environment(home) -> dict:
    hidden = ("SLUICE_TOKEN", "XDG_STATE_HOME", "DISPLAY", "WAYLAND_DISPLAY")
    return {name: value for name, value in os.environ.items() if name not in hidden} | {"HOME": str(home)}
