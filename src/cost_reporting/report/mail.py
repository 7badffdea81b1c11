"""The words of the mail that carries a report: subject, plain text and HTML, made together with the PDF.

They are stored beside it as plain data (``contracts.MailWords``), so that sending needs neither templates nor locales,
and sending again says the same. There is no address in them.
"""

from collections.abc import Sequence
from typing import Final, Literal

from jinja2 import Template

from cost_reporting.contracts import Fact, MailWords
from cost_reporting.report import headline, state, words
from cost_reporting.report.causes import Reason
from cost_reporting.report.decisions import DECISIONS_TITLE, decisions
from cost_reporting.report.downloads import download_words
from cost_reporting.report.edition import Edition
from cost_reporting.report.language import to_say

_NAME_LENGTH: Final = 60
_SUBJECTS: Final = {
    "covered": to_say("[{client}] AWS costs, {period}: {amount} after credits \u2013 {state}"),
    "refunded": to_say("[{client}] AWS costs, {period}: {amount} after refunds \u2013 {state}"),
    "both": to_say("[{client}] AWS costs, {period}: {amount} after credits and refunds \u2013 {state}"),
    "change": to_say("[{client}] AWS costs, {period}: {amount} ({change}) \u2013 {state}"),
    "amount": to_say("[{client}] AWS costs, {period}: {amount} \u2013 {state}"),
}
"""By what is said of the amount."""


class Message(Fact):
    """What the mail says, before it is set as text or HTML."""

    headline: str
    equivalent: str | None
    reasons_title: str
    reasons: tuple[Reason, ...]
    decisions_title: str
    decisions: tuple[str, ...]
    trust_title: str
    caveats: tuple[str, ...]
    badge: str
    attached: str


def mail_words(edition: Edition, template: Template, *, colour: str, files: Sequence[str]) -> MailWords:
    """The words for ``edition``, the HTML made with ``template`` in the client's ``colour``.

    ``files`` are the names of what is attached; none, if it is too large for that.
    """
    message = Message(
        headline=headline.headline(edition),
        equivalent=words.equivalent(edition),
        reasons_title=words.reasons_title(edition),
        reasons=words.reasons(edition, brief=True),
        decisions_title=edition.say(DECISIONS_TITLE),
        decisions=decisions(edition),
        trust_title=edition.say(words.TRUST_TITLE),
        caveats=words.caveats(edition),
        badge=state.badge(edition),
        attached=_attached(edition, files),
    )
    downloads = None if files else download_words(edition)
    return MailWords(
        subject=subject(edition),
        text=_text(edition, message),
        downloads=downloads,
        html=template.render(
            edition=edition,
            say=edition.say,
            language=edition.language.code,
            colour=colour,
            downloads=downloads is not None,
            **dict(message),
        ),
    )


def _attached(edition: Edition, files: Sequence[str]) -> str:
    if not files:
        return edition.say("Report {number}.", number=edition.number)
    return edition.say(
        "Attached: {files}. Report {number}.", files=edition.language.listed(files), number=edition.number
    )


def subject(edition: Edition) -> str:
    """``[Acme] AWS costs, October 2026: USD 142,000 (+12 %) – final``: one line, with ordinary spaces."""
    name = edition.client_name
    if len(name) > _NAME_LENGTH:
        name = name[: _NAME_LENGTH - 1].rstrip() + "\u2026"
    line = edition.say(
        _SUBJECTS[_said_of(edition)],
        client=name,
        period=edition.period_words,
        amount=edition.figures.money_headline(edition.total, edition.currency),
        state=state.in_subject(edition),
        **({"change": change} if (change := headline.subject_change(edition)) else {}),
    )
    return ("[TEST] " if edition.is_test else "") + " ".join(line.split())


def _said_of(edition: Edition) -> Literal["covered", "refunded", "both", "change", "amount"]:
    """What the subject says of the amount."""
    if edition.covered_by_credits and edition.has_refunds:
        return "both" if edition.has_credits else "refunded"
    if edition.covered_by_credits:
        return "covered"
    return "change" if headline.subject_change(edition) else "amount"


def _text(edition: Edition, message: Message) -> str:
    title = edition.say("AWS cost report, {period} ({badge})", period=edition.period_words, badge=message.badge)
    parts = [f"{edition.client_name}\n{title}", message.headline]
    if edition.is_test:
        test = (edition.say("This is a test."), edition.say("It is not a report to act on."))
        parts.insert(0, edition.language.together(*test))
    if message.equivalent:
        parts.append(edition.say("About {equivalent}.", equivalent=message.equivalent))
    lists = (
        (message.decisions_title, _bullets(message.decisions)),
        (message.reasons_title, _lines(message.reasons)),
        (message.trust_title, _bullets(message.caveats)),
    )
    parts += ["\n".join((title, *lines)) for title, lines in lists if lines]
    parts.append(message.attached)
    return "\n\n".join(parts).replace("\u00a0", " ").replace("\u202f", " ") + "\n"


def _bullets(lines: Sequence[str]) -> list[str]:
    return [f"- {line}" for line in lines]


def _lines(reasons: Sequence[Reason]) -> list[str]:
    """Amounts under each other, with the words beside them."""
    room = max((len(reason.amount) for reason in reasons), default=0)
    if not room:
        return _bullets([reason.sentence for reason in reasons])
    return [f"{reason.amount:>{room}}  {reason.sentence}" for reason in reasons]
