"""The DynamoDB calls of a crate, found in the source text: which methods of `store` it calls, and what they call.

A method is found by its name and by the field that it is called on, such as `ledger.record_event(`. The result is
therefore a list of calls that the crate can make, not a proof that it makes no other.
"""

import re
from functools import cache

from support.paths import ROOT

STORE = ROOT / "shared" / "store" / "src"

# The modules whose methods a field has, and the table that they work on unless a call names another.
MODULES = {
    "config": ("Config", "config"),
    "webhooks": ("Config", "webhooks"),
    "contacts": ("Contacts", "contacts"),
    "ledger": ("Ledger", "ledger"),
    "parking": ("Ledger", "ledger"),
    "claims": ("Ledger", "ledger"),
    "schedule": ("Schedule", "schedule"),
    # The names of the table in the cache of API keys of receive-event, and in the sync.
    "table": ("Config", "config"),
    "store": ("Config", "config"),
}
FILES = {"schedule": ("schedule", "accounts", "sweeps")}

FUNCTION = re.compile(r"^(?: {4})?(?:pub(?:\([\w:]+\))? )?(?:async )?fn (\w+)", re.MULTILINE)
CALL = re.compile(
    r"\.(get_item|put_item|update_item|delete_item|query|scan|batch_get_item)\(\)"
    r"|\b(Put|Update|Delete|ConditionCheck)::builder\(\)|\bbatch_get::(items)\("
)
ACTIONS = {
    "get_item": "GetItem",
    "put_item": "PutItem",
    "update_item": "UpdateItem",
    "delete_item": "DeleteItem",
    "query": "Query",
    "scan": "Scan",
    "batch_get_item": "BatchGetItem",
    "items": "BatchGetItem",
    "Put": "PutItem",
    "Update": "UpdateItem",
    "Delete": "DeleteItem",
    "ConditionCheck": "ConditionCheckItem",
}
# A call of a method of the same value, or of a function of the same module. Not one of a request's builder.
OWN_CALL = re.compile(r"(?:\bself(?:\.(?:ledger|schedule))?\.|\bSelf::|(?<![.\w:]))(\w+)\(")


def code(path):
    """Returns the text of a Rust file without comments, unit tests and line breaks inside a chain of calls."""
    text = path.read_text(encoding="utf-8").split("#[cfg(test)]")[0]
    return re.sub(r"\s+\.(?=\w)", ".", re.sub(r"//.*", "", text))


def sources(module):
    for name in FILES.get(module, (module,)):
        yield STORE / f"{name}.rs"
        yield from sorted((STORE / name).rglob("*.rs"))


@cache
def methods(module):
    """Returns the functions of a module as {name: text}. Functions of the same name are joined."""
    found = {}
    for path in sources(module):
        text = code(path)
        starts = list(FUNCTION.finditer(text))
        for start, end in zip(starts, [*[m.start() for m in starts[1:]], len(text)], strict=True):
            found[start[1]] = found.get(start[1], "") + text[start.start() : end]
    return found


def calls_of(module, name, table, seen):
    """Yields (table, is_index, action) for a method and for the methods of its module that it calls."""
    if name in seen or name not in methods(module):
        return
    seen.add(name)
    text = methods(module)[name]
    ends = list(CALL.finditer(text))
    for position, call in enumerate(ends):
        rest = text[call.end() : ends[position + 1].start() if position + 1 < len(ends) else len(text)]
        action = ACTIONS[next(group for group in call.groups() if group)]
        yield table_of(rest, table), ".index_name(" in rest, action
    for other in set(OWN_CALL.findall(text)) - {name}:
        yield from calls_of(module, other, table, seen)


def table_of(call, table):
    """Returns the table that a call names. A module's own table is not named."""
    named = re.search(r"table_name\(&?([\w.]+)\)", call)
    place = named[1] if named else ""
    if place.endswith("contacts"):
        return "Contacts"
    return "Schedule" if "schedule" in place else table


def of_crate(folder):
    """Returns the DynamoDB calls that the sources of a crate can make, as a set of (table, is_index, action)."""
    found = set()
    for path in sorted(folder.rglob("*.rs")):
        for receiver, method in re.findall(r"\b(\w+)\.(\w+)\(", code(path)):
            if receiver in MODULES:
                table, module = MODULES[receiver]
                found |= set(calls_of(module, method, table, set()))
    return found
