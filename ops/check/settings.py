"""The names of all settings: those of .env.example (a test of the stack holds it to --help), and
those of `provision`, which are its own."""

import pathlib
import re

ROOT = pathlib.Path(__file__).parents[2]
SERVICES = ("gateway", "directory", "projects", "timetrack", "analytics", "mailer")
PROVISION = {
    "SECRETS_DIR", "NATS_MONITOR_URL", "STREAM_REPLICAS",
    "EVENTS_MAX_BYTES", "EVENTS_MAX_AGE_DAYS", "INGEST_MAX_BYTES", "DEAD_MAX_BYTES",
}  # fmt: skip


def known() -> set[str]:
    example = (ROOT / ".env.example").read_text()
    return PROVISION | set(re.findall(r"^#?([A-Z][A-Z0-9_]*)=", example, re.MULTILINE))


def fail_with(problems: list[str]) -> None:
    """Ends the check: well, or with a line a problem."""
    if problems:
        raise SystemExit("\n".join(f"error: {problem}" for problem in problems))
