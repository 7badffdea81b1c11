"""The mail as a MIME message, built with the standard library: every header is ours, and tests read what SES gets."""

import re
from collections.abc import Iterable
from datetime import UTC, datetime
from email.header import Header
from email.message import EmailMessage
from email.policy import SMTP
from html import escape
from typing import Final

from cost_reporting.contracts import DOWNLOADS, DownloadWords, Fact, MailWords

_POLICY: Final = SMTP.clone(cte_type="7bit")
"""SES asks to encode whatever is outside of 7-bit ASCII (API reference, RawMessage)."""
_TURNING: Final = re.compile("[\u202a-\u202e\u2066-\u2069]")
"""Embeddings, overrides and isolates (Unicode Standard Annex 9): with one, the rest of a line is read otherwise."""
_FONT: Final = "font-family:'Source Sans 3','Segoe UI',Helvetica,Arial,sans-serif;font-size:15px;line-height:23px"


class Enclosure(Fact):
    """A file that a mail carries."""

    file_name: str
    content_type: str
    body: bytes


def compose(
    words: MailWords, *, sender: str, recipient: str, reply_to: str | None, enclosures: Iterable[Enclosure]
) -> bytes:
    """A message to one recipient: text and HTML alternatives, and the files attached, the PDF first.

    ``Auto-Submitted`` keeps out-of-office answers away (RFC 3834).
    """
    mail = EmailMessage(policy=_POLICY)
    mail["From"] = sender
    mail["To"] = recipient
    if reply_to is not None:
        mail["Reply-To"] = reply_to
    mail["Auto-Submitted"] = "auto-generated"
    mail.set_content(words.text)
    mail.add_alternative(words.html, subtype="html")
    for enclosure in enclosures:
        kind, _, subkind = enclosure.content_type.partition("/")
        mail.add_attachment(enclosure.body, maintype=kind, subtype=subkind, filename=enclosure.file_name)
    return _subject(words.subject) + mail.as_bytes()


def _subject(text: str) -> bytes:
    """The header field, without marks that turn a line round, folded by the older of the library's encoders.

    What holds ``=?`` is encoded, or it would be shown decoded: a client's name could bring such marks that way.

    The newer one may put the words on both sides of a blank into two encoded words, and loses the blank: between
    encoded words it is no part of the text (RFC 2047, 6.2).
    """
    line = _TURNING.sub("", text)
    plain = line.isascii() and "=?" not in line
    header = Header(line, "us-ascii" if plain else "utf-8", header_name="Subject")
    return f"Subject: {header.encode(linesep='\r\n')}\r\n".encode("ascii")


def with_links(
    words: MailWords, downloads: DownloadWords, links: Iterable[tuple[str, str]], *, until: datetime
) -> MailWords:
    """``words`` with ``links``, of (file name, address), and until when they work: in the text and in the HTML."""
    moment = f"{until.astimezone(UTC):%Y-%m-%d %H:%M} UTC"
    intro, named = downloads.intro.replace("{until}", moment), tuple(links)
    text = "\n\n".join((words.text.rstrip("\n"), intro, *(f"{name}:\n{url}" for name, url in named), downloads.after))
    anchors = "".join(
        f'<br><a href="{escape(url)}" style="color:#0b4f6c;font-weight:bold">{escape(name)}</a>' for name, url in named
    )
    block = (
        f'<tr><td style="{_FONT};color:#1d2733;padding:20px 32px 0">{escape(intro)}{anchors}'
        f"<br>{escape(downloads.after)}</td></tr>"
    )
    return words.model_copy(update={"text": f"{text}\n", "html": words.html.replace(DOWNLOADS, block, 1)})
