"""The field tables of the events, from their schemas, in English or Italian."""

import json

import yaml

from support.paths import ROOT

EVENTS = ROOT / "docs" / "events"
TRANSLATIONS = ROOT / "tests" / "support" / "fields.it.yaml"

# The order of the tables: the shop, then the customer area, as in the guide.
ORDER = (
    "order.status_changed cart.abandoned cart.closed message.sent message.read activity.saved activity.deleted "
    "activity.status_changed activity.acknowledged activity.reminder file.uploaded file.downloaded file.previewed "
    "documents.published customer.updated"
).split()

WORDS = {
    "en": {
        "title": "Fields of the events",
        "intro": "The fields of `data` for each event type, and of the objects in it. Other fields are kept and ignored.\n"
        "An optional field may be absent or `null`.",
        "header": "| field | required | value | meaning |",
        "objects": "Objects",
        "yes": "yes",
        "text": "text",
        "filled": "text, not blank",
        "id": "text of {minLength} to {maxLength} characters",
        "whole": "whole number from {minimum}",
        "range": "whole number from {minimum} to {maximum}",
        "boolean": "`true` or `false`",
        "amount": "decimal text",
        "currency": "three letters",
        "language": "language code, such as `it`",
        "date": "date, `2026-11-22`",
        "date-time": "time with offset, RFC 3339",
        "day-or-time": "date if `all_day`, otherwise time with offset",
        "zone": "IANA name",
        "list": "list of {minItems} to {maxItems}: {of}",
    },
    "it": {
        "title": "Campi degli eventi",
        "intro": "I campi di `data` per ogni tipo di evento, e quelli degli oggetti che contiene. Gli altri campi sono\n"
        "conservati e ignorati. Un campo facoltativo può mancare o essere `null`.",
        "header": "| campo | obbligatorio | valore | significato |",
        "objects": "Oggetti",
        "yes": "sì",
        "text": "testo",
        "filled": "testo non vuoto",
        "id": "testo da {minLength} a {maxLength} caratteri",
        "whole": "numero intero da {minimum}",
        "range": "numero intero da {minimum} a {maximum}",
        "boolean": "`true` o `false`",
        "amount": "testo decimale",
        "currency": "tre lettere",
        "language": "codice di lingua, per esempio `it`",
        "date": "data, `2026-11-22`",
        "date-time": "data e ora con lo scostamento, RFC 3339",
        "day-or-time": "data se `all_day`, altrimenti data e ora con lo scostamento",
        "zone": "nome IANA",
        "list": "elenco da {minItems} a {maxItems}: {of}",
    },
}
PATTERNS = {"\\S": "filled", "^-?[0-9]": "amount", "^[A-Za-z]{3}$": "currency", "^[A-Za-z]{2,3}": "language"}


def schemas():
    """Returns the schema of each event type, by its name."""
    found = {path.stem: json.loads(path.read_text(encoding="utf-8")) for path in (EVENTS / "schema").glob("*.json")}
    assert set(found) == set(ORDER)
    return {name: found[name] for name in ORDER}


def translations():
    return yaml.safe_load(TRANSLATIONS.read_text(encoding="utf-8"))


def value(schema, words):
    """Returns the valid values of a field in words. `null` is omitted, because every optional field may be null."""
    if "anyOf" in schema and {"type": "null"} in schema["anyOf"]:
        schema = next(one for one in schema["anyOf"] if one != {"type": "null"})
    if "$ref" in schema:
        name = schema["$ref"].rpartition("/")[2]
        return f"[{name}](#{name})"
    if "enum" in schema:
        return ", ".join(f"`{one}`" for one in schema["enum"])
    if "anyOf" in schema:
        return words["day-or-time"]
    if "format" in schema:
        return words[schema["format"]]
    if schema["type"] == "array":
        return words["list"].format(**schema, of=value(schema["items"], words))
    if schema["type"] == "integer":
        return words["range" if "maximum" in schema else "whole"].format(**schema)
    if schema["type"] == "boolean":
        return words["boolean"]
    if "pattern" in schema:
        return words[next(kind for begin, kind in PATTERNS.items() if schema["pattern"].startswith(begin))]
    return words["zone" if "examples" in schema else "id" if "maxLength" in schema else "text"].format(**schema)


def table(schema, words, meaning):
    """Returns the table of an object's fields, required ones first."""
    required = schema["required"]
    names = [*required, *sorted(schema["properties"].keys() - set(required))]
    rows = [
        f"| `{name}` | {words['yes'] if name in required else ''} | {value(field, words)} | {meaning(field)} |"
        for name in names
        for field in [schema["properties"][name]]
    ]
    return "\n".join([words["header"], "|---|---|---|---|", *rows])


def page(language):
    """Returns the page of the field tables in a language."""
    words = WORDS[language]
    italian = translations()

    def meaning(field):
        return field["description"] if language == "en" else italian[field["description"]]

    objects = {}
    parts = [f"# {words['title']}", words["intro"]]
    for name, schema in schemas().items():
        objects |= schema["$defs"]
        parts += [f"## {name}", table(schema["properties"]["data"], words, meaning)]
    parts.append(f"## {words['objects']}")
    for name, schema in sorted(objects.items()):
        parts += [f"### {name}", table(schema, words, meaning)]
    return "\n\n".join(parts) + "\n"


def file(language):
    return EVENTS / ("fields.md" if language == "en" else f"fields.{language}.md")
