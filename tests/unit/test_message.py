"""The mail as a MIME message."""

from email import message_from_bytes, policy
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError

from cost_reporting.contracts import Address, MailWords
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


ADDRESSES: TypeAdapter[str] = TypeAdapter(Address)
TURNING = {chr(code) for code in (*range(0x202A, 0x202F), *range(0x2066, 0x206A))}
OURS = ["Subject", "From", "To", "Reply-To", "Auto-Submitted", "MIME-Version", "Content-Type"]


def composed(subject: str, to: str, reply_to: str | None = None) -> Any:
    words = MailWords(subject=subject, text="t", html="<p>h</p>")
    raw = compose(words, sender="a@ours.example", recipient=to, reply_to=reply_to, enclosures=())
    assert raw.isascii()
    return message_from_bytes(raw, policy=policy.default)


@pytest.mark.parametrize(
    "address",
    [
        "=?utf-8?q?=0d=0aX-Evil=3a_y?=@b.example",
        "=?utf-8?q?victim=40evil=2ecom=2C?=@b.c",
        "a=?@b.example",
        "a==?b@b.example",
        "=?@b.example",
        "a=?utf-8?b?eA==?=b@b.example",
    ],
)
def test_an_address_with_an_encoded_word_is_refused(address: str) -> None:
    with pytest.raises(ValidationError):
        ADDRESSES.validate_python(address)


@pytest.mark.parametrize(
    "address", ["a=b@c.example", "?=@c.example", "a=@c.example", "==@c.example", "what?@c.example"]
)
def test_an_address_with_the_characters_of_one_alone_is_taken(address: str) -> None:
    assert ADDRESSES.validate_python(address) == address
    assert composed("s", address)["To"] == address


PIECES = st.sampled_from([
    "=?utf-8?q?", "?=", "=?", "=", "?", "=40", "=2C", "=0d=0a", "a", "b.c", ".", "_", "%0d%0a", "'", "{|}", "utf-8",
])  # fmt: skip


@given(st.lists(PIECES, min_size=1, max_size=30).map("".join), st.sampled_from(["b.example", "x-1.y.example"]))
def test_what_is_an_address_is_shown_as_it_is_and_adds_no_header(local: str, domain: str) -> None:
    try:
        address = ADDRESSES.validate_python(f"{local}@{domain}")
    except ValidationError:
        return
    mail = composed("AWS costs", address, address)
    assert sorted(mail.keys()) == sorted(OURS)
    assert "=?" not in str(mail["To"])
    assert [each.addr_spec for each in mail["To"].addresses] == [address]
    assert (str(mail["To"]), str(mail["Reply-To"])) == (address, address)


@given(
    st.lists(
        PIECES
        | st.sampled_from(["=?utf-8?q?Acme_=E2=80=AEevil?=", "\u202e", "\u2066", "Acme", " ", "é", "東", "\u200f"]),
        min_size=1,
        max_size=20,
    ).map("".join)
)
@example("[=?utf-8?q?Acme_=E2=80=AEevil?=] AWS costs")
@example("[ =?utf-8?b?4oCu?= ] AWS costs, é")
@example("Acme \u202eevil")
def test_a_subject_is_shown_as_it_was_written_without_marks_that_turn_it_round(name: str) -> None:
    subject = f"[{name}] AWS costs"
    mail = composed(subject, "b@theirs.example")
    assert sorted(mail.keys()) == sorted(set(OURS) - {"Reply-To"})
    assert mail["Subject"] == "".join(char for char in subject if char not in TURNING)
    assert not TURNING & set(mail["Subject"])
