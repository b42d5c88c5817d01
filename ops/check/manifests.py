"""The objects of an overlay, as kustomize renders them on standard input: their shape (schemas.py),
that what one names another one has, and who can reach whom (network.py)."""

import sys

import yaml

import network
import schemas
from settings import SERVICES, fail_with, known

# A drain takes 25 seconds at most.
DRAIN = 25
CONTAINED = {"allowPrivilegeEscalation": False, "readOnlyRootFilesystem": True, "capabilities": {"drop": ["ALL"]}}
# What the nats-jetstream trigger reads; its metadata is free text for the schema.
TRIGGER = {"natsServerMonitoringEndpoint", "account", "stream", "consumer", "lagThreshold"}
CONSUMERS = {("INGEST", "timetrack"), ("INGEST", "timetrack_batches"), ("EVENTS", "analytics")}

Objects = list[dict]


def of_kind(objects: Objects, *kinds: str) -> dict[str, dict]:
    return {thing["metadata"]["name"]: thing for thing in objects if thing["kind"] in kinds}


def pods(objects: Objects) -> dict[str, dict]:
    """The pod template of each workload."""
    return {name: thing["spec"]["template"] for name, thing in of_kind(objects, "Deployment", "Job").items()}


def matches(selector: dict, template: dict) -> bool:
    return selector.items() <= template["metadata"]["labels"].items()


def settings(objects: Objects):
    names = known()
    maps = of_kind(objects, "ConfigMap")
    for name, data in maps.items():
        if unknown := set(data["data"]) - names:
            yield f"{name}: no such setting: {', '.join(sorted(unknown))}"
    for name, template in pods(objects).items():
        if name not in (*SERVICES, "provision"):
            continue
        container = template["spec"]["containers"][0]
        if unknown := {env["name"] for env in container["env"]} - names:
            yield f"{name}: no such setting: {', '.join(sorted(unknown))}"
        for source in container["envFrom"]:
            if source["configMapRef"]["name"] not in maps:
                yield f"{name}: there is no ConfigMap {source['configMapRef']['name']}"


def containment(objects: Objects):
    for name, template in pods(objects).items():
        spec = template["spec"]
        if not spec["securityContext"].get("runAsNonRoot") or "seccompProfile" not in spec["securityContext"]:
            yield f"{name}: is not of the restricted profile"
        if spec.get("automountServiceAccountToken", True):
            yield f"{name}: gets a token of the cluster, which it does not need"
        for container in spec["containers"]:
            if container.get("securityContext") != CONTAINED:
                yield f"{name}: its container has rights that it does not need"
            if "requests" not in container["resources"] or "memory" not in container["resources"]["limits"]:
                yield f"{name}: asks for no resources"


def lives(objects: Objects):
    for name in SERVICES:
        spec = pods(objects)[name]["spec"]
        container = spec["containers"][0]
        ports = {port["name"] for port in container["ports"]}
        for probe, path in (("startupProbe", "/healthz"), ("livenessProbe", "/healthz"), ("readinessProbe", "/readyz")):
            asked = container[probe]["httpGet"]
            if asked["path"] != path or asked["port"] not in ports:
                yield f"{name}: its {probe} asks {asked}"
        before = container.get("lifecycle", {}).get("preStop", {}).get("sleep", {}).get("seconds", 0)
        if spec["terminationGracePeriodSeconds"] <= before + DRAIN:
            yield f"{name}: is killed before it is drained"


def names(objects: Objects):
    """What is named is there."""
    templates = pods(objects)
    deployments = of_kind(objects, "Deployment")
    for thing in objects:
        kind, name, spec = thing["kind"], thing["metadata"]["name"], thing.get("spec", {})
        if kind in ("PodDisruptionBudget", "Service", "PodMonitor"):
            selector = spec["selector"] if kind == "Service" else spec["selector"]["matchLabels"]
            selected = [template for template in templates.values() if matches(selector, template)]
            if not selected:
                yield f"{kind} {name}: selects nothing"
            wanted = {p["targetPort"] for p in spec.get("ports", [])} | {p["port"] for p in spec.get("podMetricsEndpoints", [])}
            for template in selected:
                if missing := wanted - {port["name"] for port in template["spec"]["containers"][0]["ports"]}:
                    yield f"{kind} {name}: nobody listens on {missing}"
        if kind in ("HorizontalPodAutoscaler", "ScaledObject"):
            target = spec["scaleTargetRef"]["name"]
            if target not in deployments:
                yield f"{kind} {name}: there is no Deployment {target}"
            elif "replicas" in deployments[target]["spec"]:
                yield f"{target}: its replicas are set here and by {kind} {name}"
        if kind == "ScaledObject":
            for trigger in spec["triggers"]:
                metadata = trigger["metadata"]
                if trigger["type"] != "nats-jetstream" or set(metadata) != TRIGGER:
                    yield f"ScaledObject {name}: is not what nats-jetstream reads: {sorted(set(metadata) ^ TRIGGER)}"
                elif (metadata["stream"], metadata["consumer"]) not in CONSUMERS:
                    yield f"ScaledObject {name}: there is no consumer {metadata['consumer']} of {metadata['stream']}"


def secrets(objects: Objects):
    """Where a vault has the secrets, all that are mounted come out of it."""
    vault = {
        name: {entry["secretKey"] for entry in thing["spec"]["data"]} for name, thing in of_kind(objects, "ExternalSecret").items()
    }
    if not vault:
        return
    for name, template in pods(objects).items():
        for volume in template["spec"].get("volumes", []):
            sources = [{"name": volume["secret"]["secretName"]}] if "secret" in volume else []
            sources += [source["secret"] for source in volume.get("projected", {}).get("sources", [])]
            for source in sources:
                if source["name"] not in vault:
                    yield f"{name}: no ExternalSecret makes {source['name']}"
                elif missing := {item["key"] for item in source.get("items", [])} - vault[source["name"]]:
                    yield f"{name}: {source['name']} has no {missing}"


def problems(objects: Objects):
    for thing in objects:
        yield from schemas.problems(thing)
    for check in (settings, containment, lives, names, secrets, network.problems):
        yield from check(objects)


if __name__ == "__main__":
    objects = [thing for thing in yaml.safe_load_all(sys.stdin) if thing]
    fail_with(list(problems(objects)))
    print(f"{len(objects)} objects")
