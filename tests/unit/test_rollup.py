"""The roll-up: one letter about all clients, whatever they are called and however many they are."""

import re
from datetime import UTC, datetime
from html.parser import HTMLParser
from typing import Any
from zoneinfo import ZoneInfo

from hypothesis import given
from hypothesis import strategies as st

from cost_reporting.contracts import MailWords
from cost_reporting.delivery.message import compose
from cost_reporting.delivery.rollup import ROWS, RollCall, words
from cost_reporting.domain.report_status import STATUSES, Judged
from cost_reporting.schedules import due_by

AT, ZONE = datetime(2026, 11, 10, 8, tzinfo=UTC), ZoneInfo("Europe/Berlin")
WEEKLY, MONTHLY = due_by(AT, ZONE)


def a_client(status: str = "failed", client_id: str = "acme", name: str | None = "Acme", **more: Any) -> Judged:
    return Judged.model_validate({"client_id": client_id, "name": name, "status": status} | more)


def rolled(*clients: Judged) -> MailWords:
    return words([RollCall(due=MONTHLY, fired=True, clients=clients)], at=AT, zone=ZONE, stored="runs/watch/x.json")


class _Tags(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.seen: set[str] = set()
        self.said = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.seen |= {tag, *(name for name, _ in attrs)}

    def handle_data(self, data: str) -> None:
        self.said += data


def test_it_names_each_client_that_is_not_well_with_what_and_what_to_do() -> None:
    letter = rolled(
        a_client("failed", detail="ClientAccessDenied at Fetch Costs", remedy="Ask the client."),
        a_client("bounced", "globex", "Globex", detail=f"recipient {'a' * 16}", remedy="Correct the address."),
        a_client("missing", "initech", None, remedy="Start the run."),
        a_client("held", "umbrella", remedy="Look."),
        a_client("delivered", "hooli"),
    )
    assert letter.subject == "[Cost reports] 2 without a report, 1 bounced, 1 held: 5 reports due"
    assert "monthly 2026-10 final, due Sun 2026-11-08 06:00: 5 clients" in letter.text
    for body in (letter.text, letter.html):
        for said in ("Ask the client.", "globex (Globex)", "initech", "Delivered to every recipient: 1", "hooli"):
            assert said in body
    assert letter.text.index("initech") < letter.text.index("acme") < letter.text.index("hooli")


def test_when_all_is_well_it_says_so() -> None:
    assert rolled(a_client("delivered")).subject == "[Cost reports] all is well: 1 report due"


def test_a_recipient_without_a_mail_is_news_although_the_report_is_delivered() -> None:
    added = a_client("delivered", detail="1 recipient of the record has no mail", remedy="resend", unmailed=("a" * 16,))
    letter = rolled(added, a_client("delivered", "hooli"))
    assert letter.subject == "[Cost reports] 1 to look at: 2 reports due"
    for body in (letter.text, letter.html):
        assert "1 recipient of the record has no mail" in body
    assert "  hooli" in letter.text


def test_ten_thousand_losses_make_a_letter_of_readable_length() -> None:
    letter = rolled(*(a_client("failed", f"client-{n}", detail="x" * 9999, remedy="r") for n in range(10_000)))
    assert f"and {10_000 - ROWS} more" in letter.text
    assert len(letter.html) < 1_000_000


@given(st.text(), st.text(), st.text(), st.sampled_from(STATUSES))
def test_nothing_that_a_client_or_a_service_says_becomes_markup_or_a_header_or_a_line(
    client_id: str, name: str, detail: str, status: str
) -> None:
    letter = rolled(a_client(status, client_id, name, detail=detail, remedy="r"))
    tags = _Tags()
    tags.feed(letter.html)
    assert tags.seen <= {"html", "lang", "body", "style", "h2", "h3", "table", "tr", "td", "b", "i", "br", "p"}
    harmless = rolled(a_client(status, "a", "b", detail="c", remedy="r"))
    assert letter.text.count("\n") == harmless.text.count("\n")
    assert not re.search(r"[\u202a-\u202e\u2066-\u2069]", letter.text)
    compose(letter, sender="a@b.example", recipient="c@d.example", reply_to=None, enclosures=())
