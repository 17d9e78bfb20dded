"""A reminder reaches the phone when it is due, through the schedule of the local run."""

import uuid
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from support import waiting

DUE_IN_S = 5
LATE_LIMIT_S = 70
LEAD_MINUTES = 60


def test_a_reminder_arrives_within_a_minute_of_its_due_time(run):
    due_at = datetime.now(ZoneInfo("Europe/Rome")) + timedelta(seconds=DUE_IN_S)
    phone = "+393401239876"
    event = {
        "id": f"activity-{uuid.uuid4()}",
        "type": "activity.saved",
        "occurred_at": (due_at - timedelta(minutes=1)).isoformat(),
        "data": {
            "activity": {
                "id": str(uuid.uuid4()),
                "subject": "Visita",
                "starts_at": (due_at + timedelta(minutes=LEAD_MINUTES)).isoformat(),
                "all_day": False,
                "time_zone": "Europe/Rome",
                "state": "PIANIFICATA",
            },
            "creator": {"id": "C1"},
            "assignees": [{"id": "P1", "first_name": "Anna", "phone": phone}],
            "reminders": [{"id": "r1", "minutes_before": LEAD_MINUTES, "notify": ["whatsapp"]}],
            "sender_may_notify": True,
        },
    }
    run.bridge.accept(event)

    def told():
        return [message for message in run.bridge.messages() if message["to"] == phone]

    waiting.until(told, "the reminder is on the phone", DUE_IN_S + LATE_LIMIT_S)
    [message] = told()
    # Measured by the phone's clock: not before the due time and not long after it.
    late_s = (datetime.fromisoformat(message["received_at"]) - due_at).total_seconds()
    assert 0 <= late_s <= LATE_LIMIT_S
    starts_at = due_at + timedelta(minutes=LEAD_MINUTES)
    assert "Visita" in message["text"] and starts_at.strftime("%H:%M") in message["text"]
