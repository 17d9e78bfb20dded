"""Waiting for a condition with a named limit. The suites use no other kind of waiting."""

import time

PAUSE_S = 0.05


def until(condition, what, limit_s):
    """Returns the first truthy result of `condition`. Fails and names `what` if there is none within `limit_s` seconds.

    A refused or broken connection inside `condition` counts as "not yet".
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
