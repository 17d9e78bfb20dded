"""Checks the figures from which docs/costs.md is computed against the template and the prices."""

import datetime
import json
import math
import re

from support import template as sam
from support.paths import ROOT

COSTS = ROOT / "tests" / "stories" / "costs"


def constant(name, file):
    """Returns the number of a constant in a file of the test that writes docs/costs.md."""
    found = re.search(rf"^const {name}: \w+ = ([^;]+);$", (COSTS / file).read_text(encoding="utf-8"), re.MULTILINE)
    return math.prod(float(factor) for factor in found[1].split("*"))


def test_the_constants_of_the_cost_page_are_those_of_the_template():
    template = sam.load()
    parameters = template["Parameters"]
    alarms = [alarm["Properties"] for alarm in sam.of_type(template, "AWS::CloudWatch::Alarm").values()]
    read = [sum("MetricStat" in metric for metric in alarm.get("Metrics", [])) or 1 for alarm in alarms]
    assert constant("ALARM_METRICS", "page.rs") == sum(read)
    assert constant("REQUESTS_OF_DAY", "page.rs") == parameters["RequestsPerSecond"]["Default"] * 86_400
    assert constant("EVENTS_OF_DAY", "page.rs") == parameters["EventsPerMinute"]["Default"] * 1_440
    assert constant("MEMORY_GB", "counted.rs") == parameters["MemorySize"]["Default"] / 1_024
    assert parameters["Architecture"]["Default"] == "arm64"
    assert len(sam.of_type(template, "AWS::CloudWatch::Dashboard")) == 1


def test_each_price_has_a_date_a_page_and_a_use():
    prices = json.loads((ROOT / "docs" / "prices.json").read_text(encoding="utf-8"))
    datetime.date.fromisoformat(prices["read_on"])
    code = "".join(path.read_text(encoding="utf-8") for path in COSTS.glob("*.rs"))
    used = set(re.findall(r'price\("(\w+)"\)', code))
    assert used == set(prices["prices"])
    for name, price in prices["prices"].items():
        assert price["usd"] > 0, name
        assert price["page"].startswith("https://aws.amazon.com/"), name
        assert set(price) == {"usd", "unit", "page", "checked"}, name
