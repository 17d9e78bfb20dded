"""The stack on an AWS emulator: translated by SAM's own translator and deployed with a change set."""

import json
import platform
import subprocess

from support import processes, waiting
from support import template as sam
from support.bridge import Bridge, aws_client
from support.paths import ROOT
from support.template import BUCKET, REGION

STACK = "bridge-test"
TEMPLATE_KEY = "template.json"
# Linking one function takes more than a minute on two cores. This is the longest step of all suites.
BUILD_LIMIT_S = 1500
START_LIMIT_S = 30
DEPLOY_LIMIT_S = 120

# The emulator runs the bundles on this machine, so they must be built for it.
ARCHITECTURE, TARGET_FLAG = (
    ("arm64", "--arm64") if platform.machine() in ("aarch64", "arm64") else ("x86_64", "--x86-64")
)


def build_bundles():
    """Builds the zip of every function as for AWS and returns {name: path}."""
    names = sorted(sam.functions(sam.load()))
    packages = [flag for name in names for flag in ("--package", name)]
    command = ["cargo", "lambda", "build", "--release", "--locked", "--output-format", "zip", TARGET_FLAG, *packages]
    subprocess.run(command, cwd=ROOT, check=True, timeout=BUILD_LIMIT_S)
    return {name: ROOT / "target" / "lambda" / name / "bootstrap.zip" for name in names}


def translate(template):
    """Returns the template as CloudFormation reads it, without what the emulator does not have."""
    # The emulator passes a parameter of type Number on as a string, which its poller cannot compare.
    for mapping in sam.of_type(template, "AWS::Lambda::EventSourceMapping").values():
        scaling = mapping["Properties"]["ScalingConfig"]
        if isinstance(scaling["MaximumConcurrency"], dict):
            scaling["MaximumConcurrency"] = template["Parameters"][scaling["MaximumConcurrency"]["Ref"]]["Default"]
    # The emulator has no metric math. An alarm on several metrics is deployed as one on the first of them.
    for alarm in sam.of_type(template, "AWS::CloudWatch::Alarm").values():
        queries = [query["MetricStat"] for query in alarm["Properties"].pop("Metrics", []) if "MetricStat" in query]
        for query in queries[:1]:
            plain = {"Statistic": query["Stat"], "Period": query["Period"], **query["Metric"]}
            alarm["Properties"].update(plain)
    return sam.translate(template, {"Architecture": ARCHITECTURE})


class Emulator(processes.Process):
    """An empty AWS emulator on a free port of 127.0.0.1."""

    def __init__(self, folder):
        self.port = processes.free_port()
        self.url = f"http://localhost:{self.port}"
        environment = {
            "GATEWAY_PORT": str(self.port),
            # By default it listens on every address and calls functions by an address that they reject as a host.
            "BIND_HOST": "127.0.0.1",
            "MINISTACK_HOST": "localhost",
            "TMPDIR": str(folder),
            "MINISTACK_REGION": REGION,
            # Servers of other services, which would use well-known ports.
            "SFTP_ENABLED": "0",
            "IOT_MTLS_ENABLED": "0",
            # The functions inherit the variables below. AWS would reach them through its own names. The simulator is
            # plain HTTP on this machine, which the template never allows.
            "AWS_ENDPOINT_URL": self.url,
            "AWS_DEFAULT_REGION": REGION,
            "AWS_REGION": REGION,
            "AWS_ACCESS_KEY_ID": "test",
            "AWS_SECRET_ACCESS_KEY": "test",
            "BRIDGE_PROVIDER_NETWORK": "any",
            # The emulator does not pass on the format of the template. Without it the functions write no metrics.
            "AWS_LAMBDA_LOG_FORMAT": "JSON",
        }
        super().__init__(["ministack"], folder / "emulator.log", environment)
        try:
            self.until(lambda: processes.listening(self.port), "the emulator listens", START_LIMIT_S)
        except BaseException:
            self.end()
            raise

    def client(self, service):
        return aws_client(service, self.url, REGION)


class Stack:
    """The deployed stack: its outputs, its tables and its HTTP API."""

    def __init__(self, emulator, bundles):
        self.emulator = emulator
        self.deploy(bundles)
        description = self.describe()
        self.outputs = {output["OutputKey"]: output["OutputValue"] for output in description["Outputs"]}

    def deploy(self, bundles):
        s3, cloudformation = self.emulator.client("s3"), self.emulator.client("cloudformation")
        s3.create_bucket(Bucket=BUCKET, CreateBucketConfiguration={"LocationConstraint": REGION})
        for name, bundle in bundles.items():
            s3.put_object(Bucket=BUCKET, Key=f"{name}.zip", Body=bundle.read_bytes())
        # As `sam deploy` does it: the template is longer than a request may be.
        s3.put_object(Bucket=BUCKET, Key=TEMPLATE_KEY, Body=json.dumps(translate(sam.load())))
        cloudformation.create_change_set(
            StackName=STACK,
            ChangeSetName="first",
            ChangeSetType="CREATE",
            TemplateURL=f"{self.emulator.url}/{BUCKET}/{TEMPLATE_KEY}",
            Parameters=[{"ParameterKey": "Architecture", "ParameterValue": ARCHITECTURE}],
            Capabilities=["CAPABILITY_IAM"],
        )
        change_set = {"StackName": STACK, "ChangeSetName": "first"}
        waiting.until(
            lambda: cloudformation.describe_change_set(**change_set)["Status"] == "CREATE_COMPLETE",
            "the change set is there",
            DEPLOY_LIMIT_S,
        )
        cloudformation.execute_change_set(**change_set)
        waiting.until(
            lambda: self.status() not in ("CREATE_IN_PROGRESS", "REVIEW_IN_PROGRESS"),
            "the stack is made",
            DEPLOY_LIMIT_S,
        )
        assert self.status() == "CREATE_COMPLETE", cloudformation.describe_stack_events(StackName=STACK)["StackEvents"]

    def describe(self):
        return self.emulator.client("cloudformation").describe_stacks(StackName=STACK)["Stacks"][0]

    def status(self):
        return self.describe()["StackStatus"]

    def take_over_site(self, run):
        """Copies the site of a local run to this stack: configuration, account token and webhook secret."""
        dynamodb = self.emulator.client("dynamodb")
        for item in run.table_items("BRIDGE_CONFIG_TABLE"):
            dynamodb.put_item(TableName=self.outputs["ConfigTableName"], Item=item)
        local_secrets = aws_client("secretsmanager", run.settings["AWS_ENDPOINT_URL_SECRETS_MANAGER"])
        secrets = self.emulator.client("secretsmanager")
        for name in (f"{run.demo['site']}/provider", f"{run.demo['site']}/inbound"):
            secret = local_secrets.get_secret_value(SecretId=f"{run.settings['BRIDGE_STACK']}/{name}")["SecretString"]
            secrets.create_secret(Name=self.outputs["SecretsPrefix"] + name, SecretString=secret)

    def metrics(self, function):
        """Returns the log lines of a function that CloudWatch would read as metrics."""
        pages = self.emulator.client("logs").get_paginator("filter_log_events")
        events = [one for page in pages.paginate(logGroupName=f"/aws/lambda/{STACK}-{function}") for one in page["events"]]
        found = [json.loads(one["message"]) for one in events if one["message"].startswith("{")]
        return [line for line in found if "_aws" in line]

    def ledger(self, event):
        """Returns the ledger's items for the messages of an event."""
        dynamodb = self.emulator.client("dynamodb")
        pages = dynamodb.get_paginator("scan").paginate(TableName=self.outputs["LedgerTableName"])
        items = [item for page in pages for item in page["Items"]]
        return [i for i in items if i["sk"]["S"].startswith("M#") and i["event_id"]["S"] == event["id"]]

    def bridge(self, run):
        """Returns the deployed HTTP API, with the API key of the local run's site and its phone."""
        # The output contains the address that AWS would assign. The emulator listens for that name on its own port,
        # under a domain that not every resolver can resolve, so the name is sent in the header.
        (api,) = self.emulator.client("apigatewayv2").get_apis()["Items"]
        return Bridge(
            self.emulator.url,
            run.bridge.api_key,
            run.bridge.simulator_url,
            self.emulator.client("sqs"),
            self.outputs["EventsQueueUrl"],
            host=api["ApiEndpoint"].split("://")[1],
        )
