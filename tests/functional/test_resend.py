"""`report.py resend` and `run --force-send`: a second mail on an operator's word, or the first to new recipients."""

from collections.abc import Callable
from typing import Any

import pytest

from cost_reporting.contracts import ReportSent
from cost_reporting.errors import InvalidRequest
from cost_reporting.ledger import fingerprint
from tests.builders import a_run
from tests.functional import test_operate
from tests.functional.conftest import NOW, Answer, Clock, Costs, Wire, World
from tests.functional.test_as_stored import through
from tests.functional.test_fetch_costs import BAKERY, of_account
from tests.functional.test_list_clients import due
from tests.functional.test_operate import ARN, started

Invoke = Callable[[str, Any], Any]
STARTED = Answer(200, {"executionArn": ARN, "startDate": NOW})
RESEND = ("resend", "--client-id", "acme", "--period", "2026-10", "--reason", "asked for on the phone")
FORCE = ("run", "--cadence", "monthly", "--period", "2026-10", "--client-id", "acme", "--force-send", "they ask for it")
operate = test_operate.operate
NEW = ("anna@acme.example", "board@acme.example")


@pytest.fixture
def sent(invoke: Invoke, world: World, costs: Costs, wire: Wire) -> ReportSent:
    """A report that has gone to its client."""
    world.add(of_account(BAKERY))
    answer = through(invoke, a_run())
    wire.calls.clear()
    return answer


def added(world: World) -> None:
    """Two recipients more than when the report was mailed."""
    world.add(of_account(BAKERY, recipients=(*of_account(BAKERY).recipients, *NEW)))


def test_missing_recipients_are_shown_and_nothing_is_started(
    sent: ReportSent,
    operate: Any,
    world: World,
    wire: Wire,
) -> None:
    added(world)
    said = operate(*RESEND, "--missing", "--dry-run", "--json")
    assert said.code == 0, said.err
    assert said.json["missing"] == [fingerprint(each) for each in NEW]
    assert said.json["runs"][0]["mails"] == 2
    assert said.json["pdf_sha256"] == sent.report.pdf.sha256
    assert all(fingerprint(each) in said.err for each in NEW)
    assert not any(each in said.err + said.out for each in NEW)
    assert started(wire) == []


def test_missing_recipients_are_sent_the_stored_bytes_and_nobody_else(
    sent: ReportSent,
    operate: Any,
    invoke: Invoke,
    world: World,
    wire: Wire,
) -> None:
    added(world)
    refused = operate(*RESEND, "--missing")
    assert refused.code == 2
    assert "2 recipients will get it. Send?" in refused.err
    wire.order("stepfunctions.StartExecution", STARTED)
    said = operate(*RESEND, "--missing", "--yes", "--json")
    assert said.code == 0, said.err
    (request,) = started(wire)
    word = {"reason": "asked for on the phone", "pdf_sha256": sent.report.pdf.sha256, "missing": True}
    assert request["force_send"] == word
    assert due(invoke, world, request) == ["acme"], "although the client has the mark of its report"
    before = len(world.attempts())
    again = through(invoke, a_run(run_id="missing", force_send=word))
    assert [each.state for each in again.delivery.deliveries] == ["ALREADY_SENT", "SENT", "SENT"]
    assert len(world.attempts()) - before == 2
    assert [part.get_content() for mail in world.mails()[-2:] for part in mail.iter_attachments()] == [
        world.get(sent.report.pdf.key)
    ] * 2


def test_without_missing_recipients_nothing_is_started(
    sent: ReportSent,
    operate: Any,
    wire: Wire,
) -> None:
    said = operate(*RESEND, "--missing", "--yes", "--json")
    assert (said.code, said.json) == (0, {"status": "done", "executions": [], "missing": []})
    assert started(wire) == []


def test_missing_of_a_report_that_was_never_mailed_is_refused(operate: Any, world: World) -> None:
    world.add(of_account(BAKERY))
    said = operate(*RESEND, "--missing", "--yes", "--json")
    assert (said.code, said.json["error"]) == (1, "ReportNotStored")


@pytest.mark.parametrize("command", [(*RESEND, "--yes"), (*FORCE, "--yes")])
def test_a_mail_that_was_forced_lately_is_forced_again_by_a_second_word_only(
    command: tuple[str, ...],
    sent: ReportSent,
    operate: Any,
    invoke: Invoke,
    wire: Wire,
    clock: Clock,
) -> None:
    through(invoke, a_run(run_id="forced", force_send={"reason": "once more"}))
    clock.pass_by(minutes=9)
    refused = operate(*command, "--json")
    assert (refused.code, started(wire)) == (2, [])
    assert refused.json["message"].startswith("--again: A mail was forced at ")
    assert "--again" in refused.json["remedy"]
    wire.order("stepfunctions.StartExecution", STARTED, STARTED)
    assert operate(*command, "--again").code == 0
    assert started(wire)[0]["force_send"]["again"] is True
    clock.pass_by(minutes=1)
    assert operate(*command).code == 0
    assert "again" not in started(wire)[1]["force_send"]


def test_a_person_at_a_terminal_is_asked_for_the_second_word(
    sent: ReportSent,
    operate: Any,
    invoke: Invoke,
    wire: Wire,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    through(invoke, a_run(run_id="forced", force_send={"reason": "once more"}))
    monkeypatch.setattr("sys.stdin.isatty", lambda: True)
    answers = iter(["n", "y"])
    monkeypatch.setattr("builtins.input", lambda: next(answers))
    declined = operate(*RESEND, "--yes")
    assert (declined.code, started(wire)) == (1, [])
    wire.order("stepfunctions.StartExecution", STARTED)
    assert operate(*RESEND, "--yes").code == 0
    assert started(wire)[0]["force_send"]["again"] is True


@pytest.mark.parametrize(
    ("command", "field"),
    [
        ((*RESEND, "--missing", "--again"), "--again"),
        (("run", "--cadence", "monthly", "--again"), "--again"),
        (("run", "--cadence", "monthly", "--force-send", "all of them", "--yes"), "--force-send"),
        (("run", "--cadence", "monthly", "--client-id", "acme", "--force-send", "x", "--yes"), "--force-send"),
    ],
)
def test_words_that_do_not_go_together_are_refused_and_nothing_is_started(
    command: tuple[str, ...],
    field: str,
    operate: Any,
    world: World,
    wire: Wire,
) -> None:
    world.add(of_account(BAKERY))
    said = operate(*command, "--json")
    assert (said.code, started(wire)) == (2, [])
    assert said.json["message"].startswith(f"{field}: ")


@pytest.mark.parametrize(
    ("word", "field"),
    [
        ({"missing": True}, "force_send.missing: "),
        ({"missing": True, "again": True, "pdf_sha256": "0" * 64}, "force_send.again: "),
        ({"again": "perhaps"}, "force_send.again: "),
    ],
)
def test_a_request_whose_words_do_not_go_together_is_refused(
    word: dict[str, Any], field: str, invoke: Invoke, world: World
) -> None:
    world.add(of_account(BAKERY))
    with pytest.raises(InvalidRequest, match=f"^{field}"):
        due(invoke, world, {"cadence": "monthly", "client_ids": ["acme"], "force_send": {"reason": "why"} | word})
