"""Checks the alarms, the dashboard and the runbooks: each alarm leads to a page, and each metric is one that exists."""

import itertools
import re

import pytest

from support import alarms, runbooks, rust
from support import template as sam
from support.paths import FUNCTIONS, ROOT

README = ROOT / "infra" / "README.md"
ROW = re.compile(r"^\| `(\w+)` \| (\w+) \| ([^|]+) \| ([^|]+) \|[^|]+\|$", re.MULTILINE)
# The metrics of AWS that the stack reads, with their dimensions.
OF_AWS = {
    "AWS/ApiGateway": (("ApiId", "Stage"), {"5xx", "4xx", "Count", "Latency"}),
    "AWS/DynamoDB": (("TableName",), {"ConsumedReadCapacityUnits", "ConsumedWriteCapacityUnits"}),
    "AWS/Lambda": (
        ("FunctionName",),
        {"ConcurrentExecutions", "Duration", "Errors", "Invocations", "Throttles"},
    ),
    "AWS/SQS": (
        ("QueueName",),
        {
            "ApproximateAgeOfOldestMessage",
            "ApproximateNumberOfMessagesDelayed",
            "ApproximateNumberOfMessagesVisible",
            "NumberOfMessagesSent",
        },
    ),
}
TYPES = {
    "ApiId": "AWS::ApiGatewayV2::Api",
    "FunctionName": "AWS::Serverless::Function",
    "QueueName": "AWS::SQS::Queue",
}
# The units of AWS's metrics that an alarm names.
UNITS = {"ApproximateAgeOfOldestMessage": "Seconds"}
# Their metric ends with the occurrence and not with the repair, so the end of the alarm means nothing.
OCCURRENCES = {"DeadLettersAlarm", "AccountStoppedAlarm"}


def vocabulary():
    """The metrics of infra/README.md: the unit, the functions and the detail of each."""
    section = README.read_text(encoding="utf-8").split("## Metrics", 1)[1].split("\n## ", 1)[0]
    return {
        name: (unit, set(re.findall(r"`([a-z-]+)`", functions)), detail.strip(" `").split("`")[0])
        for name, unit, functions, detail in ROW.findall(section)
    }


def of_alarms(template):
    return [(name, one) for name, alarm in alarms.alarms(template).items() for one in alarms.metrics_of(alarm)]


# ---- Alarms


def test_an_alarm_says_what_to_do_and_names_its_runbook(template):
    found = alarms.alarms(template)
    assert len(found) >= 20
    for name, alarm in found.items():
        text = alarm["AlarmDescription"]["Fn::Sub"]
        sentence, _ = text.rsplit(" ", 1)
        assert re.fullmatch(r"[A-Z][^.]{20,}\.", sentence), name
        # The maximum of CloudWatch, with room for the address of the runbooks.
        assert len(text) < 1024 - 200, name
        assert (runbooks.FOLDER / f"{alarms.runbook_of(alarm)}.md").is_file(), name


def test_an_alarm_reaches_the_topic_and_says_what_missing_data_means(template):
    for name, alarm in alarms.alarms(template).items():
        assert alarm["AlarmActions"] == [{"Ref": "AlarmTopic"}], name
        assert alarm.get("OKActions", []) == ([] if name in OCCURRENCES else [{"Ref": "AlarmTopic"}]), name
        assert "AlarmName" not in alarm and "ActionsEnabled" not in alarm, name
    missing = {name for name, alarm in alarms.alarms(template).items() if alarm["TreatMissingData"] == "breaching"}
    # The functions write these two metrics even if there is nothing to count.
    assert missing == {"LatenessAlarm", "SyncAlarm"}
    rest = [alarm["TreatMissingData"] for name, alarm in alarms.alarms(template).items() if name not in missing]
    assert set(rest) == {"notBreaching"}


def test_an_alarm_on_several_metrics_returns_one_value_of_the_same_period(template):
    for name, alarm in alarms.alarms(template).items():
        queries = alarm.get("Metrics", [])
        assert [query["Id"] for query in queries if query.get("ReturnData", True)] == ([] if not queries else [queries[0]["Id"]])
        assert alarms.period_of(alarm) in (60, 300, 3600), name
        named = {word for query in queries for word in re.findall(r"\b[a-z]+\b", query.get("Expression", ""))}
        assert named == {query["Id"] for query in queries if "MetricStat" in query}, name


def test_every_function_has_an_alarm_on_errors_and_on_throttles(template):
    for metric in ("Errors", "Throttles"):
        watched = [one.dimensions for _, one in of_alarms(template) if one.name == metric]
        functions = sam.of_type(template, "AWS::Serverless::Function")
        assert sorted(watched) == sorted((("FunctionName", f"${{{name}}}"),) for name in functions)


def test_every_queue_has_an_alarm(template):
    def watched(metric):
        return {one.dimensions[0][1].strip("${}").split(".")[0] for _, one in of_alarms(template) if one.name == metric}

    queues = set(sam.of_type(template, "AWS::SQS::Queue"))
    main = {name for name in queues if "RedrivePolicy" in template["Resources"][name]["Properties"]}
    assert watched("ApproximateAgeOfOldestMessage") == main
    assert watched("ApproximateNumberOfMessagesVisible") == queues - main


def test_only_alarms_of_this_stack_and_budgets_of_this_account_may_publish(template):
    (policy,) = sam.of_type(template, "AWS::SNS::TopicPolicy").values()
    statements = policy["Properties"]["PolicyDocument"]["Statement"]
    assert {one["Principal"]["Service"] for one in statements} == {"cloudwatch.amazonaws.com", "budgets.amazonaws.com"}
    for one in statements:
        assert (one["Effect"], one["Action"], one["Resource"]) == ("Allow", "sns:Publish", {"Ref": "AlarmTopic"})
        assert one["Condition"]["StringEquals"] == {"aws:SourceAccount": {"Ref": "AWS::AccountId"}}
        assert set(one["Condition"]["ArnLike"]) == {"aws:SourceArn"}


def test_without_an_address_and_an_amount_there_is_no_subscription_and_no_budget(template):
    parameters, resources = template["Parameters"], template["Resources"]
    assert (parameters["AlarmEmail"]["Default"], parameters["MonthlyBudgetUsd"]["Default"]) == ("", 0)
    assert resources["AlarmSubscription"]["Condition"] == "HasAlarmEmail"
    assert resources["MonthlyBudget"]["Condition"] == "HasBudget"
    for notification in resources["MonthlyBudget"]["Properties"]["NotificationsWithSubscribers"]:
        assert notification["Subscribers"] == [{"SubscriptionType": "SNS", "Address": {"Ref": "AlarmTopic"}}]


def test_no_log_level_drops_the_lines_of_the_metrics(template):
    # A line without a level counts as INFO.
    assert set(template["Parameters"]["LogLevel"]["AllowedValues"]) == {"TRACE", "DEBUG", "INFO"}
    for name, function in sam.functions(template).items():
        assert function["LoggingConfig"]["ApplicationLogLevel"] == {"Ref": "LogLevel"}, name


# ---- Metrics


def test_the_vocabulary_is_that_of_the_code():
    source = (ROOT / "shared" / "runtime" / "src" / "metrics.rs").read_text(encoding="utf-8")
    snapshot = source.split("fn the_names_are_those_of_the_documents", 1)[1].split('@r#"', 1)[1].split('"#', 1)[0]
    in_code = {tuple(line.split()) for line in snapshot.strip().splitlines()}
    in_document = {(name, unit, "-" if detail in ("", "–", "-") else detail) for name, (unit, _, detail) in vocabulary().items()}
    assert in_document == in_code


def test_the_functions_write_the_metrics_that_the_vocabulary_gives_them():
    written = {}
    for function in sorted(path.name for path in FUNCTIONS.iterdir() if (path / "Cargo.toml").is_file()):
        code = "\n".join(rust.modules(FUNCTIONS / function / "src").values())
        names = set(re.findall(r"\bMetric::(\w+)", code))
        # `runtime` counts the dead letters that a function records.
        names |= {"DeadLetters"} if re.search(r"\bdead_letter\(", code) else set()
        for name in names:
            written.setdefault(name, set()).add(function)
    assert written == {name: functions for name, (_, functions, _) in vocabulary().items()}


def test_every_metric_of_ours_is_in_the_vocabulary(template):
    words = vocabulary()
    assert len(words) >= 15
    read = [("dashboard", one) for one in alarms.dashboard_metrics(template)] + of_alarms(template)
    for place, one in read:
        if one.namespace != alarms.NAMESPACE:
            continue
        unit, functions, detail = words[one.name]
        assert dict(one.dimensions)["Stack"] == "${AWS::StackName}", place
        assert one.function in functions | {None}, (place, one)
        assert one.detail in (None, detail), (place, one)
        # An alarm reads only data of the unit that it names.
        assert one.unit in ({None} if place == "dashboard" else {unit}), (place, one)


def test_an_alarm_reads_every_function_that_writes_its_metric(template):
    words = vocabulary()
    for name, alarm in alarms.alarms(template).items():
        for metric, read in itertools.groupby(alarms.metrics_of(alarm), lambda one: (one.namespace, one.name)):
            if metric[0] == alarms.NAMESPACE:
                assert {one.function for one in read} == words[metric[1]][1], name


def test_every_metric_of_ours_is_on_the_dashboard(template):
    shown = {one.name for one in alarms.dashboard_metrics(template) if one.namespace == alarms.NAMESPACE}
    assert shown == set(vocabulary())


def test_the_metrics_of_aws_have_their_dimensions(template):
    _, tables = alarms.dashboard(template)
    read = [("dashboard", one) for one in alarms.dashboard_metrics(template)] + of_alarms(template)
    for place, one in read:
        if one.namespace == alarms.NAMESPACE:
            continue
        names, metrics = OF_AWS[one.namespace]
        assert one.name in metrics, place
        # An index of a table has a metric of its own.
        assert one.names in (names, ("GlobalSecondaryIndexName", *names)), (place, one)
        assert one.unit in (None, UNITS.get(one.name)), (place, one)
        for name, text in one.dimensions:
            if name == "Stage":
                assert text == "$default"
            elif name == "TableName":
                assert text.strip("${}") in tables, (place, one)
            elif text is not None:
                logical = alarms.REFERENCE.fullmatch(text).group(1).split(".")[0]
                assert template["Resources"][logical]["Type"] == TYPES[name], (place, one)


def test_the_dashboard_shows_the_tables_in_use(template):
    _, tables = alarms.dashboard(template)
    names = {name.removesuffix("Table") for name in sam.of_type(template, "AWS::DynamoDB::Table")}
    assert tables == {
        name: {"Fn::If": [f"Own{name}", {"Ref": f"{name}Table"}, {"Ref": f"Restored{name}Table"}]} for name in names
    }


# ---- Dashboard


def test_the_widgets_fill_the_dashboard_without_overlap(template):
    taken = set()
    for widget in alarms.widgets(template):
        left, top = widget["x"], widget["y"]
        cells = set(itertools.product(range(left, left + widget["width"]), range(top, top + widget["height"])))
        assert not cells & taken, widget["properties"].get("title")
        taken |= cells
    assert taken == set(itertools.product(range(24), range(max(y for _, y in taken) + 1)))


def test_the_dashboard_shows_every_alarm(template):
    shown = [name for widget in alarms.widgets(template) for name in widget["properties"].get("alarms", [])]
    assert shown == [f"${{{name}.Arn}}" for name in alarms.alarms(template)]


# ---- Documents


def test_the_readme_shows_these_alarms():
    assert alarms.table() in README.read_text(encoding="utf-8"), "run: cd tests && ../.local/venv/bin/python -m support.alarms"


def test_the_index_of_the_runbooks_is_complete(template):
    pages = runbooks.pages()
    before, procedures = pages.pop("README").split("## Procedures", 1)
    rows = re.findall(r"^\| (`.+`) \| \[([a-z-]+)\.md\]\(\2\.md\) \|$", before, re.MULTILINE)
    index = {alarm: runbook for names, runbook in rows for alarm in re.findall(r"`(\w+)`", names)}
    expected = {name: alarms.runbook_of(alarm) for name, alarm in alarms.alarms(template).items()}
    assert index == {**expected, "MonthlyBudget": "budget"}
    others = re.findall(r"^\| [^|]+ \| \[([a-z-]+)\.md\]\(\1\.md\) \|$", procedures, re.MULTILINE)
    assert sorted({*index.values(), *others}) == sorted(pages)
    assert not set(index.values()) & set(others)


def test_a_runbook_of_an_alarm_names_it_and_has_the_four_parts(template):
    pages = runbooks.pages()
    for name, alarm in alarms.alarms(template).items():
        page = pages[alarms.runbook_of(alarm)]
        assert f"`{name}`" in page
        assert re.findall(r"^## (.+)$", page, re.MULTILINE) == ["Meaning", "How to look", "Actions", "End"], name


def test_the_log_queries_name_fields_and_messages_that_the_functions_log(template):
    names, lines = runbooks.logged()
    (stage,) = sam.of_type(template, "AWS::ApiGatewayV2::Stage").values()
    gateway = set(re.findall(r'"(\w+)":"\$', stage["Properties"]["AccessLogSettings"]["Format"]))
    asked = [(page, query) for page, text in runbooks.pages().items() for query in runbooks.queries(text)]
    assert len(asked) >= 10
    for page, query in asked:
        known = gateway if "latency_ms" in query else names | runbooks.OF_AWS
        assert runbooks.fields(query) <= known, page
        assert [text for text in runbooks.texts(query) if text not in lines] == [], page


@pytest.mark.parametrize("page", sorted(runbooks.pages()))
def test_the_commands_of_a_runbook_exist(page):
    text = (ROOT / "docs" / "cli.md").read_text(encoding="utf-8")
    known = {tuple(words.split()) for words in re.findall(r"(?:\| |, )`([a-z][a-z-]*(?: [a-z][a-z-]*)?)", text)}
    for words in runbooks.commands(runbooks.pages()[page]):
        command = tuple(itertools.takewhile(re.compile(r"[a-z][a-z-]*$").match, words[:2]))
        assert command in known, " ".join(words)
        for option in (word.split("=")[0] for word in words if word.startswith("--")):
            assert option in text, " ".join(words)
