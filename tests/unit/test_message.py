"""The mail as a MIME message."""

from email import message_from_bytes, policy

import pytest

from cost_reporting.contracts import MailWords
from cost_reporting.delivery.message import compose


@pytest.mark.parametrize(
    "subject",
    [
        "[Acme] AWS costs, October 2026: USD 142,000 (+12\u00a0%) – final",
        "[Euro-Logistik GmbH] AWS-Kosten, Oktober 2026: 5.621\u00a0USD (+7,5\u00a0%) – endgültig",
        "[東京データ株式会社] AWSコスト、2026年10月：18,270 USD（+6.1%） – 確定版",
        "[" + "Very Long Name of a Company " * 7 + "] AWS costs, October 2026 – final",
        "[TEST] [Acme] plain",
    ],
)
def test_a_subject_arrives_as_it_was_written_blanks_and_all(subject: str) -> None:
    words = MailWords(subject=subject, text="t", html="<p>h</p>")
    raw = compose(words, sender="a@ours.example", recipient="b@theirs.example", reply_to=None, enclosures=())
    assert message_from_bytes(raw, policy=policy.default)["Subject"] == subject
    assert raw.isascii()
    assert max(map(len, raw.split(b"\r\n"))) <= 78
