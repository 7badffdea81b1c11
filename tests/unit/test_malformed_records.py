"""Ten thousand malformed files: each is exit code 2 and a message that names the field, and AWS is not even asked."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

import _console
import client_manager
from cost_reporting.clients import Client
from tests.builders import a_client

SOUND = json.loads(a_client().model_dump_json(exclude_none=True, exclude={"version"}))
REQUIRED = sorted(name for name, field in Client.model_fields.items() if field.is_required())
KEPT = {"client_id", "client_name"}
"""A text may be all that these want."""

nothing = st.none()
number = st.integers(-(10**30), 10**30) | st.floats(-1e30, 1e30).map(lambda it: round(it, 6))
text = st.text("aZ09 @_-./:'\"\\{}[]<>\t\n\x00\x7f\u00e9\u202e\u6771\U0001f4b8", max_size=30)
Malformed = tuple[bytes, str]
"""What a file holds, and the field that the message has to name."""


def body(document: Any) -> bytes:
    return json.dumps(document, ensure_ascii=False).encode("utf-8", "surrogatepass")


def at(path: str, value: Any) -> dict[str, Any]:
    """The sound record with ``value`` at a dotted name."""
    document = json.loads(json.dumps(SOUND))
    *above, last = path.split(".")
    inner = document
    for step in above:
        inner = inner[step]
    inner[last] = value
    return document


WRONG: dict[str, st.SearchStrategy[Any]] = {
    "client_id": number | st.lists(text, max_size=2) | st.from_regex(r"[A-Z_./# ]{1,60}", fullmatch=True),
    "client_name": number | nothing | st.just("") | st.text("\x00\x1f\x7f\n", min_size=1) | st.text("a", min_size=201),
    "status": number | nothing | text.filter(lambda said: said not in ("active", "suspended")),
    "cadences": number | text | nothing | st.just([]) | st.lists(st.just("daily"), min_size=1, max_size=3),
    "recipients": number | text | nothing | st.lists(text.filter(lambda said: "@" not in said), min_size=1, max_size=3),
    "reply_to": number | text.filter(lambda said: "@" not in said) | st.lists(text, max_size=2),
    "access": number | text | nothing | st.lists(text, max_size=2) | st.fixed_dictionaries({"kind": text}),
    "access.role_arn": number | nothing | text,
    "access.external_id": number | nothing | st.text("äß \n\x00", min_size=1, max_size=8) | st.just("x"),
    "branding": number | text | nothing | st.lists(text, max_size=2),
    "branding.colour": number | nothing | st.text("ghijkl#", max_size=9),
    "branding.logo": number | st.from_regex(r"\.\./[a-z]+\.png|[a-z]+\.(gif|exe|png/x)", fullmatch=True),
    "locale": number | nothing | st.from_regex(r"[A-Z]{2,4}|[a-z]{4,9}|[0-9]+", fullmatch=True),
    "currency": number | nothing | st.from_regex(r"[a-z]{3}|[A-Z]{1,2}|[A-Z]{4,6}", fullmatch=True),
    "exchange_rate": number | text | st.lists(text, max_size=2),
    "cost_metric": number | nothing | text.filter(lambda said: "_" not in said and "ed" not in said),
    "page_size": number | nothing | text.filter(lambda said: said not in ("A4", "Letter")),
    "sections": number | text | nothing | st.lists(st.just("everything"), min_size=1, max_size=3),
    "tag_keys": number | text | nothing | st.lists(st.just("key"), min_size=6, max_size=8),
    "monthly_budget": st.integers(max_value=0) | st.integers(10**19, 10**40) | st.booleans() | st.just("12,50"),
    "attachments": number | text | nothing | st.lists(st.just("docx"), min_size=1, max_size=3),
    "preliminary": number | text | nothing,
    "on_partial": number | nothing | text.filter(lambda said: said not in ("hold", "send_marked")),
    "version": text
    | nothing
    | st.booleans()
    | st.integers(max_value=0)
    | st.floats(-1e30, 1e30).map(lambda it: round(it, 6)),
}
"""By field, what it can never be."""


@st.composite
def wrong_values(draw: st.DrawFn) -> Malformed:
    field = draw(st.sampled_from(sorted(WRONG)))
    return body(at(field, draw(WRONG[field]))), field


@st.composite
def missing_fields(draw: st.DrawFn) -> Malformed:
    field = draw(st.sampled_from(REQUIRED))
    return body({name: value for name, value in SOUND.items() if name != field}), field


@st.composite
def unknown_fields(draw: st.DrawFn) -> Malformed:
    name = draw(st.from_regex(r"[a-z][a-z_0-9]{0,30}", fullmatch=True).filter(lambda it: it not in Client.model_fields))
    where = draw(st.sampled_from(["", "access.", "branding."]))
    known = {"kind", "role_arn", "external_id", "colour", "logo"}
    return body(at(where + (f"{name}_" if name in known else name), draw(number | text))), name


@st.composite
def several(draw: st.DrawFn) -> Malformed:
    """Two faults, of which the message names both."""
    first, second = draw(
        st.lists(st.sampled_from(["locale", "currency", "status", "cost_metric"]), min_size=2, max_size=2, unique=True)
    )
    document = {**SOUND, first: draw(WRONG[first]), second: draw(WRONG[second])}
    return body(document), f"{first} {second}"


TEXT = body(SOUND)
TOO_LONG = st.integers(41, 6_000).map(lambda digits: b"7" * digits)
TOO_LARGE = st.integers(41, 10**9).map(lambda exponent: b"1e%d" % exponent)
BRACKETS = st.tuples(st.sampled_from([b"[", b'{"access":']), st.integers(2_000, 20_000)).map(lambda it: it[0] * it[1])
no_object = st.lists(number | text, max_size=3) | number | text | nothing


def with_member(name: str, value: bytes) -> bytes:
    """The sound record's text with one more member."""
    return TEXT[:-1] + b', "%s": %s}' % (name.encode(), value)


broken_text: st.SearchStrategy[Malformed] = st.one_of(
    st.integers(0, len(TEXT) - 1).map(lambda cut: (TEXT[:cut], "file")),
    st.integers(0, len(TEXT)).map(lambda cut: (TEXT[:cut] + b"\xff" + TEXT[cut:], "file")),
    st.sampled_from([b"\xef\xbb\xbf" + TEXT, TEXT.decode().encode("utf-16")]).map(lambda it: (it, "file")),
    st.sampled_from([b"}", b"]", b",", b"x", TEXT]).map(lambda after: (TEXT + after, "file")),
    st.sampled_from([b"NaN", b"Infinity", b"-Infinity"]).map(lambda it: (b'{"client_id": %s}' % it, "client_id")),
    st.sampled_from(REQUIRED).map(lambda field: (with_member(field, b"1"), field)),
    BRACKETS.map(lambda it: (it, "file")),
    TOO_LONG.map(lambda it: (with_member("version", it), "version")),
    TOO_LARGE.map(lambda it: (with_member("monthly_budget", it), "monthly_budget")),
    st.just((TEXT[:-1] + b', "client_nam\\ud800": 1}', "client_nam")),
    no_object.map(lambda it: (body(it), "file")),
)


MALFORMED = wrong_values() | missing_fields() | unknown_fields() | several() | broken_text


@pytest.fixture(scope="module")
def no_aws() -> Any:
    """Nothing is looked up, let alone written: whoever asks which deployment is meant has gone too far."""
    with pytest.MonkeyPatch.context() as patched:

        def find(*_: Any) -> Any:
            raise AssertionError("a malformed record went as far as the deployment")

        patched.setattr(client_manager._deployment, "find", find)
        yield


@pytest.fixture(scope="module")
def record(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("malformed") / "record.json"


def refused(path: Path, malformed: Malformed, command: Callable[[], Any]) -> None:
    content, fields = malformed
    path.write_bytes(content)
    with pytest.raises(_console.WrongInput) as raised:
        command()
    assert raised.value.exit_code == 2
    named = [fault["field"] for fault in raised.value.details["faults"]]
    for field in fields.split():
        last = field.rpartition(".")[2]
        assert any(field in each or each == last for each in named), (field, named)
        assert last in str(raised.value)
    assert raised.value.remedy
    assert path.read_bytes() == content


settled = settings(
    max_examples=10_000,
    deadline=None,
    database=None,
    phases=[Phase.generate, Phase.shrink],
    suppress_health_check=[*HealthCheck],
)


@pytest.mark.usefixtures("no_aws")
def test_ten_thousand_malformed_files_are_refused_by_field(record: Path) -> None:
    files = 0

    @settled
    @given(MALFORMED, st.booleans())
    def each(malformed: Malformed, adding: bool) -> None:
        nonlocal files
        files += 1
        if adding:
            refused(record, malformed, lambda: client_manager.add(record))
        else:
            refused(record, malformed, lambda: client_manager.update("northwind-retail", record))

    each()
    assert files >= 10_000


@pytest.mark.usefixtures("no_aws")
@settings(settled, max_examples=100)
@given(MALFORMED)
def test_the_command_line_says_the_same_and_ends_with_2(record: Path, malformed: Malformed) -> None:
    record.write_bytes(malformed[0])
    assert _console.main(client_manager.app, ["add", "--config", str(record)]) == 2


@pytest.mark.usefixtures("no_aws")
def test_the_sound_record_that_they_are_made_from_goes_further(record: Path) -> None:
    record.write_bytes(body(SOUND))
    with pytest.raises(AssertionError, match="as far as the deployment"):
        client_manager.add(record)
