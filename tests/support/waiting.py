"""Waiting for a condition with a named limit, the only kind of waiting there is in the suites."""

import time

PAUSE_S = 0.05


def until(condition, what, limit_s):
    """The first truthy answer of `condition`; fails naming `what` when none came within `limit_s` seconds.

    What the condition raises as a refused or broken connection counts as "not yet".
    """
    deadline = time.monotonic() + limit_s
    seen = None
    while time.monotonic() < deadline:
        try:
            seen = condition()
        except OSError as error:
            seen = error
        else:
            if seen:
                return seen
        time.sleep(PAUSE_S)
    raise AssertionError(f"not within {limit_s} s: {what}; last seen: {seen!r}")
