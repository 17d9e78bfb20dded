"""The published examples of events, whose times are relative, as in `shared/domain/src/event/example.rs`."""

import re
from datetime import timedelta

TIME = re.compile(r"\{\{(now|today)(?: ([+-]) ((?:\d+[dhm] ?)+))?\}\}")
UNITS = {"d": "days", "h": "hours", "m": "minutes"}


def filled(text, now):
    """Replaces the times in an example by those of its use at `now`."""

    def time(found):
        kind, sign, span = found.groups()
        parts = {UNITS[unit]: int(count) for count, unit in re.findall(r"(\d+)([dhm])", span or "")}
        at = now + timedelta(**parts) * (-1 if sign == "-" else 1)
        return at.date().isoformat() if kind == "today" else at.isoformat(timespec="seconds")

    return TIME.sub(time, text)
