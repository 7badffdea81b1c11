"""The client record: what the consultancy knows about a client, and how its costs may be read.

Every value is treated as hostile until it has passed this model. Ids are safe as prefixes: separators never occur in
them, so the keys of ``acme`` and ``acme-2`` cannot be confused.
"""

from collections.abc import Callable, Collection, Iterable, Mapping
from datetime import date
from decimal import Decimal
from functools import lru_cache
from typing import Annotated, Any, Final, Literal, NamedTuple

from pydantic import (
    AfterValidator,
    ConfigDict,
    Field,
    StringConstraints,
    TypeAdapter,
    ValidationError,
    model_validator,
)
from pydantic_core import ErrorDetails

from cost_reporting import soundness
from cost_reporting.contracts import Address, Amount, Cadence, Fact, FormerAddress, Issue
from cost_reporting.errors import ClientMisconfigured
from cost_reporting.soundness import NOWHERE, Fault, Standpoint

ClientId = Annotated[str, StringConstraints(pattern=r"^[a-z0-9](?:[a-z0-9-]{0,46}[a-z0-9])?$")]
Metric = Literal["unblended", "amortized", "net_unblended", "net_amortized"]
Section = Literal["accounts", "regions", "tags", "forecast", "anomalies", "commitments", "savings"]
"""Sections that cost paid requests of their own, so only clients that ask for them get them."""
Attachment = Literal["csv", "xlsx"]
TagKey = Annotated[str, StringConstraints(min_length=1, max_length=128, pattern=r"^[^\x00-\x1f\x7f]+$")]
Colour = Annotated[str, StringConstraints(pattern=r"^#[0-9a-fA-F]{6}$")]
OneLine = Annotated[
    str,
    StringConstraints(strip_whitespace=True, min_length=1, max_length=200, pattern=r"^[^\x00-\x1f\x7f]*$"),
    AfterValidator(soundness.visible_line),
]
"""A name, or another line of text, in which there is something to be seen."""

_NAME = "[A-Za-z0-9_+=,.@/-]"


class Explained(Fact):
    """A fact that people write. Each field is followed by its explanation, which the record's JSON Schema repeats."""

    model_config = ConfigDict(use_attribute_docstrings=True)


class RoleAccess(Explained):
    """Read the costs through a role in the client's account, guarded by an ExternalId that we generated."""

    kind: Literal["role"]
    """Always "role" for this kind of access."""
    role_arn: Annotated[
        str, StringConstraints(max_length=600, pattern=rf"^arn:aws[a-z-]*:iam::[0-9]{{12}}:role/{_NAME}+$")
    ]
    """The role in the client's account, like arn:aws:iam::123456789012:role/cost-reporting-reader."""
    external_id: Annotated[str, StringConstraints(min_length=2, max_length=1224, pattern=rf"^(:|{_NAME})+$")]
    """What the role's trust asks for besides our account. `client_manager.py onboard` makes it; nobody invents one."""

    @property
    def account_id(self) -> str:
        """The account that the role is in."""
        return self.role_arn.split(":")[4]


class SecretAccess(Explained):
    """The last resort: access keys of the client's account, kept in Secrets Manager and rotated."""

    kind: Literal["secret"]
    """Always "secret" for this kind of access."""
    secret_arn: Annotated[
        str,
        StringConstraints(
            max_length=2048, pattern=rf"^arn:aws[a-z-]*:secretsmanager:[a-z0-9-]+:[0-9]{{12}}:secret:{_NAME}+$"
        ),
    ]
    """The secret in our account, called <Prefix>/clients/<client_id>: JSON with access_key_id and secret_access_key."""


Access = Annotated[RoleAccess | SecretAccess, Field(discriminator="kind")]


class NamedAccount(Explained):
    """A further AWS account of a client: the name by which its report calls it, and how its costs may be read."""

    name: OneLine
    """What the report calls the account, in one line: a name that no other account and not the client has."""
    access: Access
    """How its costs may be read, as in the field access of the client."""


class Way(NamedTuple):
    """A way to one of a client's accounts: its name, None for the first one, and the ``field`` that says the access."""

    account: str | None
    access: RoleAccess | SecretAccess
    field: str

    @property
    def place(self) -> str:
        """Where it leads to, whatever the account is called: the account of the role, or the secret."""
        return self.access.account_id if isinstance(self.access, RoleAccess) else self.access.secret_arn

    def of(self, client_id: str) -> str:
        """How people are told of the account: ``acme``, or ``acme/Lab`` for a further one. No id holds a slash."""
        return client_id if self.account is None else f"{client_id}/{self.account}"


class Branding(Explained):
    """How the client's report looks."""

    colour: Colour
    """The colour of headings and charts, like #0b4f6c."""
    logo: Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_-]{1,60}\.(png|svg)$")] | None = None
    """A file name like logo.png, a PNG or SVG below clients/<client_id>/ in the bucket."""


Locale = Annotated[str, StringConstraints(pattern=r"^[a-z]{2,3}(_[A-Z][a-z]{3})?(_([A-Z]{2}|[0-9]{3}))?$")]
Currency = Annotated[str, StringConstraints(pattern=r"^[A-Z]{3}$")]
Budget = Annotated[Amount, Field(gt=0, max_digits=18, decimal_places=2)]
PageSize = Literal["A4", "Letter"]


class ExchangeRate(Explained):
    """What one US dollar, in which AWS bills, was worth in the client's currency, on which day and says who."""

    rate: Annotated[Decimal, Field(gt=0, max_digits=18)]
    """One US dollar in the client's currency, like 0.9214."""
    as_of: date
    """The day of the rate, like 2026-10-30."""
    source: OneLine
    """Who says so, in one line, like ECB reference rate."""
    max_age_days: Annotated[int, Field(ge=1, le=366)] | None = None
    """A report whose period ends more than so many days after as_of shows no amounts in this currency; 35 if absent."""


class Client(Explained):
    """A client of the consultancy. A missing field is an error with a name, never a guess."""

    client_id: ClientId
    """The client's name in keys and commands: small letters, digits and hyphens, like acme. It never changes."""
    client_name: OneLine
    """The client's name as its report says it, in one line."""
    status: Literal["active", "suspended"]
    """"active", or "suspended": no report goes out until it is active again."""
    cadences: Annotated[tuple[Cadence, ...], Field(min_length=1)]
    """How often a report goes out: ["monthly"], ["weekly"] or both."""
    recipients: Annotated[tuple[Address, ...], Field(max_length=50)]
    """Who gets the report: up to 50 plain addresses like finance@acme.example, each once."""
    quarantined: Annotated[tuple[FormerAddress, ...], Field(max_length=200)] = ()
    """Who got the report until their mail bounced or they complained; `clean_recipient_lists.py` keeps this list."""
    reply_to: Address | None = None
    """Where the recipients' answers go: one plain address of yours."""
    access: Access
    """How the client's costs may be read: {"kind": "role", "role_arn": …, "external_id": …} as `onboard` writes it."""
    more_accounts: Annotated[tuple[NamedAccount, ...], Field(max_length=20)] = ()
    """Up to 20 further accounts without an organization, all in one report: [{"name": "Lab", "access": {…}}]."""
    shared_with: Annotated[tuple[ClientId, ...], Field(max_length=20)] = ()
    """The ids of clients whose records lead to the same AWS account, like ["acme-board"]; theirs name this one too."""
    shared_reason: OneLine | None = None
    """Why the account is shared, in one line, like "a second report for the board"; only with shared_with."""
    branding: Branding
    """How the report looks: {"colour": "#0b4f6c", "logo": "logo.png"}, the logo only if there is one."""
    locale: Locale
    """Language and country of the report, like en_US or de_DE."""
    currency: Currency
    """In which currency the report shows amounts beside US dollars: three capital letters, like USD or EUR."""
    exchange_rate: ExchangeRate | None = None
    """For every currency but USD: {"rate": "0.9214", "as_of": "2026-10-30", "source": "ECB reference rate"}."""
    cost_metric: Metric
    """Which of Cost Explorer's metrics the report is about; unblended is what most bills show."""
    page_size: PageSize = "A4"
    """The paper: "A4" or "Letter"."""
    sections: tuple[Section, ...] = ()
    """Parts of the report that cost paid requests of their own, like ["accounts", "forecast"]."""
    tag_keys: Annotated[tuple[TagKey, ...], Field(max_length=5)] = ()
    """By which tags the section "tags" splits the costs: up to five keys, like ["Project"]; only with that section."""
    monthly_budget: Budget | None = None
    """The budget of a month in the currency of the bill, all accounts together, like "12000.00"."""
    attachments: tuple[Attachment, ...] = ()
    """Files beside the PDF: ["csv"], ["xlsx"] or both."""
    preliminary: bool = False
    """true: a monthly report before the bill is closed as well."""
    on_partial: Literal["send_marked", "hold"] = "send_marked"
    """What becomes of a report that lacks an account or a section: "send_marked" with the gap shown, or "hold"."""
    approve_first: Annotated[int, Field(ge=0, le=100)] = 0
    """How many of its first reports wait until an operator has approved or rejected them: 0 for none."""
    version: Annotated[int, Field(ge=1)] = 1
    """Counts the changes of the record. Commands keep it: leave it as it was exported, and out of a new record."""

    @property
    def shown(self) -> "ReportRecord":
        """The part of the record that the report shows."""
        return ReportRecord.model_validate({name: getattr(self, name) for name in ReportRecord.model_fields})

    @property
    def ways(self) -> tuple[Way, ...]:
        """The ways to all its accounts, the first one first: whoever looks after access looks at each."""
        more = (Way(each.name, each.access, f"more_accounts.{at}.access") for at, each in enumerate(self.more_accounts))
        return (Way(None, self.access, "access"), *more)

    def alone(self, way: Way) -> "Client":
        """The client as if it had this account only: for questions to one account, never to be stored."""
        return self.model_copy(update={"access": way.access, "more_accounts": ()})

    def entered_by(self, way: Way, access: RoleAccess | SecretAccess) -> "Client":
        """The client with ``access`` in the place of that of ``way``."""
        if way.account is None:
            return self.model_copy(update={"access": access})
        more = (
            each.model_copy(update={"access": access}) if each.name == way.account else each
            for each in self.more_accounts
        )
        return self.model_copy(update={"more_accounts": tuple(more)})

    @model_validator(mode="after")
    def _agrees_with_itself(self) -> "Client":
        _require_agreement(self)
        return self


class ReportRecord(Fact):
    """What a report shows of a client, each field as in :class:`Client`, and nothing else of the record.

    Render PDF reads no more than these attributes and its role allows it no more: it works on fonts, pictures and names
    that other parties made, and does not need to know how a client's costs are read or who its recipients are.
    """

    client_id: ClientId
    client_name: OneLine
    branding: Branding
    locale: Locale
    currency: Currency
    exchange_rate: ExchangeRate | None = None
    page_size: PageSize = "A4"
    monthly_budget: Budget | None = None
    attachments: tuple[Attachment, ...] = ()

    @model_validator(mode="after")
    def _agrees_with_itself(self) -> "ReportRecord":
        _require_agreement(self)
        return self


def _require_agreement(record: Fact) -> None:
    found = [f"{each.field}: {each.expected}" for each in soundness.contradictions(record.model_dump())]
    if found:
        raise ValueError("; ".join(found))


class Examined[Record](NamedTuple):
    """A record, or what is wrong with it: the faults of its form as pydantic tells them, and all others."""

    record: Record | None
    form: tuple[ErrorDetails, ...] = ()
    others: tuple[Fault, ...] = ()


def examine[Record: Fact](
    kind: type[Record],
    facts: Mapping[str, Any],
    at: Standpoint,
    *,
    validate: Callable[[Mapping[str, Any]], Record] | None = None,
) -> Examined[Record]:
    """The record that ``facts`` are, or every fault of it: the one reading that all doors have in common.

    ``validate`` is stricter than the model is with the rows of a table: a file of JSON knows what is a number.
    A fault of the form of a field hides none of another field.
    """
    facts = facts if validate is not None else soundness.in_order(facts)
    known = {name: value for name, value in facts.items() if name in kind.model_fields}
    misspelt = tuple(soundness.misspelt(known))
    try:
        record = (validate or kind.model_validate)(facts)
    except ValidationError as invalid:
        errors = invalid.errors(include_url=False, include_input=False)
        clearer = {each.field for each in misspelt}
        form = tuple(each for each in errors if each["loc"] and dotted(each["loc"]) not in clearer)
        wrong = {*clearer, *(dotted(each["loc"]) for each in form)}
        others = (*misspelt, *(each for each in soundness.faults(known, at) if not _is_within(each.field, wrong)))
        return Examined(None, form if form or others else tuple(errors), others)
    others = (*misspelt, *soundness.faults(record.model_dump(), at))
    return Examined(None if others else record, others=others)


def dotted(loc: Iterable[int | str]) -> str:
    """``access.role_arn`` of ("access", "role", "role_arn"): the kind of access is no field."""
    parts = [str(part) for part in loc]
    for at in range(len(parts) - 1, 0, -1):
        if parts[at - 1] == "access" and len(parts) > at + 1 and parts[at] in ("role", "secret"):
            del parts[at]
    return ".".join(parts)


def _is_within(field: str, wrong: Collection[str]) -> bool:
    return any(field == each or field.startswith(f"{each}.") for each in wrong)


def parse_client(row: Mapping[str, Any], at: Standpoint = NOWHERE) -> Client:
    """The client record in a row of the clients table.

    Raises ClientMisconfigured naming every field that is wrong, and how, but none of the values.
    """
    return _parsed(Client, row, at)


def parse_report_record(row: Mapping[str, Any], at: Standpoint = NOWHERE) -> ReportRecord:
    """What a report shows, from a row that holds only that. Raises ClientMisconfigured as :func:`parse_client` does."""
    return _parsed(ReportRecord, row, at)


def require_sound(record: ReportRecord | Client, at: Standpoint) -> None:
    """Raises ClientMisconfigured if a record that has its form makes no sense, as :func:`parse_client` does."""
    others = tuple(soundness.faults(record.model_dump(), at))
    if others:
        raise ClientMisconfigured(f"{record.client_id}: {_told((), others)}")


def _parsed[Record: Fact](kind: type[Record], row: Mapping[str, Any], at: Standpoint) -> Record:
    examined = examine(kind, row, at)
    if examined.record is None:
        raise ClientMisconfigured(f"{row.get('client_id', '(no client_id)')}: {_told(examined.form, examined.others)}")
    return examined.record


def _told(form: Iterable[ErrorDetails], others: Iterable[Fault]) -> str:
    said = [f"{each.field}: {each.expected}. {each.remedy.rstrip('.')}" for each in others]
    return "; ".join((*(_form(each) for each in form), *said))


def faults(invalid: ValidationError) -> str:
    """``field: what is expected; …`` for each fault, without the values, which may be secret or hostile."""
    return "; ".join(map(_form, invalid.errors(include_url=False, include_input=False)))


def _form(fault: ErrorDetails) -> str:
    return ": ".join(filter(None, (".".join(str(part) for part in fault["loc"]), _expected(fault))))


def _expected(fault: ErrorDetails) -> str:
    if fault["type"] == "union_tag_invalid":  # the one message of pydantic that repeats what it was given
        return f"{fault['ctx']['discriminator']} should be one of {fault['ctx']['expected_tags']}"
    return fault["msg"].removeprefix("Value error, ")


# -- who is due --------------------------------------------------------------------------------------------------------


def is_due(row: Mapping[str, Any], cadence: Cadence, issue: Issue) -> bool:
    """Whether a row of the table belongs into a run of ``cadence`` for everybody.

    A monthly report before the bill is closed is for those who ask for it; a weekly one is never anything else.

    The row is read as the record is, field by field. One whose field says nothing that can be read is due, and fails by
    name: leaving it out would be a silent loss.
    """
    if not is_active(row):
        return False
    cadences = said(row, "cadences")
    if cadences is not UNREADABLE and cadence not in cadences:
        return False
    early = cadence == "monthly" and issue == "preliminary"
    return not (early and said(row, "preliminary") is False)


def is_active(row: Mapping[str, Any]) -> bool:
    """Whether a row's client gets reports at all. A row that does not say is active, and fails by name."""
    return bool(said(row, "status") != "suspended")


class _Unreadable:
    """That a field says nothing which can be read."""


UNREADABLE: Final = _Unreadable()


def said(row: Mapping[str, Any], field: str) -> Any:
    """What one field of a row says, exactly as the record that is parsed from it would, or :data:`UNREADABLE`.

    A field that is not there says its default; one without a default cannot be read.
    """
    known = Client.model_fields[field]
    if field not in row:
        return UNREADABLE if known.is_required() else known.get_default(call_default_factory=True)
    try:
        return _reader(field).validate_python(soundness.in_order(row)[field])
    except ValidationError:
        return UNREADABLE


@lru_cache(maxsize=64)
def _reader(field: str) -> TypeAdapter[Any]:
    known = Client.model_fields[field]
    form: Any = Annotated[known.annotation, *known.metadata] if known.metadata else known.annotation
    return TypeAdapter(form)
