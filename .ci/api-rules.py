"""What the description of the API cannot say, so that nothing here is a fault. Each has its reason."""

import time
from urllib.parse import parse_qsl, urlsplit

import requests
import schemathesis
from schemathesis.core.failures import AcceptedNegativeData, ServerError
from schemathesis.openapi.checks import RejectedPositiveData, UndefinedStatusCode

# Rules between fields, and between a request and what there is: a schema knows neither. By the field
# and the beginning of its message; `*` is any field.
RULES = [
    ("end", "must be after start"),
    ("end", "must be at most 24 hours after start"),
    ("end", "must be at most 5 minutes ahead"),
    ("cursor", "must be as the header Link"),
    # Which characters can be seen, and which turn a text around, is Unicode's to say, by a thousand ranges.
    ("*", "must have a letter, a digit or another character that can be seen"),
    ("*", "must not contain characters that turn the direction"),
    # A zone of the IANA database: too many to list, and a matter of the year.
    ("timezone", "must be"),
    # Days of a range without end cost too much.
    ("groupBy", "must not make more than"),
    # A correction is of a window, or says all that a window does.
    ("windowId", "must be given"),
    ("start", "must be given"),
    ("end", "must be given"),
    ("projectId", "must be given"),
    ("taskId", "must be given"),
    # A role or scopes, never both.
    ("scopes", "must be given, at least one, or else a role"),
    ("role", "must be owner, admin, manager or auditor"),
    ("expiresAt", "must be in the future"),
    # How hard a password is to guess.
    ("*", "must be harder to guess"),
    # Years that pay periods are counted in, and a day that every month has.
    ("anchor", "must be a day"),
    # Years that rates hold in; what a preview and its confirmation are; and how many hours are looked at.
    ("validFrom", "must be a day"),
    ("hash", "must be given"),
    ("filter.end", "must be after start"),
    ("filter", "must take at most"),
    # How many pay periods a question may touch, and where locks may stand.
    ("end", "must not be so far from start"),
    ("lockedUntil", "must lie before the moment"),
    ("lockedUntil", "must not lie ahead"),
    # So many computers of one person are enough.
    ("computer", "must be one of the"),
]


def is_rule(error):
    return any(error["message"].startswith(message) and field in (error["field"], "*") for field, message in RULES)


def has_passed(request):
    """Whether the same request is answered a little later: the machine was busy."""
    for _ in range(10):
        time.sleep(1)
        if requests.Session().send(request, timeout=30).status_code < 500:
            return True
    return False


@schemathesis.hook
def filter_failure(context, failure, case, response):
    """Whether it is one."""
    # An address of more than 64 KiB is refused before anybody knows which call it is.
    if response.status_code == 414:
        return not isinstance(failure, (UndefinedStatusCode, AcceptedNegativeData, RejectedPositiveData))
    if isinstance(failure, ServerError) and response.status_code in (503, 504):
        return not has_passed(response.request)
    if isinstance(failure, RejectedPositiveData):
        # 400 is for rules of the business, such as a project that does not exist; 412, for what was seen.
        if response.status_code in (400, 412):
            return False
        errors = response.json().get("errors") if response.status_code == 422 else None
        return not errors or not all(is_rule(error) for error in errors)
    if isinstance(failure, AcceptedNegativeData):
        # A parameter without a value counts as left out, as scripts send it.
        if any(not value for _, value in parse_qsl(urlsplit(response.request.url).query, keep_blank_values=True)):
            return False
        # One bad window of a batch never spoils its neighbours: it is rejected in the answer.
        if case.operation.path.endswith("/batch") and response.status_code in (200, 202):
            return not any(item["status"] == "rejected" for item in response.json()["items"])
    return True
