"""docker-compose.yml, as Docker Compose itself understands it (which has checked it against the
specification by then): the settings exist, ports are on loopback only, nothing has more rights
than it must, images are pinned. Reads the rendered JSON of all profiles from standard input."""

import json
import re
import sys

from settings import ROOT, SERVICES, fail_with, known

# Images that are not ours have settings that are not ours.
OURS = (*SERVICES, "provision", "secrets")
TARGETS = set(re.findall(r"^FROM \S+ AS (\S+)$", (ROOT / "Dockerfile").read_text(), re.MULTILINE))


def problems(config: dict):
    settings = known()
    for name, service in config["services"].items():
        if name in OURS:
            unknown = set(service.get("environment") or {}) - settings
            if unknown:
                yield f"{name}: no such setting: {', '.join(sorted(unknown))}"
            target = "provision" if name == "secrets" else name
            if "build" in service and service["build"]["target"] != target or target not in TARGETS:
                yield f"{name}: is not built from the target {target} of the Dockerfile"
        elif ":" not in service["image"] or service["image"].endswith(":latest"):
            yield f"{name}: the image {service['image']} has no version"
        for port in service.get("ports", []):
            if port.get("host_ip") != "127.0.0.1":
                yield f"{name}: port {port['target']} is not on loopback only"
        if not service.get("read_only") or service.get("cap_drop") != ["ALL"]:
            yield f"{name}: its root can be written, or it has rights that it does not need"
        if "no-new-privileges:true" not in service.get("security_opt", []):
            yield f"{name}: it may gain rights"
    for name in SERVICES:
        service = config["services"][name]
        if service.get("healthcheck", {}).get("test") != ["CMD", name, "health", "--ready"]:
            yield f"{name}: its health is not asked by itself"
        if "container_name" in service or (name != "gateway" and service.get("ports")):
            yield f"{name}: cannot be scaled: it has a name or a port of its own"
    for name, service in config["services"].items():
        for other, how in service.get("depends_on", {}).items():
            if how["condition"] == "service_healthy" and "healthcheck" not in config["services"][other]:
                yield f"{name} waits for the health of {other}, which has no check"


fail_with(list(problems(json.load(sys.stdin))))
