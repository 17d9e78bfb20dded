"""The SAM template as data, and the questions that more than one test asks of it."""

from samtranslator.yaml_helper import yaml_parse

from support.paths import TEMPLATE


def load():
    """The template with its short-form intrinsics (`!Ref`) written out as dictionaries (`{"Ref": …}`)."""
    return yaml_parse(TEMPLATE.read_text(encoding="utf-8"))


def of_type(template, kind):
    """Resources of one type, by logical name."""
    return {name: res for name, res in template["Resources"].items() if res["Type"] == kind}


def functions(template):
    """The functions by the name of their package, the last part of `CodeUri`."""
    found = of_type(template, "AWS::Serverless::Function").values()
    return {res["Properties"]["CodeUri"].rsplit("/", 1)[-1]: res["Properties"] for res in found}


def role_of(template, properties):
    """The logical name and the properties of the role that a function's properties name."""
    name = properties["Role"]["Fn::GetAtt"][0]
    return name, template["Resources"][name]["Properties"]


def statements(role):
    """The statements of a role's own policies, with `Action` and `Resource` always lists."""
    for policy in role["Policies"]:
        for statement in policy["PolicyDocument"]["Statement"]:
            yield {
                "Effect": statement["Effect"],
                "Action": as_list(statement["Action"]),
                "Resource": as_list(statement["Resource"]),
            }


def as_list(value):
    """A value that CloudFormation lets one write alone or in a list."""
    return value if isinstance(value, list) else [value]


def resource_name(resource):
    """What a value names, as a person would: a logical name, an index of a table, or a secret."""
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
