"""Send Email: one mail to each recipient, never two."""

import json
import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from html import unescape
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

import boto3
import pytest
import requests
from botocore.exceptions import (
    ConnectionClosedError,
    ConnectTimeoutError,
    EndpointConnectionError,
    ReadTimeoutError,
)

from cost_reporting.contracts import ReportRendered, ReportSent
from cost_reporting.errors import (
    ClientMisconfigured,
    ClientSuspended,
    CostReportingError,
    DeliveryRejected,
    DeliveryRepeated,
    DeliveryThrottled,
    DeliveryUncertain,
    DeliveryUnderway,
    LetterMalformed,
    StaleDocument,
    StoreRefused,
    StoreThrottled,
)
from cost_reporting.ledger import begun, fingerprint, report_key
from cost_reporting.store.approvals import ApprovalStore
from cost_reporting.store.ledger import LedgerStore
from tests.builders import a_client, a_held, a_run
from tests.functional.conftest import ENVIRONMENT, MAIL, PDF, Answer, Clock, Wire, World, refusal

Invoke = Callable[[str, Any], Any]
FINANCE, CTO, OWNER = "finance@northwind.example", "cto@northwind.example", "owner@northwind.example"
TOO_LARGE = MAIL | {
    "html": "<body><table><!--downloads--></table></body>",
    "downloads": {"intro": "Too large; until {until}:", "after": "Ask us & we send it again."},
}
OPERATORS = ENVIRONMENT["OPERATORS"]
FORCED = {"reason": "the recipient deleted it by mistake"}


class Killed(BaseException):
    """The function was killed in the middle of a call."""


def send(invoke: Invoke, baton: ReportRendered) -> ReportSent:
    return ReportSent.model_validate(invoke("send_email", baton))


def states(answer: ReportSent) -> list[str]:
    return [delivery.state for delivery in answer.delivery.deliveries]


def ledger(world: World) -> dict[str, str]:
    """The state of every entry by its recipient's fingerprint."""
    return {item["recipient"]: item["state"] for item in world.outcomes("LEDGER#")}


def test_every_recipient_gets_a_message_of_their_own(invoke: Invoke, world: World) -> None:
    world.add(a_client(recipients=(FINANCE, CTO)))
    answer = send(invoke, world.rendered())
    assert [asked["Destination"] for asked in world.attempts()] == [{"ToAddresses": [FINANCE]}, {"ToAddresses": [CTO]}]
    assert [mail["To"] for mail in world.mails()] == [FINANCE, CTO]
    assert states(answer) == ["SENT", "SENT"]
    assert len({delivery.message_id for delivery in answer.delivery.deliveries}) == 2


def test_the_message_says_what_the_report_says_and_carries_the_very_pdf(invoke: Invoke, world: World) -> None:
    world.add(a_client())
    send(invoke, world.rendered())
    (mail,) = world.mails()
    assert mail["Subject"] == "[Acme] AWS costs"
    assert mail["From"] == ENVIRONMENT["SENDER"]
    assert mail["Reply-To"] == "accounts@consultancy.example"
    assert mail["Auto-Submitted"] == "auto-generated"
    assert mail["Cc"] is None
    assert mail["Bcc"] is None
    assert mail.get_body(("plain",)).get_content().strip() == "Total: 12"
    assert mail.get_body(("html",)).get_content().strip() == "<p>Total: 12</p>"
    (attachment,) = mail.iter_attachments()
    assert attachment.get_content() == PDF
    assert attachment.get_content_type() == "application/pdf"
    assert attachment.get_filename() == "northwind-retail_aws-costs_2026-10_final.pdf"


def test_what_the_client_wants_beside_the_pdf_is_attached_as_it_is_stored(invoke: Invoke, world: World) -> None:
    world.add(a_client())
    send(invoke, world.rendered(files={"csv": b"\xef\xbb\xbfServiceName\r\n", "xlsx": b"PK a sheet"}))
    (mail,) = world.mails()
    assert [
        (part.get_filename(), part.get_content_type(), part.get_payload(decode=True))
        for part in mail.iter_attachments()
    ] == [
        ("northwind-retail_aws-costs_2026-10_final.pdf", "application/pdf", PDF),
        ("northwind-retail_aws-costs_2026-10_final.csv", "text/csv", b"\xef\xbb\xbfServiceName\r\n"),
        (
            "northwind-retail_aws-costs_2026-10_final.xlsx",
            "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
            b"PK a sheet",
        ),
    ]


def linked(mail: Any) -> dict[str, str]:
    """The links of a mail's HTML, by the name of the file."""
    found = re.findall(r'<a href="([^"]+)"[^>]*>([^<]+)</a>', mail.get_body(("html",)).get_content())
    return {name: unescape(url) for url, name in found}


def test_files_too_large_for_a_mail_are_linked_until_a_moment_that_the_mail_names(
    invoke: Invoke, world: World, wire: Wire
) -> None:
    world.add(a_client(recipients=(FINANCE, CTO)))
    send(invoke, world.rendered(files={"csv": b"ServiceName"}, words=TOO_LARGE))
    assert wire.count("sts.AssumeRole") == 1
    for mail in world.mails():
        assert list(mail.iter_attachments()) == []
        links = linked(mail)
        assert list(links) == [
            "northwind-retail_aws-costs_2026-10_final.pdf",
            "northwind-retail_aws-costs_2026-10_final.csv",
        ]
        text = mail.get_body(("plain",)).get_content()
        assert all(url in text for url in links.values())
        until = datetime.strptime(text.partition("until ")[2][:20], "%Y-%m-%d %H:%M UTC").replace(tzinfo=UTC)
        assert timedelta(minutes=58) <= until - datetime.now(UTC) <= timedelta(minutes=60)
        for body in (text, mail.get_body(("html",)).get_content()):
            assert f"until {until:%Y-%m-%d %H:%M} UTC" in body
            assert "Ask us & we send it again." in unescape(body)
        assert "<!--" not in mail.get_body(("html",)).get_content()


def test_a_link_is_signed_by_the_role_for_links_for_one_stored_file_and_its_name(
    invoke: Invoke, world: World, wire: Wire
) -> None:
    world.add(a_client())
    baton = world.rendered(words=TOO_LARGE)
    send(invoke, baton)
    (asked,) = [call.parameters for call in wire.calls if call.operation == "sts.AssumeRole"]
    assert asked["RoleArn"] == ENVIRONMENT["LINK_ROLE_ARN"]
    (url,) = linked(world.mails()[0]).values()
    parts = urlsplit(url)
    query = {name: value for name, (value,) in parse_qs(parts.query).items()}
    assert (parts.scheme, unquote(parts.path)) == ("https", f"/{baton.report.pdf.key}")
    assert parts.hostname == f"{world.bucket}.s3.{ENVIRONMENT['AWS_DEFAULT_REGION']}.amazonaws.com"
    assert query["X-Amz-Algorithm"] == "AWS4-HMAC-SHA256", "new buckets refuse version 2"
    assert query["X-Amz-Expires"] == "3600"
    assert query["X-Amz-Security-Token"]
    assert not query["X-Amz-Credential"].startswith("testing/"), "not the function's own credentials"
    assert query["response-content-disposition"] == f'attachment; filename="{baton.report.file_name}"'
    assert requests.get(url, timeout=5).content == PDF


def test_who_may_not_sign_links_sends_nothing(invoke: Invoke, world: World, wire: Wire) -> None:
    world.add(a_client())
    wire.order("sts.AssumeRole", refusal("AccessDenied", 403))
    with pytest.raises(StoreRefused, match="sign links: AccessDenied"):
        send(invoke, world.rendered(words=TOO_LARGE))
    assert world.attempts() == world.outcomes("LEDGER#") == []


def test_a_dry_run_signs_no_links(invoke: Invoke, world: World, wire: Wire) -> None:
    world.add(a_client())
    send(invoke, world.rendered(run=a_run(mode="dry_run"), words=TOO_LARGE))
    assert wire.count("sts.AssumeRole") == 0


def test_without_a_reply_to_there_is_no_such_header(invoke: Invoke, world: World) -> None:
    world.add(a_client(reply_to=None))
    send(invoke, world.rendered())
    assert world.mails()[0]["Reply-To"] is None


def test_words_in_any_script_arrive_as_they_were_written(invoke: Invoke, world: World) -> None:
    world.add(a_client())
    baton = world.rendered()
    words = {"subject": "[東京データ] AWS costs: 1 234 € – final", "text": "−12 €\n" * 3, "html": "<p>−12 €</p>" * 200}
    mail = world.put(baton.report.mail.key, json.dumps(words).encode())
    send(invoke, baton.model_copy(update={"report": baton.report.model_copy(update={"mail": mail})}))
    (sent,) = world.mails()
    assert sent["Subject"] == words["subject"]
    assert sent.get_body(("plain",)).get_content().splitlines() == words["text"].splitlines()
    assert sent.get_body(("html",)).get_content().strip() == words["html"]
    raw = world.attempts()[0]["Content"]["Raw"]["Data"]
    assert raw.isascii(), "SES asks to encode whatever is outside of 7-bit ASCII"
    assert max(map(len, raw.split(b"\r\n"))) <= 998, "SES takes lines of up to 1,000 characters"


def test_ses_is_told_the_configuration_set_and_whom_an_event_will_be_about(invoke: Invoke, world: World) -> None:
    world.add(a_client())
    run = a_run()
    send(invoke, world.rendered(run=run))
    (asked,) = world.attempts()
    assert asked["ConfigurationSetName"] == "cost-reporting"
    (entry,) = world.outcomes("LEDGER#")
    assert {tag["Name"]: tag["Value"] for tag in asked["EmailTags"]} == {
        "try_id": entry["try_id"],
        "client_id": "northwind-retail",
        "report_id": "northwind-retail_monthly_2026-10_final_live",
        "run_id": run.run_id,
    }
    allowed = set("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-")
    assert all(set(tag["Value"]) <= allowed for tag in asked["EmailTags"]), "SES allows no others in a tag"


def test_the_answer_and_the_ledger_hold_no_address(invoke: Invoke, world: World) -> None:
    world.add(a_client(recipients=(FINANCE, CTO)))
    answer = invoke("send_email", world.rendered())
    assert "@" not in json.dumps(answer)
    assert "@" not in json.dumps(world.outcomes("LEDGER#"), default=str)
    assert [each["recipient"] for each in answer["delivery"]["deliveries"]] == [fingerprint(FINANCE), fingerprint(CTO)]


def test_a_retry_after_everything_was_sent_sends_nothing_and_says_the_same(invoke: Invoke, world: World) -> None:
    world.add(a_client(recipients=(FINANCE, CTO)))
    first = send(invoke, world.rendered())
    again = send(invoke, world.rendered())
    assert len(world.attempts()) == 2
    assert states(again) == ["ALREADY_SENT", "ALREADY_SENT"]
    assert [each.message_id for each in again.delivery.deliveries] == [
        each.message_id for each in first.delivery.deliveries
    ]


def test_another_run_of_the_same_report_sends_nothing(invoke: Invoke, world: World) -> None:
    world.add(a_client())
    send(invoke, world.rendered())
    assert states(send(invoke, world.rendered(run=a_run(run_id="another-run")))) == ["ALREADY_SENT"]
    assert len(world.attempts()) == 1


def test_the_same_address_in_another_spelling_gets_no_second_mail(invoke: Invoke, world: World) -> None:
    world.add(a_client(recipients=(FINANCE,)))
    send(invoke, world.rendered())
    world.add(a_client(recipients=(FINANCE.upper(),)))
    assert states(send(invoke, world.rendered())) == ["ALREADY_SENT"]


def test_a_recipient_who_was_added_later_gets_the_report_and_nobody_else(invoke: Invoke, world: World) -> None:
    world.add(a_client(recipients=(FINANCE,)))
    send(invoke, world.rendered())
    world.add(a_client(recipients=(FINANCE, CTO)))
    assert states(send(invoke, world.rendered())) == ["ALREADY_SENT", "SENT"]


def test_a_crash_between_ledger_and_ses_is_underway_first_and_uncertain_later(
    invoke: Invoke, world: World, wire: Wire, clock: Clock
) -> None:
    world.add(a_client())
    wire.order("sesv2.SendEmail", Killed())
    with pytest.raises(Killed):
        send(invoke, world.rendered())
    assert ledger(world) == {fingerprint(FINANCE): "SENDING"}
    with pytest.raises(DeliveryUnderway):
        send(invoke, world.rendered())
    clock.pass_by(seconds=90)
    for _ in range(2):
        with pytest.raises(DeliveryUncertain, match=a_run().run_id):
            send(invoke, world.rendered())
    assert wire.count("sesv2.SendEmail") == 1


def test_a_crash_between_ses_and_ledger_never_becomes_a_second_mail(
    invoke: Invoke, world: World, wire: Wire, clock: Clock
) -> None:
    world.add(a_client())
    wire.order("dynamodb.PutItem", None, Killed())
    with pytest.raises(Killed):
        send(invoke, world.rendered())
    clock.pass_by(days=30)
    with pytest.raises(DeliveryUncertain):
        send(invoke, world.rendered(run=a_run(run_id="another-run")))
    assert len(world.attempts()) == 1


def test_of_two_senders_who_both_found_nothing_only_one_calls_ses(invoke: Invoke, world: World, wire: Wire) -> None:
    world.add(a_client())
    send(invoke, world.rendered())
    # The record, what is held, and then the ledger as it was a moment before.
    wire.order("dynamodb.GetItem", None, None, Answer(200, {}))
    with pytest.raises(DeliveryUnderway):
        send(invoke, world.rendered(run=a_run(run_id="another-run")))
    assert len(world.attempts()) == 1


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        (refusal("MessageRejected"), DeliveryRejected),
        (refusal("AccountSuspendedException"), DeliveryRejected),
        (refusal("SendingPausedException"), DeliveryRejected),
        (refusal("MailFromDomainNotVerifiedException"), DeliveryRejected),
        (refusal("NotFoundException", 404), DeliveryRejected),
        (refusal("AccessDeniedException", 403), DeliveryRejected),
        (refusal("TooManyRequestsException", 429), DeliveryThrottled),
        (refusal("LimitExceededException"), DeliveryThrottled),
        (ConnectTimeoutError(endpoint_url="https://email"), DeliveryThrottled),
        (EndpointConnectionError(endpoint_url="https://email"), DeliveryThrottled),
    ],
    ids=str,
)
def test_what_ses_certainly_did_not_take_is_refused_and_a_rerun_sends_it(
    answer: Any, error: type[CostReportingError], invoke: Invoke, world: World, wire: Wire
) -> None:
    world.add(a_client())
    wire.order("sesv2.SendEmail", answer)
    with pytest.raises(error) as raised:
        send(invoke, world.rendered())
    assert "@" not in str(raised.value)
    assert ledger(world) == {fingerprint(FINANCE): "REFUSED"}
    assert states(send(invoke, world.rendered())) == ["SENT"]
    assert {item["attempt"] for item in world.outcomes("LEDGER#")} == {2}


@pytest.mark.parametrize(
    "answer",
    [
        refusal("InternalServiceErrorException", 500),
        refusal("Throttling", 503),
        ReadTimeoutError(endpoint_url="https://email"),
        ConnectionClosedError(endpoint_url="https://email"),
    ],
    ids=str,
)
def test_what_ses_may_have_taken_is_uncertain_and_no_rerun_sends_it(
    answer: Any, invoke: Invoke, world: World, wire: Wire, clock: Clock
) -> None:
    world.add(a_client())
    wire.order("sesv2.SendEmail", answer)
    with pytest.raises(DeliveryUncertain):
        send(invoke, world.rendered())
    clock.pass_by(days=1)
    with pytest.raises(DeliveryUncertain):
        send(invoke, world.rendered(run=a_run(run_id="another-run")))
    assert wire.count("sesv2.SendEmail") == 1


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        (refusal("MessageRejected"), DeliveryRejected),
        (ReadTimeoutError(endpoint_url="https://email"), DeliveryUncertain),
        (refusal("TooManyRequestsException", 429), DeliveryThrottled),
    ],
    ids=lambda value: value.__name__ if isinstance(value, type) else "answer",
)
def test_one_recipients_trouble_keeps_nobody_elses_mail_back(
    answer: Any, error: type[CostReportingError], invoke: Invoke, world: World, wire: Wire
) -> None:
    world.add(a_client(recipients=(FINANCE, CTO, OWNER)))
    wire.order("sesv2.SendEmail", None, answer)
    with pytest.raises(error):
        send(invoke, world.rendered())
    assert [asked["Destination"]["ToAddresses"] for asked in world.attempts()] == [[FINANCE], [CTO], [OWNER]]
    assert [ledger(world)[fingerprint(each)] for each in (FINANCE, OWNER)] == ["SENT", "SENT"]


def test_of_several_troubles_the_one_that_a_retry_may_mend_is_raised(invoke: Invoke, world: World, wire: Wire) -> None:
    world.add(a_client(recipients=(FINANCE, CTO, OWNER)))
    wire.order("sesv2.SendEmail", refusal("MessageRejected"), refusal("TooManyRequestsException", 429))
    with pytest.raises(DeliveryThrottled):
        send(invoke, world.rendered())
    wire.order("sesv2.SendEmail", refusal("MessageRejected"))
    with pytest.raises(DeliveryRejected):
        send(invoke, world.rendered())
    assert len(world.attempts()) == 5, "three, then the two that were refused"


def test_a_call_without_an_answer_is_not_repeated_by_the_sdk_either(invoke: Invoke, world: World, wire: Wire) -> None:
    world.add(a_client())
    wire.silent.add("sesv2.SendEmail")
    with pytest.raises(DeliveryUncertain, match="ReadTimeoutError"):
        send(invoke, world.rendered())
    assert wire.sent["sesv2.SendEmail"] == 1


def test_force_send_mails_once_more_per_run_and_keeps_the_reason(invoke: Invoke, world: World) -> None:
    world.add(a_client())
    send(invoke, world.rendered())
    forced = world.rendered(run=a_run(run_id="forced-run", force_send=FORCED))
    assert states(send(invoke, forced)) == ["SENT"]
    assert states(send(invoke, forced)) == ["ALREADY_SENT"]
    assert len(world.attempts()) == 2
    (item,) = world.outcomes("LEDGER#")
    assert (item["run_id"], item["reason"], item["attempt"]) == ("forced-run", FORCED["reason"], 2)


def test_force_send_settles_an_uncertain_mail_but_not_its_own(
    invoke: Invoke, world: World, wire: Wire, clock: Clock
) -> None:
    world.add(a_client())
    wire.order("sesv2.SendEmail", Killed(), Killed())
    with pytest.raises(Killed):
        send(invoke, world.rendered())
    forced = world.rendered(run=a_run(run_id="forced-run", force_send=FORCED))
    with pytest.raises(DeliveryUnderway):
        send(invoke, forced)
    clock.pass_by(minutes=2)
    with pytest.raises(Killed):
        send(invoke, forced)
    clock.pass_by(minutes=2)
    with pytest.raises(DeliveryUncertain):
        send(invoke, forced)
    assert len(world.attempts()) == 2


def forced(run_id: str = "forced", **word: Any) -> Any:
    return a_run(run_id=run_id, force_send=FORCED | word)


def test_a_forced_mail_within_ten_minutes_of_another_is_refused_by_name_and_an_operator_can_say_again(
    invoke: Invoke, world: World, clock: Clock
) -> None:
    world.add(a_client())
    send(invoke, world.rendered())
    assert states(send(invoke, world.rendered(run=forced("one")))) == ["SENT"]
    assert states(send(invoke, world.rendered(run=forced("one")))) == ["ALREADY_SENT"], "a retry is no repetition"
    clock.pass_by(minutes=9)
    with pytest.raises(DeliveryRepeated, match="a forced mail: one began to send at "):
        send(invoke, world.rendered(run=forced("two")))
    assert len(world.attempts()) == 2
    assert states(send(invoke, world.rendered(run=forced("three", again=True)))) == ["SENT"]
    clock.pass_by(minutes=10)
    assert states(send(invoke, world.rendered(run=forced("four")))) == ["SENT"]
    for run_id in ("one", "three"):
        assert states(send(invoke, world.rendered(run=forced(run_id, again=True)))) == ["ALREADY_SENT"]
    assert len(world.attempts()) == 4


@pytest.mark.parametrize("again", [False, True])
def test_of_two_equal_forced_mails_at_the_same_moment_one_goes(
    again: bool, invoke: Invoke, world: World, wire: Wire
) -> None:
    world.add(a_client())
    send(invoke, world.rendered(run=forced("one")))
    # The second one has read the ledger before the first one wrote: the record, what is held, and then the entry.
    wire.order("dynamodb.GetItem", None, None, Answer(200, {}))
    with pytest.raises(DeliveryRepeated):
        send(invoke, world.rendered(run=forced("two", again=again)))
    assert len(world.attempts()) == 1


def test_the_stored_report_goes_to_those_only_who_were_never_mailed_it(
    invoke: Invoke, world: World, clock: Clock
) -> None:
    world.add(a_client(recipients=(FINANCE,)))
    first = world.rendered()
    send(invoke, first)
    world.add(a_client(recipients=(FINANCE, CTO, OWNER)))
    word = {"reason": "added since", "pdf_sha256": first.report.pdf.sha256, "missing": True}
    for _ in range(2):
        run = a_run(run_id="missing", force_send=word)
        answer = send(invoke, world.rendered(run=run))
        clock.pass_by(minutes=1)
    assert states(answer) == ["ALREADY_SENT"] * 3
    assert [asked["Destination"]["ToAddresses"] for asked in world.attempts()] == [[FINANCE], [CTO], [OWNER]]


def test_what_has_begun_to_go_out_is_finished_with_what_is_stored_of_it(
    invoke: Invoke, world: World, wire: Wire
) -> None:
    """The rule: the later recipients get the stored report of the same name, be its bytes others by now."""
    world.add(a_client(recipients=(FINANCE, CTO)))
    first = world.rendered()
    wire.order("sesv2.SendEmail", None, refusal("TooManyRequestsException", 429))
    with pytest.raises(DeliveryThrottled):
        send(invoke, first)
    other = world.put(first.report.pdf.key, b"%PDF made anew")
    baton = first.model_copy(update={"report": first.report.model_copy(update={"pdf": other})})
    assert states(send(invoke, baton)) == ["ALREADY_SENT", "SENT"]
    assert begun(LedgerStore("outcomes").of_report(report_key(first.run, first.client_id)))


@pytest.mark.parametrize("fault", [ValueError("no"), IndexError("no"), AttributeError("no"), UnicodeError("no")])
def test_a_letter_that_cannot_be_composed_keeps_nobody_else_s_back_and_is_named(
    fault: Exception, invoke: Invoke, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    from cost_reporting.operations import send_email

    def compose(*words: Any, recipient: str, **more: Any) -> bytes:
        if recipient == FINANCE:
            raise fault
        return composed(*words, recipient=recipient, **more)

    composed = send_email.compose
    monkeypatch.setattr(send_email, "compose", compose)
    world.add(a_client(recipients=(FINANCE, CTO)))
    with pytest.raises(LetterMalformed, match=f"{fingerprint(FINANCE)}: .*{type(fault).__name__}") as raised:
        send(invoke, world.rendered())
    assert FINANCE not in str(raised.value)
    assert ledger(world) == {fingerprint(CTO): "SENT"}


@pytest.mark.parametrize("field", ["recipients", "quarantined", "reply_to"])
def test_a_record_with_an_encoded_word_for_an_address_fails_by_the_name_of_its_field(
    field: str, invoke: Invoke, world: World
) -> None:
    odd = "=?utf-8?q?victim=40evil=2ecom=2C?=@b.example"
    world.add(a_client(), **{field: odd if field == "reply_to" else [FINANCE, odd]})
    with pytest.raises(ClientMisconfigured, match=f"northwind-retail: {field}") as raised:
        send(invoke, world.rendered())
    assert "victim" not in str(raised.value)


def test_an_encoded_word_in_a_client_s_name_is_shown_as_it_is_written(invoke: Invoke, world: World) -> None:
    world.add(a_client())
    subject = "[=?utf-8?q?Acme_=E2=80=AEevil?=] AWS costs"
    send(invoke, world.rendered(words=MAIL | {"subject": subject}))
    assert world.mails()[0]["Subject"] == subject


def test_a_dry_run_writes_no_ledger_and_asks_ses_nothing(invoke: Invoke, world: World, wire: Wire) -> None:
    world.add(a_client(recipients=(FINANCE, CTO)))
    answer = send(invoke, world.rendered(run=a_run(mode="dry_run")))
    assert states(answer) == ["NOT_SENT", "NOT_SENT"]
    assert world.outcomes("LEDGER#") == world.attempts() == []


def test_a_test_run_has_a_ledger_of_its_own_and_its_own_recipients(invoke: Invoke, world: World) -> None:
    world.add(a_client())
    tester = "me@consultancy.example"
    test = a_run(mode="test", run_id="test-run", recipients=(tester,))
    assert states(send(invoke, world.rendered(run=test))) == ["SENT"]
    assert states(send(invoke, world.rendered(run=test))) == ["ALREADY_SENT"]
    assert states(send(invoke, world.rendered())) == ["SENT"], "the client still has no report"
    assert [mail["To"] for mail in world.mails()] == [tester, FINANCE]


def test_a_test_goes_to_the_recipients_in_the_document_of_its_run_and_the_answer_names_none(
    invoke: Invoke, world: World
) -> None:
    world.add(a_client())
    tester = "me@consultancy.example"
    stored = world.put("runs/test-run/recipients.json", json.dumps([tester, CTO]).encode())
    test = a_run(mode="test", run_id="test-run", test_recipients=stored)
    answer = send(invoke, world.rendered(run=test))
    assert [mail["To"] for mail in world.mails()] == [tester, CTO]
    assert "@" not in answer.model_dump_json()


def test_recipients_of_a_test_that_were_changed_since_are_not_mailed(invoke: Invoke, world: World) -> None:
    world.add(a_client())
    stored = world.put("runs/test-run/recipients.json", b'["me@consultancy.example"]')
    world.put("runs/test-run/recipients.json", b'["attacker@elsewhere.example"]')
    with pytest.raises(CostReportingError):
        send(invoke, world.rendered(run=a_run(mode="test", run_id="test-run", test_recipients=stored)))
    assert world.attempts() == []


@pytest.mark.parametrize(
    ("changes", "held", "approved", "to"),
    [
        ({"approve_first": 1}, None, (), OPERATORS),
        ({"approve_first": 3}, None, ("2026-08", "2026-09"), OPERATORS),
        ({"approve_first": 2}, None, ("2026-08", "2026-09"), FINANCE),
        ({"approve_first": 0}, None, (), FINANCE),
        ({"approve_first": 0}, "HELD", (), OPERATORS),
        ({"approve_first": 0}, "REJECTED", (), OPERATORS),
        ({"approve_first": 0}, "APPROVED", (), FINANCE),
        ({"approve_first": 1}, "APPROVED", ("2026-10",), FINANCE),
    ],
)
def test_a_test_without_recipients_goes_to_the_operators_while_an_approval_is_due(
    changes: dict[str, Any], held: Any, approved: tuple[str, ...], to: str, invoke: Invoke, world: World
) -> None:
    world.add(a_client(**changes))
    store = ApprovalStore("outcomes")
    for month in approved:
        store.count(a_held(period=month))
    if held:
        store.hold("monthly#2026-10#final", a_held(state=held), replacing=None)
    answer = send(invoke, world.rendered(run=a_run(mode="test", run_id="test-run")))
    assert (states(answer), [mail["To"] for mail in world.mails()]) == (["SENT"], [to])


# -- suspension --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"rerun_of": "monthly-2026-10-final-1a2b"},
        {"mode": "dry_run"},
        {"mode": "test", "run_id": "test-run", "rerun_of": "an-older-test"},
        {"force_send": FORCED},
    ],
    ids=json.dumps,
)
def test_a_client_suspended_since_the_run_listed_it_is_mailed_nothing(
    changes: dict[str, Any], invoke: Invoke, world: World
) -> None:
    world.add(a_client(status="suspended", approve_first=1))
    with pytest.raises(ClientSuspended, match="northwind-retail"):
        send(invoke, world.rendered(run=a_run(**changes)))
    assert (world.attempts(), world.outcomes("")) == ([], [])


@pytest.mark.parametrize(
    ("changes", "state"),
    [({}, "SENT"), ({"force_send": FORCED}, "SENT"), ({"mode": "dry_run"}, "NOT_SENT"), ({"mode": "test"}, "SENT")],
    ids=json.dumps,
)
def test_a_suspended_client_that_an_operator_has_named_is_meant(
    changes: dict[str, Any], state: str, invoke: Invoke, world: World
) -> None:
    world.add(a_client(status="suspended"))
    assert states(send(invoke, world.rendered(run=a_run(named=True, **changes)))) == [state]


def test_a_baton_of_a_version_before_this_one_names_nobody(invoke: Invoke, world: World) -> None:
    world.add(a_client(status="suspended"))
    baton = json.loads(world.rendered().model_dump_json())
    for field in ("named", "rerun_of", "test_recipients"):
        del baton["run"][field]
    with pytest.raises(ClientSuspended):
        invoke("send_email", baton)
    world.add(a_client())
    assert invoke("send_email", baton)["delivery"]["deliveries"][0]["state"] == "SENT"


def test_what_was_begun_is_finished_though_the_client_was_suspended_between_two_recipients(
    invoke: Invoke, world: World, wire: Wire
) -> None:
    world.add(a_client(recipients=(FINANCE, CTO)))
    wire.order("sesv2.SendEmail", None, refusal("TooManyRequestsException", 429))
    with pytest.raises(DeliveryThrottled):
        send(invoke, world.rendered())
    world.add(a_client(recipients=(CTO,), status="suspended"))
    assert states(send(invoke, world.rendered())) == ["SENT"], "the one who has it is a recipient no more"
    assert [mail["To"] for mail in world.mails()] == [FINANCE, CTO, CTO]


@pytest.mark.parametrize(
    "answer",
    [refusal("TooManyRequestsException", 429), refusal("MessageRejected"), ReadTimeoutError(endpoint_url="https://e")],
    ids=["throttled", "refused", "unknown"],
)
def test_a_mail_that_is_not_known_to_be_accepted_begins_nothing(
    answer: Any, invoke: Invoke, world: World, wire: Wire, clock: Clock
) -> None:
    world.add(a_client(recipients=(FINANCE,)))
    wire.order("sesv2.SendEmail", answer)
    with pytest.raises(CostReportingError):
        send(invoke, world.rendered())
    world.add(a_client(recipients=(FINANCE, CTO), status="suspended"))
    clock.pass_by(minutes=5)
    with pytest.raises(ClientSuspended):
        send(invoke, world.rendered())
    assert len(world.attempts()) == 1


def test_a_test_run_without_recipients_goes_to_the_clients_own(invoke: Invoke, world: World) -> None:
    world.add(a_client())
    send(invoke, world.rendered(run=a_run(mode="test", run_id="test-run")))
    send(invoke, world.rendered(run=a_run(mode="test", run_id="test-run-2")))
    assert [mail["To"] for mail in world.mails()] == [FINANCE, FINANCE], "each test run is asked for"


def test_a_client_that_lost_its_last_recipient_is_not_taken_for_delivered(invoke: Invoke, world: World) -> None:
    world.add(a_client(recipients=()))
    with pytest.raises(ClientMisconfigured, match="recipients: nobody"):
        send(invoke, world.rendered())


@pytest.mark.parametrize("words", [MAIL, TOO_LARGE], ids=["attached", "linked"])
def test_attached_bytes_that_are_not_those_that_were_rendered_are_not_sent(
    words: dict[str, Any], invoke: Invoke, world: World
) -> None:
    world.add(a_client())
    baton = world.rendered(files={"csv": b"ServiceName"}, words=words)
    world.put(baton.report.attachments[0].document.key, b"something else")
    with pytest.raises(StaleDocument, match="other bytes"):
        send(invoke, baton)
    assert world.attempts() == world.outcomes("LEDGER#") == []


@pytest.mark.parametrize("document", ["pdf", "mail"])
def test_bytes_that_are_not_those_that_were_rendered_are_not_mailed(
    document: str, invoke: Invoke, world: World
) -> None:
    world.add(a_client())
    baton = world.rendered()
    world.put(getattr(baton.report, document).key, b"something else")
    with pytest.raises(StaleDocument, match="other bytes"):
        send(invoke, baton)
    assert world.attempts() == world.outcomes("LEDGER#") == []


@pytest.mark.parametrize("words", [MAIL, TOO_LARGE], ids=["attached", "linked"])
def test_a_report_that_is_half_out_is_finished_with_the_bytes_that_were_begun_with(
    words: dict[str, Any], invoke: Invoke, world: World, wire: Wire
) -> None:
    boto3.client("s3").put_bucket_versioning(Bucket=world.bucket, VersioningConfiguration={"Status": "Enabled"})
    world.add(a_client(recipients=(FINANCE, CTO)))
    baton = world.rendered(files={"csv": b"ServiceName"}, words=words)
    wire.order("sesv2.SendEmail", None, refusal("TooManyRequestsException"))
    with pytest.raises(DeliveryThrottled):
        send(invoke, baton)
    for document in (baton.report.pdf, baton.report.mail, baton.report.attachments[0].document):
        world.put(document.key, b"of another rendering")
    sent = send(invoke, baton)
    assert [each.state for each in sent.delivery.deliveries] == ["ALREADY_SENT", "SENT"]
    last = world.mails()[-1]
    assert last["Subject"] == MAIL["subject"]
    if words is MAIL:
        assert next(part.get_content() for part in last.iter_attachments()) == PDF
    else:
        text = last.get_body(("plain",))
        assert text is not None
        assert text.get_content().count("versionId=") == 2


def test_a_report_that_is_half_out_and_whose_bytes_are_lost_is_not_finished_with_others(
    invoke: Invoke, world: World, wire: Wire
) -> None:
    world.add(a_client(recipients=(FINANCE, CTO)))
    baton = world.rendered()
    wire.order("sesv2.SendEmail", None, refusal("TooManyRequestsException"))
    with pytest.raises(DeliveryThrottled):
        send(invoke, baton)
    world.put(baton.report.pdf.key, b"of another rendering")
    with pytest.raises(StaleDocument, match="not there any more"):
        send(invoke, baton)
    assert len(world.attempts()) == 2


def test_a_ledger_that_cannot_be_written_is_no_licence_to_send(invoke: Invoke, world: World, wire: Wire) -> None:
    world.add(a_client())
    wire.order("dynamodb.PutItem", refusal("InternalServerError", 500))
    with pytest.raises(StoreThrottled):
        send(invoke, world.rendered())
    assert world.attempts() == []


def test_one_recipients_ledger_trouble_keeps_nobody_elses_mail_back(invoke: Invoke, world: World, wire: Wire) -> None:
    world.add(a_client(recipients=(FINANCE, CTO)))
    wire.order("dynamodb.PutItem", refusal("ThrottlingException"))
    with pytest.raises(StoreThrottled):
        send(invoke, world.rendered())
    assert [mail["To"] for mail in world.mails()] == [CTO]


def test_fifty_recipients_get_fifty_messages(invoke: Invoke, world: World) -> None:
    world.add(a_client(recipients=tuple(f"person-{number}@northwind.example" for number in range(50))))
    assert states(send(invoke, world.rendered())) == ["SENT"] * 50
    assert len({mail["To"] for mail in world.mails()}) == 50
