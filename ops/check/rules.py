"""The alerts as an object for the Prometheus operator. They are written once, in
ops/prometheus/alerts.yml; this keeps the copy in k8s the same. `--write` writes it."""

import sys

import yaml

from settings import ROOT, fail_with

ALERTS = ROOT / "ops/prometheus/alerts.yml"
COPY = ROOT / "k8s/components/monitoring/alerts.yaml"

rule = {
    "apiVersion": "monitoring.coreos.com/v1",
    "kind": "PrometheusRule",
    "metadata": {"name": "t3", "namespace": "t3"},
    "spec": yaml.safe_load(ALERTS.read_text()),
}
text = "# Written by ops/check/rules.py out of ops/prometheus/alerts.yml.\n"
text += yaml.safe_dump(rule, sort_keys=False, allow_unicode=True, width=120)

if sys.argv[1:] == ["--write"]:
    COPY.write_text(text)
elif COPY.read_text() != text:
    fail_with([f"{COPY.relative_to(ROOT)} is older than the alerts: run ops/check/rules.py --write"])
