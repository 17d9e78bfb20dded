"""No log of a suite contains a phone number, a name or a message text. Runs after the suites that write logs."""

import base64

import pytest

from support import personal
from support.paths import ROOT

LOGS = ROOT / ".local" / "logs"
# The output of this suite, which quotes its findings.
OWN_OUTPUT = ("logs.log",)
# Planted among the logs, so that a scan that reads nothing or has no patterns fails.
PLANTED = "planted.log"
# The log message of a function for each message that it sent.
SENT = "sent a message"
FINDINGS_SHOWN = 20


def wamid(number):
    """Returns a message id in Meta's format."""
    unique = b"\x15\x02\x00\x11\x18\x12" + b"5F425A74F13033492A" + b"\x00"
    return "wamid." + base64.b64encode(b"\x1c\x18" + bytes([len(number)]) + number.encode() + unique).decode()


PLANTS = (
    "sent to +393401234567",
    "sent to 340 123-4567",
    f'{{"message":"sent a message","provider.id":"{wamid("393401234567")}"}}',
    "sent to 3339998887, whom no source names",
    '{"message":"told Anna of it"}',
    "the text was: Misure per la nuova cucina",
    f"body={base64.urlsafe_b64encode(b'x{first_name: Anna}').decode()}",
)


@pytest.fixture(scope="module")
def found():
    """Returns the findings in the logs of the suites, including the planted ones."""
    planted = LOGS / PLANTED
    LOGS.mkdir(parents=True, exist_ok=True)
    planted.write_text("".join(f"{line}\n" for line in PLANTS), encoding="utf-8")
    try:
        return personal.scan(LOGS, personal.used(), OWN_OUTPUT)
    finally:
        planted.unlink()


def test_planted_personal_data_is_found(found):
    lines = [number for file, number, _ in found if file == PLANTED]
    assert lines == list(range(1, len(PLANTS) + 1)), found


def test_there_are_logs_to_scan():
    with_sends = []
    for path in sorted(LOGS.rglob("*.log")):
        if path.name in OWN_OUTPUT:
            continue
        with path.open(encoding="utf-8", errors="replace") as lines:
            if any(SENT in line for line in lines):
                with_sends.append(str(path.relative_to(LOGS)))
    assert with_sends, f"nothing to scan below {LOGS}: run the suites that write logs first, `tests/run rust local logs`"
    print("logs of functions that sent messages:", ", ".join(with_sends))


def test_no_log_holds_a_number_a_name_or_a_text(found):
    hits = [hit for hit in found if hit[0] != PLANTED]
    shown = "\n".join(f"{file}:{number}: {', '.join(what)}" for file, number, what in hits[:FINDINGS_SHOWN])
    assert not hits, f"{len(hits)} lines hold personal data:\n{shown}"
