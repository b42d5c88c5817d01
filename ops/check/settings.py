"""The names of all settings: those that our programs read. (That .env.example has those of the
services, and --help explains them, is a test of the stack.)"""

import pathlib
import re

ROOT = pathlib.Path(__file__).parents[2]
SERVICES = ("gateway", "directory", "projects", "timetrack", "analytics", "mailer", "audit")


def known() -> set[str]:
    sources = [path for folder in ("common", "services") for path in (ROOT / folder).glob("*/src/**/*.rs")]
    return {name for path in sources for name in re.findall(r'\benv = "([A-Z0-9_]+)"', path.read_text())}


def fail_with(problems: list[str]) -> None:
    """Ends the check: well, or with a line a problem."""
    if problems:
        raise SystemExit("\n".join(f"error: {problem}" for problem in problems))
