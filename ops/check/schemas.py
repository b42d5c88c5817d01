"""The shape of every object, strictly: a field that does not exist is an error, as a typing mistake
would otherwise be a setting that silently does nothing.

Kubernetes' own by its published schemas; KEDA's and the Prometheus operator's by the types that are
made from their definitions; for the rest no registry has any, so ops/schemas holds what we use."""

import json

import jsonschema
import kubernetes_validate
from cloudcoil.models.keda import v1alpha1 as keda
from cloudcoil.models.prometheus_operator import v1 as monitoring

from settings import ROOT

KUBERNETES = "1.37"


def closed(schema):
    """The schema with no fields but the named ones."""
    if isinstance(schema, dict):
        if "properties" in schema:
            schema.setdefault("additionalProperties", False)
        for part in schema.values():
            closed(part)
    elif isinstance(schema, list):
        for part in schema:
            closed(part)
    return schema


def ours(name: str):
    return json.loads((ROOT / f"ops/schemas/{name}.json").read_text())


CUSTOM = {
    ("keda.sh/v1alpha1", "ScaledObject"): closed(keda.ScaledObject.model_json_schema(by_alias=True)),
    ("monitoring.coreos.com/v1", "PodMonitor"): closed(monitoring.PodMonitor.model_json_schema(by_alias=True)),
    ("monitoring.coreos.com/v1", "PrometheusRule"): closed(monitoring.PrometheusRule.model_json_schema(by_alias=True)),
    ("external-secrets.io/v1", "ExternalSecret"): ours("externalsecret"),
    ("mongodbcommunity.mongodb.com/v1", "MongoDBCommunity"): ours("mongodbcommunity"),
}


def problems(thing: dict):
    kind = (thing["apiVersion"], thing["kind"])
    called = f"{thing['kind']} {thing['metadata'].get('namespace', '')}/{thing['metadata']['name']}"
    if kind in CUSTOM:
        for error in jsonschema.Draft202012Validator(CUSTOM[kind]).iter_errors(thing):
            yield f"{called}: {error.json_path}: {error.message}"
        if thing["kind"] == "MongoDBCommunity":
            yield from stateful_set(called, thing["spec"].get("statefulSet", {}).get("spec", {}))
        return
    try:
        kubernetes_validate.validate(thing, KUBERNETES, strict=True)
    except kubernetes_validate.ValidationError as error:
        yield f"{called}: {'.'.join(map(str, error.path))}: {error.message}"
    except kubernetes_validate.SchemaNotFoundError:
        yield f"{called}: nobody knows {kind[0]} {kind[1]}: give it a schema in ops/schemas"


def stateful_set(called: str, spec: dict):
    """What MongoDBCommunity merges into its StatefulSet is checked as one."""
    labels = {"app": "any"}
    template = spec.get("template", {})
    containers = [{"image": "any", **container} for container in template.get("spec", {}).get("containers", [])]
    whole = {
        "apiVersion": "apps/v1",
        "kind": "StatefulSet",
        "metadata": {"name": "any"},
        "spec": spec
        | {
            "selector": {"matchLabels": labels},
            "serviceName": "any",
            "template": {"metadata": {"labels": labels}, "spec": template.get("spec", {}) | {"containers": containers}},
        },
    }
    for problem in problems(whole):
        yield f"{called}, its {problem}"
