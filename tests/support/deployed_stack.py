"""A deployed stack, on AWS or on an emulator, and a site of the suite's own in it.

Both differ only by their address. The site is made with the command line `bridge`, as an operator makes it, and everything
of it is removed at the end. `cd tests && ../.local/venv/bin/python -m support.deployed_stack SITE` removes what a killed run
left.
"""

import json
import os
import secrets
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

import botocore.session

from support import deployed_target, waiting
from support.bridge import Bridge
from support.paths import ROOT

# The sender and the business account of every simulator that `cargo run` starts.
PHONE_NUMBER_ID = "106540352242922"
WABA_ID = "102290129340398"
ACCOUNT = "main"
COMMAND_LIMIT_S = 180
# On AWS, a mapping may need a minute to receive the first record of an idle queue.
EMPTY_LIMIT_S = 180
TABLES = ("ConfigTableName", "ContactsTableName", "LedgerTableName", "ScheduleTableName")
MAPPING = {
    "id": "stato-ordine",
    "name": "Stato ordine",
    "event_type": "order.status_changed",
    "enabled": True,
    "active_since": "2020-01-01T00:00:00Z",
    "useful_for": "1d",
    "templates": {
        "it": {
            "name": "conferma_ordine",
            "language": "it",
            "body": {
                "1": {"variable": "full_name", "default": "cliente"},
                "2": {"variable": "order.code"},
                "3": {"variable": "order.status"},
                "4": {"variable": "order.total"},
            },
        }
    },
}


@dataclass(frozen=True)
class Site:
    """A site of the stack. Its id has a random suffix, so that runs do not meet."""

    id: str
    api_key: str = field(repr=False)
    webhook_url: str
    webhook_secret: str = field(repr=False)

    @property
    def webhook_path(self):
        return urlsplit(self.webhook_url).path

    @property
    def sender(self):
        """The sender and the account, as a webhook names them."""
        return {"phone_number_id": PHONE_NUMBER_ID, "waba_id": WABA_ID}


class Stack:
    """The stack of a target. Every call goes through the clients of the AWS tools."""

    def __init__(self, target):
        self.target = target
        self.name = target.stack
        self.began_ms = int(time.time() * 1000)
        self.session = botocore.session.Session(profile=target.profile)
        described = self.client("cloudformation").describe_stacks(StackName=self.name)["Stacks"][0]
        self.outputs = {output["OutputKey"]: output["OutputValue"] for output in described.get("Outputs", [])}
        parameters = {one["ParameterKey"]: one["ParameterValue"] for one in described.get("Parameters", [])}
        if parameters.get("Stage") == "prod":
            raise deployed_target.Unusable(f"{self.name} is a production stack: deploy another one for the suite")

    def client(self, service):
        return self.session.create_client(service, region_name=self.target.region, endpoint_url=self.target.endpoint)

    def function(self, name):
        return f"{self.name}-{name}"

    def invoke(self, name):
        """Invokes a function as the clock does, and returns the answer."""
        return self.client("lambda").invoke(FunctionName=self.function(name), Qualifier="live", Payload=b"{}")

    def metrics(self, function):
        """Returns the log lines of a function, since the begin of the run, that CloudWatch reads as metrics."""
        pages = self.client("logs").get_paginator("filter_log_events")
        lines = pages.paginate(logGroupName=f"/aws/lambda/{self.function(function)}", startTime=self.began_ms)
        messages = [one["message"] for page in lines for one in page["events"]]
        found = [json.loads(message) for message in messages if message.startswith("{")]
        return [line for line in found if "_aws" in line]

    def items(self, output):
        """Returns every item of the table that an output names."""
        pages = self.client("dynamodb").get_paginator("scan").paginate(TableName=self.outputs[output])
        return [item for page in pages for item in page["Items"]]

    def ledger(self, event):
        """Returns the ledger's items for the messages of an event."""
        items = self.items("LedgerTableName")
        return [i for i in items if i["sk"]["S"].startswith("M#") and i["event_id"]["S"] == event["id"]]

    def dead_letters(self, mark):
        """Returns the dead letters whose body contains a text."""
        items = self.items("LedgerTableName")
        return [i for i in items if i["pk"]["S"].startswith("DEAD#") and mark in i.get("body", {}).get("S", "")]

    def bridge(self, site):
        """Returns the HTTP API with the key of a site, and the phone behind it."""
        api = urlsplit(self.outputs["ApiUrl"])
        url, host = f"{api.scheme}://{api.netloc}", None
        if self.target.is_emulated:
            # The emulator listens for the name of the API on its own port. Not every resolver knows the name, so it is sent
            # in the header.
            (found,) = self.client("apigatewayv2").get_apis()["Items"]
            url, host = self.target.endpoint, found["ApiEndpoint"].split("://")[1]
        queue = self.outputs["EventsQueueUrl"]
        return Bridge(url, site.api_key, self.target.simulator, self.client("sqs"), queue, host=host)

    # ---- The site of the suite

    def command(self, site, *arguments, secret=None):
        """Runs the command line `bridge` on this stack and returns its JSON. `secret` is its standard input."""
        options = ["--stack", self.name, "--region", self.target.region, "--site", site, "--json"]
        if self.target.profile:
            options += ["--profile", self.target.profile]
        environment = dict(os.environ)
        if self.target.is_emulated:
            environment = {k: v for k, v in environment.items() if not k.startswith("AWS_")}
            credentials = self.session.get_credentials()
            environment |= {
                deployed_target.ENDPOINT: self.target.endpoint,
                "AWS_ACCESS_KEY_ID": credentials.access_key,
                "AWS_SECRET_ACCESS_KEY": credentials.secret_key,
            }
        command = ["cargo", "run", "--quiet", "--bin", "bridge", "--", *options, *arguments]
        done = subprocess.run(
            command, cwd=ROOT, env=environment, input=secret, capture_output=True, text=True, timeout=COMMAND_LIMIT_S
        )
        assert done.returncode == 0, (arguments, done.returncode, done.stdout, done.stderr)
        return json.loads(done.stdout)

    def add_site(self):
        """Adds a site that sends through the simulator, with one mapping for orders."""
        name, webhook_secret = f"deployed-{secrets.token_hex(5)}", secrets.token_hex(16)
        print(f"the site of this run in {self.name}: {name}")
        try:
            added = self.command(name, "site", "add", name, "url=https://www.example.com")
            site = Site(name, added["api_key"], added["webhook_url"], webhook_secret)
            self.command(name, "site", "set-webhook", "--app-secret-file", "-", secret=webhook_secret)
            settings = [f"base_url={self.target.simulator}/v1", f"phone_number_id={PHONE_NUMBER_ID}", f"waba_id={WABA_ID}"]
            self.command(name, "account", "add", ACCOUNT, "--token-file", "-", *settings, secret=self.target.token)
            # `bridge template sync` would call the simulator from here. The function calls it as it does every hour.
            assert "FunctionError" not in self.invoke("sync-templates")
            with tempfile.TemporaryDirectory() as folder:
                file = Path(folder) / "mapping.json"
                file.write_text(json.dumps(MAPPING), encoding="utf-8")
                self.command(name, "mapping", "apply", str(file))
        except BaseException:
            self.remove(name)
            raise
        return site

    def remove_site(self, site):
        """Removes everything of a site, after its records were handled."""
        sqs = self.client("sqs")
        names = [f"ApproximateNumberOfMessages{state}" for state in ("", "NotVisible", "Delayed")]

        def are_empty():
            urls = [self.outputs[name] for name in ("EventsQueueUrl", "StatusesQueueUrl", "EventsDeadLettersUrl")]
            counts = [sqs.get_queue_attributes(QueueUrl=url, AttributeNames=names)["Attributes"] for url in urls]
            return all(int(count[name]) == 0 for count in counts for name in names)

        try:
            waiting.until(are_empty, "the queues are empty", EMPTY_LIMIT_S)
        finally:
            self.remove(site.id)

    def marks(self, site):
        """Returns the texts that occur only in items of a site: its id, and the ids of its keys and its webhook."""
        config = self.items("ConfigTableName")
        keys = {item["sk"]["S"] for item in config if item["pk"]["S"] == f"KEYS#{site}"}
        webhooks = {json.loads(item["json"]["S"]) for item in config if item["pk"]["S"] == f"HOOKS#{site}"}
        return {site} | keys | webhooks

    def found(self, marks):
        """Returns the items that contain one of the texts, by the output of their table.

        The items of numbers contain none. The ledger names their pseudonyms. Hashed keys of contacts name nothing. DynamoDB
        removes them at their expiry, and no other site can meet them.
        """
        found = {output: [item for item in self.items(output) if texts_of(item, marks)] for output in TABLES}
        contacts = {item["contact"]["S"].split("#")[-1] for item in found["LedgerTableName"] if "contact" in item}
        numbers = [item for item in self.items("ContactsTableName") if item["pk"]["S"] in contacts]
        found["ContactsTableName"] += [item for item in numbers if item not in found["ContactsTableName"]]
        return found

    def secrets_of(self, site):
        """Returns the names of the secrets of a site."""
        pages = self.client("secretsmanager").get_paginator("list_secrets").paginate()
        names = [one["Name"] for page in pages for one in page["SecretList"]]
        return [name for name in names if name.startswith(f"{self.outputs['SecretsPrefix']}{site}/")]

    def remove(self, site):
        """Removes the items and the secrets of a site."""
        dynamodb, manager = self.client("dynamodb"), self.client("secretsmanager")
        marks = self.marks(site)
        for output, items in self.found(marks).items():
            table = self.outputs[output]
            keys = [key["AttributeName"] for key in dynamodb.describe_table(TableName=table)["Table"]["KeySchema"]]
            for item in items:
                dynamodb.delete_item(TableName=table, Key={key: item[key] for key in keys})
        for name in self.secrets_of(site):
            manager.delete_secret(SecretId=name, ForceDeleteWithoutRecovery=True)


def texts_of(item, marks):
    """Returns the texts of an item that contain one of the marks."""
    texts = [value["S"] for value in item.values() if "S" in value]
    return [text for text in texts if any(mark in text for mark in marks)]


if __name__ == "__main__":
    chosen = deployed_target.choose(os.environ)
    if chosen is None or len(sys.argv) != 2 or not sys.argv[1].startswith("deployed-"):
        sys.exit(f"usage: {deployed_target.STACK}=… python -m support.deployed_stack deployed-…")
    Stack(chosen).remove(sys.argv[1])
