"""The SAM template as data, and queries that more than one test uses."""

import os

from samtranslator.translator.transform import transform
from samtranslator.yaml_helper import yaml_parse

from support.paths import TEMPLATE

REGION = "eu-central-1"
BUCKET = "bundles"


class NoManagedPolicies:
    """Replaces the loader of AWS managed policies. The template uses none of them."""

    @staticmethod
    def load():
        return {}


def load():
    """Returns the template with its short-form intrinsics (`!Ref`) expanded to dictionaries (`{"Ref": …}`)."""
    return yaml_parse(TEMPLATE.read_text(encoding="utf-8"))


def translate(template, parameters):
    """Returns the template as CloudFormation reads it after SAM's translation, with the bundles in a bucket."""
    for name, properties in functions(template).items():
        properties["CodeUri"] = {"Bucket": BUCKET, "Key": f"{name}.zip"}
    # The translator takes the region from the environment of the AWS tools.
    os.environ["AWS_DEFAULT_REGION"] = REGION
    return transform(template, parameters, NoManagedPolicies)


def of_type(template, kind):
    """Returns the resources of one type, by logical name."""
    return {name: res for name, res in template["Resources"].items() if res["Type"] == kind}


def functions(template):
    """Returns the functions by the name of their package, the last part of `CodeUri`."""
    found = of_type(template, "AWS::Serverless::Function")
    return {name: found[resource]["Properties"] for name, resource in resources(template).items()}


def resources(template):
    """Returns the logical name of each function by the name of its package."""
    found = of_type(template, "AWS::Serverless::Function").items()
    return {res["Properties"]["CodeUri"].rsplit("/", 1)[-1]: name for name, res in found}


def invoked(alias):
    """Returns the logical name of the function whose alias a reference names."""
    return alias["Ref"].removesuffix(".Alias")


def role_of(template, properties):
    """Returns the logical name and the properties of the role that a function's properties name."""
    name = properties["Role"]["Fn::GetAtt"][0]
    return name, template["Resources"][name]["Properties"]


def statements(role):
    """Returns the statements of a role's own policies. `Action` and `Resource` are always lists. `Keys` are the patterns of
    the partition keys that the statement is limited to; `None` means all.
    """
    for policy in role["Policies"]:
        for statement in policy["PolicyDocument"]["Statement"]:
            condition = statement.get("Condition", {})
            yield {
                "Effect": statement["Effect"],
                "Action": as_list(statement["Action"]),
                "Resource": as_list(statement["Resource"]),
                "Condition": condition,
                "Keys": condition.get("ForAllValues:StringLike", {}).get("dynamodb:LeadingKeys"),
            }


def as_list(value):
    """Returns a value as a list. CloudFormation accepts a single value or a list."""
    return value if isinstance(value, list) else [value]


def of_own_tables(value):
    """Returns the value that applies while the stack uses its own table, not a restored one."""
    if isinstance(value, dict) and "Fn::If" in value and value["Fn::If"][0].startswith("Own"):
        return value["Fn::If"][1]
    return value


def resource_name(resource):
    """Returns a readable name for a value: a logical name, an index of a table, or a secret."""
    resource = of_own_tables(resource)
    if "Ref" in resource:
        return resource["Ref"]
    if "Fn::GetAtt" in resource:
        return resource["Fn::GetAtt"][0]
    text = resource["Fn::Sub"]
    if ".Arn}/index/" in text:
        table, index = text.removeprefix("${").split(".Arn}/index/")
        return f"{table}, index `{index}`"
    secret = text.split(":secret:", 1)[1]
    return "secret `" + secret.replace("${AWS::StackName}", "<stack>").removesuffix("-??????") + "`"
