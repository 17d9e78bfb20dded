"""Checks the policies for the persons who deploy and operate a stack."""

import re
from fnmatch import fnmatchcase

import pytest
from cfnlint.schema import PROVIDER_SCHEMA_MANAGER

from support import policies, store_calls
from support import template as sam

# The maximum of a managed policy.
SIZE_MAX = 6144
# Statements that also name resources outside the stack: those without a name of ours, the bucket of the bundles and its
# stack, what AWS provides, and the mappings, which a condition limits.
OUTSIDE = {
    "Budget",
    "Bundles",
    "Deployments",
    "HostName",
    "HttpApi",
    "MappingTags",
    "Mappings",
    "Stack",
    "Transform",
    "WithoutResources",
}

# Rights that CloudFormation lists for the resource types of the template, and that only properties need which the template
# does not use: own keys, networks, imports, replicas, streams, layers, code signing, managed policies, index and data
# protection policies.
UNUSED = re.compile(
    r"(kms|ec2|elasticfilesystem|s3files|kinesis|firehose):"
    r"|s3:(getObject|GetObjectMetadata|REST)"
    r"|dynamodb:(\w*Item|Query|Scan|\w*Replica|ImportTable|DeleteResourcePolicy|PutResourcePolicy|\w*StreamingDestination"
    r"|UpdateContributorInsights)$"
    r"|iam:(\w*(User|Group)Policy|(Attach|Detach)RolePolicy|\w*PermissionsBoundary|CreateServiceLinkedRole)"
    r"|lambda:PassCapacityProvider"
    r"|codedeploy:RegisterOnPremisesInstance"
    r"|logs:(CreateLogStream|DescribeLogStreams|PutLogEvents|\w*KmsKey|\w*(IndexPolicy|DataProtectionPolicy)"
    r"|DeleteResourcePolicy|PutBearerTokenAuthentication)"
    r"|sns:PutDataProtectionPolicy"
    r"|secretsmanager:(GetSecretValue|\w*Replicat\w*)"
)
# Tables outlive every stack.
NEVER = {"dynamodb:DeleteTable"}
# Types whose rights CloudFormation does not list.
UNLISTED = {
    "AWS::Budgets::Budget": {"budgets:ModifyBudget", "budgets:ViewBudget"},
    "AWS::Route53::RecordSet": {"route53:ChangeResourceRecordSets", "route53:GetChange", "route53:GetHostedZone"},
}
# Calls of `sam deploy` and `infra/rollback.py`.
OF_TOOLS = {
    "cloudformation:CancelUpdateStack",
    "cloudformation:CreateChangeSet",
    "cloudformation:DeleteStack",
    "cloudformation:DescribeChangeSet",
    "cloudformation:DescribeStackEvents",
    "cloudformation:DescribeStacks",
    "cloudformation:ExecuteChangeSet",
    "cloudformation:GetTemplateSummary",
    "cloudformation:ListStackResources",
    "cloudformation:RollbackStack",
    "lambda:GetAccountSettings",
    "lambda:GetAlias",
    "lambda:ListVersionsByFunction",
    "lambda:UpdateAlias",
    "s3:CreateBucket",
    "s3:GetObject",
    "s3:PutBucketPolicy",
    "s3:PutBucketTagging",
    "s3:PutBucketVersioning",
    "s3:PutBucketPublicAccessBlock",
    "s3:PutObject",
    "sts:GetCallerIdentity",
}


@pytest.fixture(scope="module")
def deployer():
    return policies.load("deployer")


@pytest.fixture(scope="module")
def operator():
    return policies.load("operator")


def rights_of(kind):
    """Returns the rights that CloudFormation needs to create, read, change and delete resources of a type."""
    if kind in UNLISTED:
        return UNLISTED[kind]
    handlers = PROVIDER_SCHEMA_MANAGER.get_resource_schema(sam.REGION, kind).schema["handlers"]
    rights = {right for name, handler in handlers.items() if name != "list" for right in handler["permissions"]}
    return {right for right in rights - NEVER if not UNUSED.match(right)}


@pytest.mark.parametrize("name", ["deployer", "operator", "responder"])
def test_a_policy_fits_into_a_managed_policy(name):
    assert policies.size(name) <= SIZE_MAX


@pytest.mark.parametrize("name", ["deployer", "operator", "responder"])
def test_a_policy_names_the_resources_of_one_stack(name):
    for statement in policies.load(name):
        assert statement["Effect"] == "Allow"
        outside = [resource for resource in statement["Resource"] if not re.search(r"\bSTACK\b", resource)]
        assert not outside or statement["Sid"] in OUTSIDE, statement["Sid"]


@pytest.fixture(scope="module")
def needed():
    """The rights that deploying, changing, deleting and rolling back the template need."""
    translated = sam.translate(sam.load(), {"GradualDeployments": "true"})
    return OF_TOOLS.union(*(rights_of(kind) for kind in {res["Type"] for res in translated["Resources"].values()}))


def test_the_deployer_may_do_what_the_template_and_the_tools_need(deployer, needed):
    assert len(needed) > 100
    assert sorted(right for right in needed if not policies.allows(deployer, right)) == []


def test_the_deployer_may_nothing_that_the_template_and_the_tools_do_not_need(deployer, needed):
    # Services whose control plane is written out. The others have patterns or are limited to resources of the stack.
    written_out = {"dynamodb", "sqs", "secretsmanager", "iam"}
    patterns = {p for statement in deployer for p in statement["Action"] if p.split(":")[0] in written_out}
    assert sorted(p for p in patterns if not any(fnmatchcase(right, p) for right in needed)) == []


def test_the_deployer_reads_no_data_and_deletes_no_table(deployer):
    forbidden = {
        "dynamodb:GetItem",
        "dynamodb:Query",
        "dynamodb:Scan",
        "dynamodb:PutItem",
        "dynamodb:DeleteTable",
        "sqs:ReceiveMessage",
        "sqs:SendMessage",
        "sqs:PurgeQueue",
        "secretsmanager:GetSecretValue",
        "lambda:InvokeFunction",
        "iam:AttachRolePolicy",
    }
    assert [action for action in sorted(forbidden) if policies.allows(deployer, action)] == []
    (deleting,) = [statement for statement in deployer if "sqs:DeleteQueue" in statement["Action"]]
    # The queues that the template does not retain.
    assert [resource.split(":")[-1] for resource in deleting["Resource"]] == [
        f"STACK-{name}-*"
        for name, queue in sam.of_type(sam.load(), "AWS::SQS::Queue").items()
        if queue["DeletionPolicy"] == "Delete"
    ]


def test_roles_are_passed_only_to_the_services_that_use_them(deployer):
    (passing,) = [statement for statement in deployer if "iam:PassRole" in statement["Action"]]
    trusted = {
        role["Properties"]["AssumeRolePolicyDocument"]["Statement"][0]["Principal"]["Service"]
        for role in sam.of_type(sam.load(), "AWS::IAM::Role").values()
    }
    assert set(passing["Condition"]["StringEquals"]["iam:PassedToService"]) == trusted


def test_the_operator_may_exactly_what_the_command_line_calls(operator):
    tables, described, others = set(), set(), set()
    for statement in operator:
        for action in statement["Action"]:
            if action.startswith("dynamodb:Describe"):
                described.add(action.split(":")[1])
            elif action.startswith("dynamodb:"):
                (resource,) = statement["Resource"]
                table = re.fullmatch(r".*:table/STACK-(\w+)Table-\*(/index/\*)?", resource)
                tables.add((table[1], table[2] is not None, action.split(":")[1]))
            else:
                others.add(action)
    assert tables == store_calls.of_crate(policies.CLI / "src")
    assert others == policies.calls_of_the_cli()
    text = "".join(path.read_text(encoding="utf-8") for path in (policies.CLI / "src").rglob("*.rs"))
    called = re.findall(r"dynamodb\s*\.(describe_\w+)\(\)", text)
    assert described == {name.title().replace("_", "") for name in called}


def test_the_operator_reads_the_secrets_of_sites_and_changes_no_key(operator):
    keys = [s["Action"] for s in operator if any("/keys-" in resource for resource in s["Resource"])]
    assert keys == [["secretsmanager:GetSecretValue"]]
    assert not policies.allows(operator, "secretsmanager:DeleteSecret")
