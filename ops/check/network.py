"""Who can reach whom by the NetworkPolicies: an edge is there when one end may send and the other
may receive. The edges must be those of the picture in the README, no more and no fewer."""

from settings import SERVICES

OWNERS = [name for name in SERVICES if name != "gateway"]

# Pods that are not in our manifests: their namespace, their labels, the ports they listen on.
OTHERS = {
    "nats": ("t3-data", {"app.kubernetes.io/name": "nats"}, {4222, 6222, 7777, 8222}),
    "mongo": ("t3-data", {"app": "t3-mongo-svc"}, {27017}),
    "ingress": ("ingress-nginx", {}, set()),
    "monitoring": ("monitoring", {}, {4318}),
    "keda": ("keda", {}, set()),
}

EDGES = (
    {("ingress", "gateway", 8000)}
    | {(name, "nats", 4222) for name in (*SERVICES, "provision")}
    | {(name, "mongo", 27017) for name in (*OWNERS, "provision")}
    | {("provision", "nats", 8222), ("keda", "nats", 8222)}
    | {("nats", "nats", 6222), ("mongo", "mongo", 27017)}
    | {("monitoring", name, 9100) for name in SERVICES}
    | {("monitoring", "nats", 7777)}
    | {(name, "monitoring", 4318) for name in SERVICES}
)
# Only where mails are caught.
CATCHER = {("mailer", "mailpit", 1025)}


def selects(selector: dict, labels: dict) -> bool:
    def holds(rule):
        assert rule["operator"] == "In", rule
        return labels.get(rule["key"]) in rule["values"]

    return selector.get("matchLabels", {}).items() <= labels.items() and all(map(holds, selector.get("matchExpressions", [])))


def allows(rules: list[dict], side: str, home: str, other: tuple, port: int) -> bool:
    """Whether a rule lets the other end through; a rule without ends is for everybody."""
    namespace, labels, _ = other
    for rule in rules:
        if port not in [entry["port"] for entry in rule["ports"]]:
            continue
        for end in rule.get(side, [{}]):
            if "ipBlock" in end:
                continue
            if "namespaceSelector" in end:
                there = selects(end["namespaceSelector"], {"kubernetes.io/metadata.name": namespace})
            else:
                there = namespace == home or not end
            if there and selects(end.get("podSelector", {}), labels):
                return True
    return False


def problems(objects: list[dict]):
    pods = dict(OTHERS)
    for thing in objects:
        if thing["kind"] in ("Deployment", "Job"):
            template = thing["spec"]["template"]
            ports = {port["containerPort"] for container in template["spec"]["containers"] for port in container.get("ports", [])}
            pods[thing["metadata"]["name"]] = (thing["metadata"]["namespace"], template["metadata"]["labels"], ports)
    policies = [thing for thing in objects if thing["kind"] == "NetworkPolicy"]
    closed = {policy["metadata"]["namespace"] for policy in policies if policy["spec"]["podSelector"] == {}}

    def may(direction: str, side: str, pod: tuple, other: tuple, port: int) -> bool:
        """Whether the policies of one end let this through; nobody's are in namespaces of others."""
        namespace, labels, _ = pod
        if namespace not in closed:
            return True
        rules = [
            rule
            for policy in policies
            if policy["metadata"]["namespace"] == namespace and selects(policy["spec"]["podSelector"], labels)
            for rule in policy["spec"].get(direction, [])
        ]
        return allows(rules, side, namespace, other, port)

    found = {
        (source, target, port)
        for source, sender in pods.items()
        for target, receiver in pods.items()
        for port in receiver[2]
        if sender[0] in closed or receiver[0] in closed
        if may("egress", "to", sender, receiver, port) and may("ingress", "from", receiver, sender, port)
    }
    expected = EDGES | (CATCHER if "mailpit" in pods else set())
    for source, target, port in sorted(found - expected):
        yield f"network: {source} can reach {target} on {port}, which is no edge of the picture"
    for source, target, port in sorted(expected - found):
        yield f"network: {source} cannot reach {target} on {port}"
