"""The table function × action × resource of infra/README.md, generated from the template.

`cd tests && ../.local/venv/bin/python -m support.permissions` prints it.
"""

import sys

from support import template as sam


def table():
    """Returns the permissions of every function as a Markdown table with one line per resource."""
    template = sam.load()
    lines = ["| function | may | on | items |", "|---|---|---|---|"]
    for function, properties in sorted(sam.functions(template).items()):
        _, role = sam.role_of(template, properties)
        for statement in sam.statements(role):
            actions = ", ".join(f"`{action}`" for action in statement["Action"])
            keys = ", ".join(f"`{key}`" for key in statement["Keys"] or ())
            for resource in statement["Resource"]:
                lines.append(f"| `{function}` | {actions} | {sam.resource_name(resource)} | {keys} |")
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    sys.stdout.write(table())
