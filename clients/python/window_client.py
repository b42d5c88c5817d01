#!/usr/bin/env python3
"""Sends time windows, and keeps each on disk until the server has recorded it.

    window_client.py --store ann.db add '{"start": …, "end": …, "projectId": …, "taskId": …, …}'
    T3_PASSWORD=… window_client.py --store ann.db send http://127.0.0.1:8000 ann@example.org

`add` stores a window with an id; `send` sends the stored windows until all are recorded or refused. A window that
is sent twice is recorded once, because its id stays the same. Only the standard library is needed.
"""

import argparse
import json
import os
import sqlite3
import sys
import time
import urllib.error
import urllib.parse
import urllib.request
import uuid

BATCH = 500  # the server's limit of windows in a request
TIMEOUT = 10  # seconds; the server answers within 4


class Store:
    """Windows in a SQLite file: unsent ones, and refused ones with the reason."""

    def __init__(self, path):
        self.db = sqlite3.connect(path, isolation_level=None)
        self.db.execute("PRAGMA synchronous = FULL")  # an added window survives a power failure
        self.db.execute("CREATE TABLE IF NOT EXISTS windows (id TEXT PRIMARY KEY, body TEXT, refused TEXT)")

    def add(self, window):
        window = {"id": str(uuid.uuid4()), **window}
        self.db.execute("INSERT OR IGNORE INTO windows VALUES (?, ?, NULL)", (window["id"], json.dumps(window)))
        return window["id"]

    def waiting(self):
        rows = self.db.execute("SELECT body FROM windows WHERE refused IS NULL ORDER BY rowid LIMIT ?", (BATCH,))
        return [json.loads(body) for (body,) in rows]

    def settle(self, item):
        if item["status"] in ("stored", "duplicate"):
            self.db.execute("DELETE FROM windows WHERE id = ?", (item["id"],))
        elif item["status"] in ("rejected", "conflict"):
            reason = f"{item.get('code')}: {item.get('detail')}"
            self.db.execute("UPDATE windows SET refused = ? WHERE id = ?", (reason, item["id"]))
        # A queued window may still be refused, so it stays in the store and is sent again with the
        # next batch.


def call(url, body, headers):
    """Posts, and returns the status, the answer and the seconds to wait before the next attempt."""
    request = urllib.request.Request(url, data=body, headers=headers)
    try:
        with urllib.request.urlopen(request, timeout=TIMEOUT) as answer:
            return answer.status, json.load(answer), 0
    except urllib.error.HTTPError as error:
        return error.code, error.read().decode(errors="replace"), int(error.headers.get("Retry-After") or 1)
    except OSError as error:  # no connection, or no answer in time
        return None, str(error), 1


def log_in(server, email, password):
    form = urllib.parse.urlencode({"username": email, "password": password}).encode()
    status, answer, wait = call(f"{server}/api/auth/login", form, {})
    if status in (400, 401, 403):
        sys.exit(f"The server does not let {email} in: {answer}")
    return (answer["access_token"], 0) if status == 200 else (None, wait)


def send(store, server, email, password):
    token, pause = None, 1
    while windows := store.waiting():
        wait = 0
        if token is None:
            token, wait = log_in(server, email, password)
        if token:
            body = json.dumps({"windows": windows}).encode()
            headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
            status, answer, wait = call(f"{server}/api/v1/time-entries/batch", body, headers)
            if status in (200, 202):
                for item in answer["items"]:
                    store.settle(item)
                wait = 1 if status == 202 else 0
            elif status == 401:
                token, wait = None, pause
            elif status in (400, 413, 422):
                sys.exit(f"The server cannot read what was sent: {answer}")
        # The pause doubles with each failure, up to a minute.
        pause = min(pause * 2, 60) if wait else 1
        time.sleep(max(wait, pause) if wait else 0)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--store", required=True, help="the file of the stored windows")
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("add", help="store a window").add_argument("window", type=json.loads)
    sending = commands.add_parser("send", help="send the stored windows; the password is in T3_PASSWORD")
    sending.add_argument("server")
    sending.add_argument("email")
    arguments = parser.parse_args()
    store = Store(arguments.store)
    if arguments.command == "add":
        print(store.add(arguments.window))
        return
    send(store, arguments.server, arguments.email, os.environ["T3_PASSWORD"])
    for body, reason in store.db.execute("SELECT body, refused FROM windows WHERE refused IS NOT NULL"):
        print(f"refused, and kept: {reason}: {body}", file=sys.stderr)


if __name__ == "__main__":
    main()
