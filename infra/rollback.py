#!/usr/bin/env python3
"""Moves the alias `live` of each function back to the version from before the last deployment of a stack.

    .local/venv/bin/python infra/rollback.py STACK [--dry-run]

Only functions that got a new version in the last deployment are moved. Tables, queues, roles and parameters stay as they
are. Credentials and region come from where the AWS tools look for them. Exit codes: 0 moved, 1 refused, nothing changed.
"""

import argparse
import sys
from dataclasses import dataclass
from datetime import datetime

import boto3

ALIAS = "live"
# The format of Lambda's times, such as 2026-11-28T08:00:00.000+0000.
TIME = "%Y-%m-%dT%H:%M:%S.%f%z"


class Refused(Exception):
    """The rollback is not possible. Nothing was changed."""


@dataclass(frozen=True)
class Live:
    """A function, the versions that exist with their times, and the version that its alias points at."""

    name: str
    version: int
    published: dict
    in_progress: bool
    revision: str


def plan(functions, deployed_at):
    """Returns [(function, earlier version)] for the functions whose live version is not older than the deployment."""
    shifting = [function.name for function in functions if function.in_progress]
    if shifting:
        raise Refused(
            f"a deployment of {', '.join(shifting)} is in progress; stop it with "
            "`aws cloudformation cancel-update-stack`, which also rolls it back"
        )
    moves = []
    for function in functions:
        if function.published[function.version] < deployed_at:
            continue
        earlier = [version for version in function.published if version < function.version]
        if not earlier:
            raise Refused(f"{function.name} has no version before {function.version}")
        moves.append((function, max(earlier)))
    if not moves:
        raise Refused("the last deployment published no version")
    return moves


def functions_of(stack, cloudformation, lambdas):
    """Reads the functions of a stack."""
    pages = cloudformation.get_paginator("list_stack_resources").paginate(StackName=stack)
    resources = [resource for page in pages for resource in page["StackResourceSummaries"]]
    for resource in resources:
        if resource["ResourceType"] != "AWS::Lambda::Function":
            continue
        name = resource["PhysicalResourceId"]
        alias = lambdas.get_alias(FunctionName=name, Name=ALIAS)
        pages = lambdas.get_paginator("list_versions_by_function").paginate(FunctionName=name)
        versions = [version for page in pages for version in page["Versions"] if version["Version"] != "$LATEST"]
        yield Live(
            name=name,
            version=int(alias["FunctionVersion"]),
            published={int(one["Version"]): datetime.strptime(one["LastModified"], TIME) for one in versions},
            in_progress=bool(alias.get("RoutingConfig", {}).get("AdditionalVersionWeights")),
            revision=alias["RevisionId"],
        )


def main(arguments=None):
    parser = argparse.ArgumentParser(description="Moves the functions of a stack back to their previous versions.")
    parser.add_argument("stack", help="the name of the stack")
    parser.add_argument("--dry-run", action="store_true", help="only print what would be moved")
    options = parser.parse_args(arguments)
    cloudformation, lambdas = boto3.client("cloudformation"), boto3.client("lambda")
    (stack,) = cloudformation.describe_stacks(StackName=options.stack)["Stacks"]
    deployed_at = stack.get("LastUpdatedTime", stack["CreationTime"])
    try:
        moves = plan(list(functions_of(options.stack, cloudformation, lambdas)), deployed_at)
    except Refused as refused:
        print(f"refused: {refused}", file=sys.stderr)
        return 1
    for function, version in moves:
        print(f"{function.name}: {function.version} -> {version}")
        if not options.dry_run:
            # The revision makes the change fail if the alias moved in the meantime.
            lambdas.update_alias(
                FunctionName=function.name, Name=ALIAS, FunctionVersion=str(version), RevisionId=function.revision
            )
    return 0


if __name__ == "__main__":
    sys.exit(main())
