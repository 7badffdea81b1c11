"""The mail as a MIME message, built with the standard library: every header is ours, and tests read what SES gets."""

from email.message import EmailMessage
from email.policy import SMTP
from typing import Final

from cost_reporting.contracts import MailWords

_POLICY: Final = SMTP.clone(cte_type="7bit")
"""SES asks to encode whatever is outside of 7-bit ASCII (API reference, RawMessage)."""


def compose(
    words: MailWords, *, sender: str, recipient: str, reply_to: str | None, pdf: bytes, file_name: str
) -> bytes:
    """A message to one recipient: text and HTML alternatives, and the PDF attached.

    ``Auto-Submitted`` keeps out-of-office answers away (RFC 3834).
    """
    mail = EmailMessage(policy=_POLICY)
    mail["Subject"] = words.subject
    mail["From"] = sender
    mail["To"] = recipient
    if reply_to is not None:
        mail["Reply-To"] = reply_to
    mail["Auto-Submitted"] = "auto-generated"
    mail.set_content(words.text)
    mail.add_alternative(words.html, subtype="html")
    mail.add_attachment(pdf, maintype="application", subtype="pdf", filename=file_name)
    return mail.as_bytes()
