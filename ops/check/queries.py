"""Alerts and dashboard: every query parses, every alert says what it means and where its runbook
is, and the rules do what their tests say. (That every metric in them is served is a test of the
stack.)"""

import json
import re
import subprocess
import tempfile

import yaml

from settings import ROOT, fail_with

PROMETHEUS = ROOT / "ops/prometheus"
alerts = [rule for group in yaml.safe_load((PROMETHEUS / "alerts.yml").read_text())["groups"] for rule in group["rules"]]
headings = re.findall(r"^#+ (.*)$", (ROOT / "docs/operations.md").read_text(), re.MULTILINE)
# As GitHub makes anchors of headings.
anchors = {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}
panels = json.loads((ROOT / "ops/grafana/t3.json").read_text())["panels"]
queries = [target["expr"] for panel in panels for target in panel.get("targets", [])]
problems = []

for alert in alerts:
    name, notes = alert["alert"], alert.get("annotations", {})
    for needed in ("summary", "description"):
        if not notes.get(needed):
            problems.append(f"alert {name} has no {needed}")
    if alert.get("labels", {}).get("severity") not in ("page", "warn"):
        problems.append(f"alert {name} must have the severity page or warn")
    page, _, anchor = notes.get("runbook_url", "").partition("#")
    if page != "docs/operations.md" or anchor not in anchors:
        problems.append(f"alert {name} must name its runbook: a heading of docs/operations.md")


def promtool(*arguments: str) -> None:
    done = subprocess.run(["promtool", *arguments], capture_output=True, text=True)
    if done.returncode != 0:
        problems.append(f"promtool {' '.join(arguments)}:\n{done.stdout}{done.stderr}")


with tempfile.NamedTemporaryFile("w", suffix=".yml") as rules:
    # Grafana puts a duration in place of its variable.
    plain = [query.replace("$__rate_interval", "1m") for query in queries]
    recorded = [{"record": f"dashboard_{n}", "expr": query} for n, query in enumerate(plain)]
    yaml.safe_dump({"groups": [{"name": "dashboard", "rules": recorded}]}, rules)
    rules.flush()
    promtool("check", "rules", rules.name)
promtool("check", "config", str(PROMETHEUS / "prometheus.yml"))
promtool("test", "rules", str(PROMETHEUS / "alerts_test.yml"))
fail_with(problems)
print(f"{len(alerts)} alerts, {len(queries)} queries of the dashboard")
