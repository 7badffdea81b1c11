"""The words of the mail that carries a report: plain data, so that sending it needs neither templates nor locales."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

from pydantic import StringConstraints

from cost_reporting.contracts import Fact

if TYPE_CHECKING:
    from jinja2 import Template

    from cost_reporting.report.edition import Edition


class MailWords(Fact):
    """Subject, plain text and HTML. There is no address in any of them."""

    subject: Annotated[str, StringConstraints(min_length=1, max_length=400, pattern=r"^[^\r\n]*$")]
    text: str
    html: str


_NAME_LENGTH = 60


def words(edition: Edition, template: Template) -> MailWords:
    """The words of the mail for ``edition``, its HTML made with ``template``."""
    # Sentences need Babel, and reading stored words must not.
    from cost_reporting.report import branding
    from cost_reporting.report import words as sentences

    message = {
        "headline": sentences.headline(edition),
        "reasons": sentences.reasons(edition),
        "reasons_title": "Why it changed" if edition.comparable else "What it was spent on",
        "caveats": sentences.caveats(edition),
        "equivalent": sentences.equivalent(edition),
        "attached": f"Attached: {edition.file_name}, report {edition.number}.",
    }
    return MailWords(
        subject=subject(edition),
        text=_text(edition, message),
        html=template.render(edition=edition, colour=branding.legible(edition.client.branding.colour), **message),
    )


def subject(edition: Edition) -> str:
    """``[Acme] AWS costs, October 2026: USD 142,000 (+12 %) – final``: one line, with ordinary spaces."""
    name = edition.client_name
    if len(name) > _NAME_LENGTH:
        name = name[: _NAME_LENGTH - 1].rstrip() + "\u2026"
    total = edition.figures.money_headline(edition.total, edition.currency)
    if edition.covered_by_credits:
        total += " after credits"
    change = edition.figures.change(edition.total, edition.previous_total) if edition.comparable else ""
    note = f" ({change})" if change and change != "\u2013" and not edition.covered_by_credits else ""
    line = f"[{name}] AWS costs, {edition.period_words}: {total}{note} \u2013 {edition.run.issue}"
    return ("[TEST] " if edition.is_test else "") + " ".join(line.split())


def _text(edition: Edition, message: dict[str, object]) -> str:
    parts = [f"{edition.client_name}\nAWS cost report, {edition.period_words}", str(message["headline"])]
    if edition.is_test:
        parts.insert(0, "THIS IS A TEST. It is not a report to act on.")
    if message["equivalent"]:
        parts.append(f"About {message['equivalent']}.")
    for title, lines in ((message["reasons_title"], message["reasons"]), ("How far to trust the figures", message["caveats"])):
        if isinstance(lines, tuple) and lines:
            parts.append("\n".join([f"{title}", *(f"- {line}" for line in lines)]))
    parts.append(str(message["attached"]))
    return "\n\n".join(parts).replace("\u00a0", " ") + "\n"
