"""The policies for persons in `infra/policies`, and the SDK calls of the command line."""

import json
import re
from fnmatch import fnmatchcase

import botocore.session
from botocore import xform_name

from support import store_calls
from support.paths import ROOT

POLICIES = ROOT / "infra" / "policies"
CLI = ROOT / "infra" / "cli"
# What the command line uses of AWS outside its own crate and outside `store`.
SHARED = (ROOT / "shared" / "queue" / "src", ROOT / "shared" / "runtime" / "src" / "secrets.rs")
# Services whose calls are found in the text of the sources. Those of DynamoDB are in `store`.
CRATE = re.compile(r"^aws-sdk-(\w+)\b", re.MULTILINE)
# The name of a service in botocore, and the prefix of its actions, where they differ from the name of the crate.
SERVICES = {"servicequotas": "service-quotas"}
# A batch needs the action of a single call.
SINGLE = {"sqs:SendMessageBatch": "sqs:SendMessage"}


def load(name):
    """Returns the statements of a policy. `Action` and `Resource` are always lists."""
    document = json.loads((POLICIES / f"{name}.json").read_text(encoding="utf-8"))
    assert document["Version"] == "2012-10-17"
    for statement in document["Statement"]:
        for part in ("Action", "Resource"):
            if isinstance(statement[part], str):
                statement[part] = [statement[part]]
    return document["Statement"]


def size(name):
    """Returns the characters that IAM counts: all but whitespace."""
    return len("".join((POLICIES / f"{name}.json").read_text(encoding="utf-8").split()))


def allows(statements, action):
    """Whether any statement allows an action, whatever the resource."""
    return any(fnmatchcase(action, pattern) for statement in statements for pattern in statement["Action"])


def calls_of_the_cli():
    """Returns the actions outside DynamoDB that the command line needs, from the SDK calls in the sources."""
    manifest = (CLI / "Cargo.toml").read_text(encoding="utf-8").split("[dev-dependencies]")[0]
    sources = [*sorted((CLI / "src").rglob("*.rs"))]
    for place in SHARED:
        sources += [place] if place.is_file() else sorted(place.rglob("*.rs"))
    text = "".join(store_calls.code(path) for path in sources)
    called = set(re.findall(r"\.(\w+)\(\)(?=\.)", text))
    found = set()
    for service in set(CRATE.findall(manifest)) - {"dynamodb"}:
        model = botocore.session.get_session().get_service_model(SERVICES.get(service, service))
        for operation in model.operation_names:
            if xform_name(operation) in called:
                action = f"{service}:{operation}"
                found.add(SINGLE.get(action, action))
    return found
