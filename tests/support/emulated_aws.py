"""The stack on an AWS emulator: translated by SAM's own translator and deployed with a change set."""

import json
import platform
import subprocess

from support import deployed_target, processes, waiting
from support import template as sam
from support.bridge import aws_client
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


def deploy(emulator, bundles):
    """Deploys the template with the bundles, as `sam deploy` does."""
    s3, cloudformation = emulator.client("s3"), emulator.client("cloudformation")
    s3.create_bucket(Bucket=BUCKET, CreateBucketConfiguration={"LocationConstraint": REGION})
    for name, bundle in bundles.items():
        s3.put_object(Bucket=BUCKET, Key=f"{name}.zip", Body=bundle.read_bytes())
    # As `sam deploy` does it: the template is longer than a request may be.
    s3.put_object(Bucket=BUCKET, Key=TEMPLATE_KEY, Body=json.dumps(translate(sam.load())))
    cloudformation.create_change_set(
        StackName=STACK,
        ChangeSetName="first",
        ChangeSetType="CREATE",
        TemplateURL=f"{emulator.url}/{BUCKET}/{TEMPLATE_KEY}",
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

    def status():
        return cloudformation.describe_stacks(StackName=STACK)["Stacks"][0]["StackStatus"]

    waiting.until(
        lambda: status() not in ("CREATE_IN_PROGRESS", "REVIEW_IN_PROGRESS"), "the stack is made", DEPLOY_LIMIT_S
    )
    assert status() == "CREATE_COMPLETE", cloudformation.describe_stack_events(StackName=STACK)["StackEvents"]


def environment(emulator, run):
    """Returns the environment by which a person would name the emulated stack and the simulator of a local run."""
    return {
        deployed_target.STACK: STACK,
        deployed_target.REGION: REGION,
        deployed_target.SIMULATOR: run.demo["simulator_url"],
        deployed_target.TOKEN: run.demo["access_token"],
        deployed_target.ENDPOINT: emulator.url,
    }
