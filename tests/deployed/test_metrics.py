"""The deployed functions write the metrics that the alarms read: the same name, unit and dimensions."""

import time

import pytest

from support import alarms, waiting
from support import template as sam
from support.bridge import order_event, problem, status_report

# CloudWatch Logs shows a line after some seconds.
WRITTEN_LIMIT_S = 120
# The provider would have to fail, which stops the account for the tests that follow. The stories count these.
NEED_A_FAILURE = {("AccountsStopped", "send-message"), ("AccountsStopped", "track-delivery"), ("MessagesUnknown", "send-message")}


def read(stack):
    """The metrics of ours that alarms read: name, function, unit and dimensions."""
    found = [one for alarm in alarms.alarms(sam.load()).values() for one in alarms.metrics_of(alarm)]
    ours = [one for one in found if one.namespace == alarms.NAMESPACE]
    return {
        (one.name, one.function, one.unit, tuple(value.replace("${AWS::StackName}", stack.name) for _, value in one.dimensions))
        for one in ours
    }


def written(stack, functions):
    """The metrics in the logs of some functions, in the same form. Details are further dimension sets of a line."""
    found = set()
    for function in functions:
        for line in stack.metrics(function):
            for directive in line["_aws"]["CloudWatchMetrics"]:
                assert directive["Namespace"] == alarms.NAMESPACE
                for names in directive["Dimensions"]:
                    values = tuple(line[name] for name in names)
                    found |= {(one["Name"], function, one["Unit"], values) for one in directive["Metrics"]}
    return found


@pytest.fixture
def busy(bridge, stack, site):
    """A stack in which each thing happened that an alarm counts, without a failure of the provider."""
    bridge.accept(order_event())
    (message,) = bridge.arrived(1)
    report = status_report(site.sender, message["id"], "read", int(time.time()))
    problem(bridge.report(site.webhook_path, report, "another secret"), 401)
    for queue in ("EventsQueueUrl", "StatusesQueueUrl"):
        bridge.sqs.send_message(QueueUrl=stack.outputs[queue], MessageBody=f"not a record of {site.id}")
    for function in ("fire-reminders", "sync-templates"):
        stack.invoke(function)
    return stack


def test_the_functions_write_what_the_alarms_read(busy):
    expected = {one for one in read(busy) if one[:2] not in NEED_A_FAILURE}
    assert len(expected) >= 7
    functions = {function for _, function, _, _ in expected}
    waiting.until(lambda: expected <= written(busy, functions), "every metric is in a log", WRITTEN_LIMIT_S)
