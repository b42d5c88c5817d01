#!/usr/bin/env python3
"""Takes screenshots of the console of a running demo:

    python3 docs/console/pictures.py http://127.0.0.1:8000 ingrid@lighthouse.example PASSWORD [PAGE ...]

A PAGE is the name of a picture; without one, all are taken. Needs chromium and chromium-driver
(CHROMEDRIVER is the path of another), and only Python's standard library. A missing page is skipped with
a message.
"""

import base64
import collections
import json
import os
import pathlib
import re
import struct
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
import zlib

FOLDER = pathlib.Path(__file__).parent
WIDE, NARROW, HEIGHT = 1280, 320, 800
# Name, path (with {yesterday}, {person} and {project} filled in), width, whether dark.
PAGES = [
    ("log-in", "/console/log-in", WIDE, False),
    ("now", "/console", WIDE, False),
    ("now-dark", "/console", WIDE, True),
    ("now-narrow", "/console", NARROW, False),
    ("day", "/console/day?day={yesterday}", WIDE, False),
    ("day-dark", "/console/day?day={yesterday}", WIDE, True),
    ("day-narrow", "/console/day?day={yesterday}", NARROW, False),
    ("week", "/console/week?day={yesterday}", WIDE, False),
    ("month", "/console/week?span=month&day={yesterday}", WIDE, False),
    ("people", "/console/people", WIDE, False),
    ("person", "/console/people/{person}", WIDE, False),
    ("projects", "/console/projects", WIDE, False),
    ("project", "/console/projects/{project}", WIDE, False),
    ("attention", "/console/attention", WIDE, False),
    ("corrections", "/console/corrections", WIDE, False),
    ("approvals", "/console/approvals", WIDE, False),
    ("pay-runs", "/console/pay-runs", WIDE, False),
    ("locks", "/console/locks", WIDE, False),
    ("rates", "/console/rates", WIDE, False),
    ("reports", "/console/reports?groupBy=project&groupBy=employee", WIDE, False),
    ("reports-dark", "/console/reports?groupBy=project&groupBy=employee", WIDE, True),
    ("settings", "/console/settings", WIDE, False),
    ("audit", "/console/audit", WIDE, False),
    ("me", "/me", WIDE, False),
    ("me-narrow", "/me", NARROW, False),
]
ELEMENT = "element-6066-11e4-a52e-4f735466cecf"


class Browser:
    """A browser, driven by the WebDriver protocol (w3.org/TR/webdriver2)."""

    def __init__(self, folder: str) -> None:
        program = os.environ.get("CHROMEDRIVER", "chromedriver")
        self.driver = subprocess.Popen([program, "--port=0"], stdout=subprocess.PIPE, text=True)
        for line in self.driver.stdout:
            if found := re.search(r"started successfully on port (\d+)", line):
                self.base = f"http://127.0.0.1:{found[1]}"
                break
        else:
            raise SystemExit(f"error: {program} does not start")
        args = [
            "--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--hide-scrollbars",
            "--disable-lcd-text", "--no-first-run", "--no-proxy-server", "--lang=en-GB", f"--user-data-dir={folder}",
        ]
        options = {"goog:chromeOptions": {"args": args}}
        session = self.ask("/session", {"capabilities": {"alwaysMatch": options}})
        self.base += f"/session/{session['sessionId']}"

    def ask(self, path: str, body: dict) -> object:
        request = urllib.request.Request(self.base + path, json.dumps(body).encode(),
                                         {"Content-Type": "application/json"})
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        try:
            with opener.open(request, timeout=60) as answer:
                return json.load(answer)["value"]
        except urllib.error.HTTPError as error:
            raise SystemExit(f"error: {path}: {json.load(error)['value']['message'].splitlines()[0]}") from None

    def command(self, name: str, **params: object) -> dict:
        return self.ask("/goog/cdp/execute", {"cmd": name, "params": params})

    def go(self, url: str) -> None:
        self.ask("/url", {"url": url})

    def script(self, text: str, *args: object) -> object:
        return self.ask("/execute/sync", {"script": text, "args": list(args)})

    def type(self, css: str, text: str) -> None:
        element = self.ask("/element", {"using": "css selector", "value": css})
        self.ask(f"/element/{element[ELEMENT]}/value", {"text": text})

    def look(self, width: int, dark: bool) -> None:
        self.command("Emulation.setDeviceMetricsOverride", width=width, height=HEIGHT, deviceScaleFactor=1,
                     mobile=False)
        scheme = {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}
        self.command("Emulation.setEmulatedMedia", features=[scheme])

    def picture(self) -> bytes:
        return base64.b64decode(self.command("Page.captureScreenshot", format="png")["data"])

    def close(self) -> None:
        try:
            request = urllib.request.Request(self.base, method="DELETE")
            urllib.request.build_opener(urllib.request.ProxyHandler({})).open(request, timeout=20).close()
        except OSError:
            pass
        self.driver.terminate()
        self.driver.wait()


def pixels(png: bytes) -> tuple[int, int, bytes]:
    """The width, the height and the RGB bytes of a PNG of a browser (8 bits, RGB or RGBA, not interlaced)."""
    at, data, head = 8, b"", None
    while at < len(png):
        length, kind = struct.unpack(">I4s", png[at:at + 8])
        body = png[at + 8:at + 8 + length]
        head = body if kind == b"IHDR" else head
        data += body if kind == b"IDAT" else b""
        at += 12 + length
    width, height, _, colours, *_ = struct.unpack(">IIBBBBB", head)
    step = {2: 3, 6: 4}[colours]
    raw, stride = zlib.decompress(data), width * step
    above, out = bytearray(stride), bytearray()
    for row in range(height):
        kind, *_ = raw[row * (stride + 1):row * (stride + 1) + 1]
        line = bytearray(raw[row * (stride + 1) + 1:(row + 1) * (stride + 1)])
        if kind == 2:
            line = bytearray((a + b) & 255 for a, b in zip(line, above))
        elif kind:
            for i in range(stride):
                left = line[i - step] if i >= step else 0
                up, corner = above[i], above[i - step] if i >= step else 0
                if kind == 1:
                    guess = left
                elif kind == 3:
                    guess = (left + up) // 2
                else:
                    p = left + up - corner
                    near = (abs(p - left), abs(p - up), abs(p - corner))
                    guess = (left, up, corner)[near.index(min(near))]
                line[i] = (line[i] + guess) & 255
        above = line
        # Screenshots of pages have no transparency.
        out += bytes(part for i, part in enumerate(line) if i % 4 < 3) if step == 4 else line
    return width, height, bytes(out)


def small(png: bytes) -> bytes:
    """Reduces a PNG to a palette of at most 256 colours."""
    width, height, rgb = pixels(png)
    dots = [rgb[i:i + 3] for i in range(0, len(rgb), 3)]
    # Frequent colours stay exact; the others are those of smoothed edges, where a difference is invisible.
    often = [colour for colour, _ in collections.Counter(dots).most_common(256)]
    places = {colour: place for place, colour in enumerate(often)}

    def near(colour: bytes) -> int:
        def far(place: int) -> int:
            return sum((a - b) ** 2 for a, b in zip(often[place], colour))
        return min(range(len(often)), key=far)

    for colour in set(dots):
        if colour not in places:
            places[colour] = near(colour)
    lines = bytearray()
    for row in range(height):
        lines.append(0)
        lines += bytes(places[dot] for dot in dots[row * width:(row + 1) * width])
    chunks = [(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 3, 0, 0, 0)), (b"PLTE", b"".join(often)),
              (b"IDAT", zlib.compress(bytes(lines), 9)), (b"IEND", b"")]
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))
        for kind, body in chunks)


def first_link(browser: Browser, base: str, path: str, below: str) -> str:
    """The last part of the first link on a page to something below a path."""
    browser.go(base + path)
    links = browser.script("return [...document.querySelectorAll('main a[href]')].map(a => a.pathname)")
    found = (re.search(rf"{below}/([0-9a-f-]{{36}})$", link) for link in links)
    return next((match[1] for match in found if match), "nothing")


def main() -> None:
    if len(sys.argv) < 4:
        raise SystemExit(__doc__)
    base, email, password, *names = sys.argv[1:]
    unknown = set(names) - {name for name, *_ in PAGES}
    if unknown:
        raise SystemExit(f"error: no such picture: {', '.join(sorted(unknown))}")
    wanted = [page for page in PAGES if not names or page[0] in names]
    yesterday = time.strftime("%Y-%m-%d", time.gmtime(time.time() - 86_400))
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        browser = Browser(folder)
        try:
            take(browser, base.rstrip("/"), (email, password), wanted, yesterday)
        finally:
            browser.close()


def take(browser: Browser, base: str, who: tuple[str, str], wanted: list, yesterday: str) -> None:
    total, fill = 0, {"yesterday": yesterday}
    # The log-in first, while nobody is logged in.
    for name, path, width, dark in sorted(wanted, key=lambda page: page[0] != "log-in"):
        if name != "log-in" and "person" not in fill:
            browser.look(WIDE, False)
            browser.go(f"{base}/console/log-in?next=/console")
            browser.type("#email", who[0])
            browser.type("#password", who[1] + "\ue007")
            deadline = time.monotonic() + 20
            while browser.script("return location.pathname.endsWith('/log-in')"):
                if time.monotonic() > deadline:
                    raise SystemExit("error: the log-in was refused")
                time.sleep(0.1)
            fill["person"] = first_link(browser, base, "/console/people?find=Aoife", "/console/people")
            fill["project"] = first_link(browser, base, "/console/projects", "/console/projects")
        browser.look(width, dark)
        browser.go(base + path.format(**fill))
        heading = browser.script("return document.querySelector('h1')?.textContent ?? ''")
        status = browser.script("return performance.getEntriesByType('navigation')[0].responseStatus")
        if status != 200:
            print(f"{name}: left out, {path} is answered {status} ({heading})")
            continue
        picture = small(browser.picture())
        (FOLDER / f"{name}.png").write_bytes(picture)
        total += len(picture)
        print(f"{name}: {heading}, {len(picture) / 1024:.0f} KiB")
    print(f"{total / 1024:.0f} KiB in all")


if __name__ == "__main__":
    main()
