"""Who can reach whom by the NetworkPolicies: both ends of each edge of the picture in
docs/operations.md must let it through, and no end anything else."""

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
OTHERWISE = {True: "it is an edge of the picture", False: "it is no edge of the picture"}
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
        """Whether the policies at one end let this through."""
        namespace, labels, _ = pod
        rules = [
            rule
            for policy in policies
            if policy["metadata"]["namespace"] == namespace and selects(policy["spec"]["podSelector"], labels)
            for rule in policy["spec"].get(direction, [])
        ]
        return allows(rules, side, namespace, other, port)

    # Each end by itself: one that is too wide is not excused by the other.
    expected = EDGES | (CATCHER if "mailpit" in pods else set())
    for source, sender in pods.items():
        for target, receiver in pods.items():
            for port in receiver[2]:
                wanted = (source, target, port) in expected
                if sender[0] in closed and may("egress", "to", sender, receiver, port) != wanted:
                    yield f"network: {source} may {'not ' * wanted}send to {target} on {port}: {OTHERWISE[wanted]}"
                if receiver[0] in closed and may("ingress", "from", receiver, sender, port) != wanted:
                    yield f"network: {target} may {'not ' * wanted}be reached by {source} on {port}: {OTHERWISE[wanted]}"
