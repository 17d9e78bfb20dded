"""Checks the policy for the persons who follow the runbooks at night."""

import re

from support import policies, runbooks

COMMAND = re.compile(r"\baws ([a-z]+) ([a-z-]+)")
# These procedures create tables and secrets, which an administrator does.
OF_ADMINISTRATORS = {"region", "restore"}
# Calls of `infra/rollback.py`.
OF_ROLLBACK = {
    "cloudformation:DescribeStacks",
    "cloudformation:ListStackResources",
    "lambda:GetAlias",
    "lambda:ListVersionsByFunction",
    "lambda:UpdateAlias",
}


def needed():
    """The actions of the AWS commands in the runbooks, by their page."""
    pages = {name: text for name, text in runbooks.pages().items() if name not in OF_ADMINISTRATORS}
    return {
        (name, f"{service}:{''.join(word.capitalize() for word in command.split('-'))}")
        for name, text in pages.items()
        for service, command in COMMAND.findall(text)
    }


def test_a_responder_may_run_the_commands_of_the_runbooks():
    together = policies.load("responder") + policies.load("operator")
    assert len(needed()) > 10
    refused = {(page, action) for page, action in needed() if not policies.allows(together, action)}
    assert refused == set()
    assert {action for action in OF_ROLLBACK if not policies.allows(policies.load("responder"), action)} == set()


def test_a_responder_changes_only_what_the_runbooks_change():
    changing = re.compile(r":(?!Describe|Filter|Get|List|StartQuery|StopQuery|Receive)")
    actions = {action for statement in policies.load("responder") for action in statement["Action"]}
    assert {action for action in actions if changing.search(action)} == {
        "cloudformation:CancelUpdateStack",
        "cloudwatch:SetAlarmState",
        "lambda:DeleteFunctionConcurrency",
        "lambda:PutFunctionConcurrency",
        "lambda:UpdateAlias",
        "lambda:UpdateEventSourceMapping",
        "sqs:PurgeQueue",
    }
    assert {action.split(":")[0] for action in actions} & {"dynamodb", "iam", "kms", "secretsmanager", "sns"} == set()


def test_a_responder_reads_and_empties_only_the_queues_of_evidence():
    for statement in policies.load("responder"):
        if {"sqs:PurgeQueue", "sqs:ReceiveMessage"} & set(statement["Action"]):
            queues = {resource.split(":")[-1] for resource in statement["Resource"]}
            assert queues == {"STACK-FailedInvocations-*", "STACK-MissedTicks-*"}
