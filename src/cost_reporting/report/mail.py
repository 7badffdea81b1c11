"""The words of the mail that carries a report: subject, plain text and HTML, made together with the PDF.

They are stored beside it as plain data (``contracts.MailWords``), so that sending needs neither templates nor locales,
and sending again says the same. There is no address in them.
"""

from typing import Final

from jinja2 import Template

from cost_reporting.contracts import Fact, MailWords
from cost_reporting.report import words
from cost_reporting.report.edition import Edition
from cost_reporting.report.naming import file_name

_NAME_LENGTH: Final = 60


class Message(Fact):
    """What the mail says, before it is set as text or HTML."""

    headline: str
    equivalent: str | None
    reasons_title: str
    reasons: tuple[str, ...]
    trust_title: str
    caveats: tuple[str, ...]
    badge: str
    attached: str


def mail_words(edition: Edition, template: Template, *, language: str, colour: str) -> MailWords:
    """The words for ``edition``, the HTML made with ``template`` in the client's ``colour``."""
    message = Message(
        headline=words.headline(edition),
        equivalent=words.equivalent(edition),
        reasons_title=words.reasons_title(edition),
        reasons=words.reasons(edition),
        trust_title=words.TRUST_TITLE,
        caveats=words.caveats(edition),
        badge=edition.badge,
        attached=f"Attached: {file_name(edition.client.client_id, edition.run)}, report {edition.number}.",
    )
    return MailWords(
        subject=subject(edition),
        text=_text(edition, message),
        html=template.render(edition=edition, language=language, colour=colour, **dict(message)),
    )


def subject(edition: Edition) -> str:
    """``[Acme] AWS costs, October 2026: USD 142,000 (+12 %) – final``: one line, with ordinary spaces."""
    name = edition.client_name
    if len(name) > _NAME_LENGTH:
        name = name[: _NAME_LENGTH - 1].rstrip() + "\u2026"
    total = edition.figures.money_headline(edition.total, edition.currency)
    if edition.covered_by_credits:
        total += " after credits"
    change = words.subject_change(edition)
    note = f" ({change})" if change else ""
    line = f"[{name}] AWS costs, {edition.period_words}: {total}{note} \u2013 {edition.run.issue}"
    return ("[TEST] " if edition.is_test else "") + " ".join(line.split())


def _text(edition: Edition, message: Message) -> str:
    parts = [f"{edition.client_name}\nAWS cost report, {edition.period_words} ({message.badge})", message.headline]
    if edition.is_test:
        parts.insert(0, "THIS IS A TEST. It is not a report to act on.")
    if message.equivalent:
        parts.append(f"About {message.equivalent}.")
    lists = ((message.reasons_title, message.reasons), (message.trust_title, message.caveats))
    parts += ["\n".join((title, *(f"- {line}" for line in lines))) for title, lines in lists if lines]
    parts.append(message.attached)
    return "\n\n".join(parts).replace("\u00a0", " ") + "\n"
