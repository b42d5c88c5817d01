"""Makes an employee on a project and a task, and prints the token of a log-in."""

import email
import email.policy
import json
import pathlib
import re
import sys
import time
import urllib.error
import urllib.parse
import urllib.request

api, key, data = sys.argv[1:]
PASSWORD = "correct horse battery"
ADMIN = {"X-API-Key": key}


def post(path, body, **headers):
    content = body if isinstance(body, str) else json.dumps(body)
    kind = "application/x-www-form-urlencoded" if isinstance(body, str) else "application/json"
    request = urllib.request.Request(api + path, content.encode(), {"Content-Type": kind, **headers})
    return json.load(urllib.request.urlopen(request))


def invitation(address):
    until = time.monotonic() + 60
    while time.monotonic() < until:
        for path in pathlib.Path(data, "mail").glob("*.eml"):
            mail = email.message_from_bytes(path.read_bytes(), policy=email.policy.default)
            if address in mail["To"]:
                return re.search(r"token=([\w-]+)", mail.get_body(("plain",)).get_content())[1]
        time.sleep(0.1)
    raise SystemExit("no invitation was mailed")


def token_of(address):
    ann = post("/api/v1/employee", {"name": "Ann Example", "email": address}, **ADMIN)
    project = post("/api/v1/project", {"name": "Website", "employees": [ann["id"]]}, **ADMIN)
    post("/api/v1/task", {"name": "Front page", "projectId": project["id"], "employees": [ann["id"]]}, **ADMIN)
    post("/api/auth/activate", {"token": invitation(address), "password": PASSWORD})
    form = urllib.parse.urlencode({"username": address, "password": PASSWORD})
    return post("/api/auth/login", form)["access_token"]


# On a busy machine the first calls of a system that has just started may be too late: 504.
for attempt in range(10):
    try:
        print(token_of(f"ann-{attempt}@example.org"))
        break
    except urllib.error.HTTPError as error:
        if error.code < 500 or attempt == 9:
            raise
        time.sleep(1)
