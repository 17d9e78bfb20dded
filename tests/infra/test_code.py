"""Checks that the template and the code use the same names and numbers."""

import re

from support import template as sam
from support.paths import FUNCTIONS, ROOT

VARIABLE = re.compile(r'"(BRIDGE_[A-Z_]+)"')

# A variable that the code reads and AWS must never set. It permits plain HTTP and private addresses.
LOCAL_ONLY = "BRIDGE_PROVIDER_NETWORK"

TABLES = ROOT / "shared" / "store" / "src" / "tables.rs"
MESSAGE = ROOT / "shared" / "domain" / "src" / "message" / "state.rs"
TOPOLOGY = ROOT / "infra" / "local" / "src" / "topology.rs"


def code(path):
    """Returns the text of a Rust file without its unit tests."""
    return path.read_text(encoding="utf-8").split("#[cfg(test)]")[0]


def read_by(function):
    """Returns the variables that a function's configuration reads."""
    return set(VARIABLE.findall(code(FUNCTIONS / function / "src" / "config.rs")))


# ---- Environment


def test_functions_read_exactly_the_variables_that_are_set(template):
    for function, properties in sam.functions(template).items():
        assert set(properties["Environment"]["Variables"]) == read_by(function) - {LOCAL_ONLY}, function


def test_only_the_configuration_reads_the_environment():
    for source in FUNCTIONS.glob("*/src/**/*.rs"):
        if source.name != "config.rs":
            assert not VARIABLE.search(code(source)), source


def test_the_local_exemption_exists_and_is_not_in_the_template(template):
    assert LOCAL_ONLY in read_by("send-message")
    assert LOCAL_ONLY not in sam.TEMPLATE.read_text(encoding="utf-8")


def test_every_function_with_a_binary_is_deployed(template):
    binaries = {main.parents[1].name for main in FUNCTIONS.glob("*/src/main.rs")}
    assert set(sam.functions(template)) == binaries


# ---- Versions


def test_functions_state_the_versions_of_the_code(template):
    manifest = (ROOT / "Cargo.toml").read_text(encoding="utf-8")
    version = re.search(r'^version = "(.+)"', manifest, re.MULTILINE)[1]
    contract = re.search(r"CONTRACT: u32 = (\d+);", code(ROOT / "shared" / "domain" / "src" / "queue" / "mod.rs"))[1]
    for function, properties in sam.functions(template).items():
        assert properties["Description"] == f"{version}, queue contract {contract}", function


# ---- Logs


def test_log_lines_show_the_sources_of_an_error():
    for source in [*ROOT.glob("shared/*/src/**/*.rs"), *FUNCTIONS.glob("*/src/**/*.rs")]:
        assert not re.search(r"%&?error\b|error = %", code(source)), f"{source}: use chain(&error)"


# ---- Tables


def schemas_of_the_code():
    """Returns the tables of shared/store as {name: (keys, {index: (keys, projection)})}."""
    keys = r'\("(\w+)", (?:Some\("(\w+)"\)|None)\)'
    found = {}
    for schema in code(TABLES).split("Schema {")[2:]:
        name = re.search(r'name: "(\w+)"', schema)
        table = re.search(rf"keys: {keys}", schema)
        indexes = re.findall(rf'\("(\w+)", {keys}, Projected::(\w+)\)', schema)
        found[name[1]] = (table.groups(""), {i[0]: (i[1:3], i[3]) for i in indexes})
    return found


def keys_of(schema):
    names = {element["KeyType"]: element["AttributeName"] for element in schema}
    return names["HASH"], names.get("RANGE", "")


def schemas_of_the_template(template):
    projections = {"KEYS_ONLY": "Nothing", "ALL": "Everything"}
    found = {}
    for name, table in sam.of_type(template, "AWS::DynamoDB::Table").items():
        properties = table["Properties"]
        indexes = {
            index["IndexName"]: (keys_of(index["KeySchema"]), projections[index["Projection"]["ProjectionType"]])
            for index in properties.get("GlobalSecondaryIndexes", [])
        }
        found[name.removesuffix("Table")] = (keys_of(properties["KeySchema"]), indexes)
    return found


def test_tables_have_the_keys_and_indexes_of_the_code(template):
    assert schemas_of_the_template(template) == schemas_of_the_code()


def test_every_key_is_text(template):
    for name, table in sam.of_type(template, "AWS::DynamoDB::Table").items():
        assert {a["AttributeType"] for a in table["Properties"]["AttributeDefinitions"]} == {"S"}, name


def test_items_expire_by_the_attribute_the_code_writes(template):
    attribute = re.search(r'TTL_ATTRIBUTE: &str = "(\w+)"', code(TABLES))[1]
    for table in sam.of_type(template, "AWS::DynamoDB::Table").values():
        ttl = table["Properties"].get("TimeToLiveSpecification")
        assert ttl is None or ttl["AttributeName"] == attribute


# ---- Time-outs


def seconds_of(path, constant):
    return int(re.search(rf"{constant}: SignedDuration = SignedDuration::from_secs\((\d+)\)", code(path))[1])


def test_the_code_has_the_timeouts_of_the_template(template):
    functions = sam.functions(template)
    assert seconds_of(FUNCTIONS / "fire-reminders/src/lib.rs", "TIMEOUT") == functions["fire-reminders"]["Timeout"]
    assert seconds_of(FUNCTIONS / "sync-templates/src/lib.rs", "TIMEOUT") == functions["sync-templates"]["Timeout"]
    assert seconds_of(FUNCTIONS / "track-delivery/src/lib.rs", "TIMEOUT") == functions["track-delivery"]["Timeout"]
    assert seconds_of(MESSAGE, "SEND_TIMEOUT") == functions["send-message"]["Timeout"]


# ---- The local run


def test_the_local_run_serves_the_routes_of_the_template(template):
    local = {f"{method.upper()} {path}" for method, path in re.findall(r'\b(get|post)\("([^"]+)"\)', code(TOPOLOGY))}
    assert local == {r["Properties"]["RouteKey"] for r in sam.of_type(template, "AWS::ApiGatewayV2::Route").values()}


def test_the_local_run_has_the_time_outs_of_the_template(template):
    arms = re.search(r"fn timeout\(.*?match function \{(.*?)\}\)", code(TOPOLOGY), re.DOTALL)[1]
    local = {name: int(seconds) for name, seconds in re.findall(r"(\w+) => (\d+)", arms)}
    for function, properties in sam.functions(template).items():
        constant = function.upper().replace("-", "_")
        assert properties["Timeout"] == local.get(constant, local["_"]), function


def test_the_local_run_feeds_the_functions_from_the_queues_of_the_template(template):
    queues = {"events": "EventsQueue", "statuses": "StatusesQueue", "dead": "EventsDeadLetters"}
    local = {
        (queues[queue], function.title().replace("_", "") + "Function")
        for queue, function in re.findall(r"\(&queues\.(\w+), ([A-Z_]+),", code(TOPOLOGY))
    }
    mappings = sam.of_type(template, "AWS::Lambda::EventSourceMapping").values()
    assert local == {
        (m["Properties"]["EventSourceArn"]["Fn::GetAtt"][0], sam.invoked(m["Properties"]["FunctionName"])) for m in mappings
    }


def test_the_local_run_gives_each_function_the_variables_of_the_template(template):
    readers = re.findall(r'\("(BRIDGE_\w+)",[^&]*&(FUNCTIONS|\[[^\]]*\])', code(TOPOLOGY))
    for function, properties in sam.functions(template).items():
        constant = function.upper().replace("-", "_")
        local = {name for name, functions in readers if {constant, "FUNCTIONS"} & set(re.findall(r"\w+", functions))}
        assert set(properties["Environment"]["Variables"]) == local - {LOCAL_ONLY}, function
