"""The alarms and the dashboard of the template as data, and their table in infra/README.md.

`cd tests && ../.local/venv/bin/python -m support.alarms` prints the table.
"""

import json
import re
import sys
from dataclasses import dataclass

from support import template as sam

NAMESPACE = "PasswebWhatsApp"
RUNBOOK = re.compile(r"\$\{RunbooksUrl\}/([a-z-]+)\.md$")
REFERENCE = re.compile(r"\$\{([\w:.]+)\}")
# CloudWatch shows `${PROP(…)}` in a label. `Fn::Sub` would read it as a reference, hence the exclamation mark.
LITERAL = re.compile(r"\$\{!([^}]+)\}")
SEARCH = re.compile(r"^SEARCH\('\{([^}]+)\} (.+)', '(\w+)', \d+\)$")
TERM = re.compile(r'(\w+)="([^"]+)"')
SIGNS = {"GreaterThanThreshold": ">", "GreaterThanOrEqualToThreshold": "≥"}


@dataclass(frozen=True)
class Metric:
    """A metric with its dimensions, as pairs of a name and a value. A value of a search may be `None`: any."""

    namespace: str
    name: str
    dimensions: tuple
    stat: str
    unit: str | None = None

    @property
    def names(self):
        return tuple(sorted(name for name, _ in self.dimensions))

    @property
    def function(self):
        return dict(self.dimensions).get("Function")

    @property
    def detail(self):
        """The dimension beside stack and function, if any."""
        return next((name for name in self.names if name not in ("Stack", "Function")), None)


def value(of):
    """A value in the form that `Fn::Sub` gives it: `{"Ref": "A"}` is `${A}`, an attribute is `${A.B}`."""
    if not isinstance(of, dict):
        return str(of)
    (kind, name), = of.items()
    return f"${{{name}}}" if kind == "Ref" else f"${{{'.'.join(name)}}}"


def alarms(template):
    """The properties of each alarm for operators, by its logical name. The others only stop a deployment."""
    found = sam.of_type(template, "AWS::CloudWatch::Alarm").items()
    return {name: res["Properties"] for name, res in found if res.get("Condition") != "Gradual"}


def metrics_of(alarm):
    """The metrics that an alarm reads."""
    queries = [query["MetricStat"] for query in alarm.get("Metrics", []) if "MetricStat" in query]
    if not queries:
        return [metric(alarm, alarm["Statistic"], alarm.get("Unit"))]
    return [metric(query["Metric"], query["Stat"], query.get("Unit")) for query in queries]


def metric(of, stat, unit):
    dimensions = tuple((one["Name"], value(one["Value"])) for one in of["Dimensions"])
    return Metric(of["Namespace"], of["MetricName"], dimensions, stat, unit)


def period_of(alarm):
    """The one period of an alarm, in seconds."""
    found = {query["MetricStat"]["Period"] for query in alarm.get("Metrics", []) if "MetricStat" in query}
    (period,) = found or {alarm["Period"]}
    return period


def runbook_of(alarm):
    """The name of the runbook that an alarm's description ends with."""
    return RUNBOOK.search(alarm["AlarmDescription"]["Fn::Sub"]).group(1)


def dashboard(template):
    """The text of the dashboard and the values of its own references."""
    (found,) = sam.of_type(template, "AWS::CloudWatch::Dashboard").values()
    return found["Properties"]["DashboardBody"]["Fn::Sub"]


def widgets(template):
    """The widgets of the dashboard. References keep the form `${Name}`."""
    text, _ = dashboard(template)
    return json.loads(LITERAL.sub(r"$(\1)", text))["widgets"]


def dashboard_metrics(template):
    """The metrics of the dashboard, those of searches too."""
    found = []
    for widget in widgets(template):
        properties = widget["properties"]
        for row in properties.get("metrics", []):
            options = row[-1] if isinstance(row[-1], dict) else {}
            if "expression" in options:
                found.append(searched(options["expression"]))
                continue
            texts = [text for text in row if isinstance(text, str)]
            namespace, name, *rest = texts
            dimensions = tuple(zip(rest[::2], rest[1::2], strict=True))
            found.append(Metric(namespace, name, dimensions, options.get("stat", properties["stat"])))
    return found


def searched(expression):
    """The metric that a search finds."""
    schema, terms, stat = SEARCH.match(expression).groups()
    namespace, *names = schema.split(",")
    given = dict(TERM.findall(terms))
    name = given.pop("MetricName")
    assert set(given) <= set(names), expression
    return Metric(namespace, name, tuple((one, given.get(one)) for one in names), stat)


def writers(read):
    """Who writes some metrics, for the table: our functions, or AWS about a resource."""
    ours = dict.fromkeys(f"`{one.function}`" for one in read if one.namespace == NAMESPACE)
    named = [next(text for name, text in one.dimensions if name != "Stage") for one in read if one.namespace != NAMESPACE]
    theirs = dict.fromkeys(f"`{REFERENCE.match(text).group(1).split('.')[0]}`" for text in named)
    return ", ".join(ours) if ours else "AWS: " + ", ".join(theirs)


def condition(alarm):
    """When an alarm is raised, in words."""
    period, periods = period_of(alarm), alarm["EvaluationPeriods"]
    labels = " ".join(query.get("Label", "") for query in alarm.get("Metrics", []))
    unit = " s" if "Seconds" in {one.unit for one in metrics_of(alarm)} else " %" if "percent" in labels else ""
    threshold = f"{SIGNS[alarm['ComparisonOperator']]} {alarm['Threshold']}{unit}"
    length = f"{period // 60} min" if period < 3600 else f"{period // 3600} h"
    enough = alarm.get("DatapointsToAlarm", periods)
    several = f"{enough} of {periods} × {length}" if enough < periods else f"{periods} × {length}"
    missing = ", or no data" if alarm["TreatMissingData"] == "breaching" else ""
    return f"{threshold} in {length if periods == 1 else several}{missing}"


def table():
    """The alarms as a Markdown table."""
    lines = ["| alarm | metric | when | written by | runbook |", "|---|---|---|---|---|"]
    for name, alarm in alarms(sam.load()).items():
        read = metrics_of(alarm)
        names = ", ".join(dict.fromkeys(f"`{one.name}`" for one in read))
        runbook = runbook_of(alarm)
        link = f"[{runbook}](../docs/runbooks/{runbook}.md)"
        lines.append(f"| `{name}` | {names} | {condition(alarm)} | {writers(read)} | {link} |")
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    sys.stdout.write(table())
