"""Events of SES in the shapes of its Developer Guide, in the order in which they came: all seven kinds, some twice.

Some are about an earlier try of a mail, about a report that the ledger does not know, and about nobody's client. The
ledger that they are about is :func:`sent`; what it must say after all of them is :data:`SETTLED`.
"""

import json
from pathlib import Path
from typing import Any, Final

from cost_reporting.ledger import fingerprint

EVENTS: Final[list[dict[str, Any]]] = [
    json.loads(line) for line in (Path(__file__).parent / "ses_events.jsonl").read_text().splitlines()
]

SETTLED: Final = {
    ("tiny-bakery", fingerprint("anna@tiny-bakery.example")): ("try-bakery-1", "DELIVERED"),
    ("northwind-retail", fingerprint("finance@northwind.example")): ("try-northwind-1", "DELIVERED"),
    ("northwind-retail", fingerprint("cto@northwind.example")): ("try-northwind-2", "BOUNCED"),
    ("northwind-retail", fingerprint("cloud@northwind.example")): ("try-northwind-3", "COMPLAINED"),
    ("young-fintech", fingerprint("cfo@young-fintech.example")): ("try-fintech-1", "REJECTED"),
    ("credits-startup", fingerprint("founders@credits-startup.example")): ("try-startup-1", "REJECTED"),
    ("negative-labs", fingerprint("lab-manager@negative-labs.example")): ("try-labs-1", "DELIVERED"),
    ("euro-logistik", fingerprint("it@euro-logistik.example")): ("try-euro-1", "BOUNCED"),
}
"""By client and recipient, the try that the ledger knows, and the state in which its events leave it."""


def sent() -> list[dict[str, Any]]:
    """The ledger before the events: a mail under way to each recipient, some accepted already."""
    states = ("SENDING", "SENT")
    return [
        {
            "report": f"{client_id}#monthly#2026-10#final#live",
            "recipient": recipient,
            "state": states[number % 2],
            "try_id": try_id,
            "attempt": 1,
            "run_id": "monthly-2026-10-final-1a2b3c4d",
            "report_sha256": "0" * 64,
            "updated_at": "2026-11-08T06:00:30Z",
        }
        for number, ((client_id, recipient), (try_id, _)) in enumerate(SETTLED.items())
    ]
