"""The client record: what the consultancy knows about a client, and how its costs may be read.

Every value is treated as hostile until it has passed this model. Ids are safe as prefixes: separators never occur in
them, so the keys of ``acme`` and ``acme-2`` cannot be confused.
"""

from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from typing import Annotated, Any, Literal

from pydantic import Field, StringConstraints, ValidationError, model_validator
from pydantic_core import ErrorDetails

from cost_reporting.contracts import Address, Amount, Cadence, Fact, Issue
from cost_reporting.errors import ClientMisconfigured

ClientId = Annotated[str, StringConstraints(pattern=r"^[a-z0-9](?:[a-z0-9-]{0,46}[a-z0-9])?$")]
Metric = Literal["unblended", "amortized", "net_unblended", "net_amortized"]
Section = Literal["accounts", "regions", "tags", "forecast", "anomalies", "commitments"]
"""Sections that cost paid requests of their own, so only clients that ask for them get them."""
Attachment = Literal["csv", "xlsx"]
TagKey = Annotated[str, StringConstraints(min_length=1, max_length=128, pattern=r"^[^\x00-\x1f\x7f]+$")]
Colour = Annotated[str, StringConstraints(pattern=r"^#[0-9a-fA-F]{6}$")]
OneLine = Annotated[
    str, StringConstraints(strip_whitespace=True, min_length=1, max_length=200, pattern=r"^[^\x00-\x1f\x7f]*$")
]

_NAME = "[A-Za-z0-9_+=,.@/-]"


class RoleAccess(Fact):
    """Read the costs through a role in the client's account, guarded by an ExternalId that we generated."""

    kind: Literal["role"]
    role_arn: Annotated[
        str, StringConstraints(max_length=600, pattern=rf"^arn:aws[a-z-]*:iam::[0-9]{{12}}:role/{_NAME}+$")
    ]
    external_id: Annotated[str, StringConstraints(min_length=2, max_length=1224, pattern=rf"^(:|{_NAME})+$")]


class SecretAccess(Fact):
    """The last resort: access keys of the client's account, kept in Secrets Manager and rotated."""

    kind: Literal["secret"]
    secret_arn: Annotated[
        str,
        StringConstraints(
            max_length=2048, pattern=rf"^arn:aws[a-z-]*:secretsmanager:[a-z0-9-]+:[0-9]{{12}}:secret:{_NAME}+$"
        ),
    ]


Access = Annotated[RoleAccess | SecretAccess, Field(discriminator="kind")]


class Branding(Fact):
    """How the client's report looks. ``logo`` is a file name below ``clients/<client_id>/`` in the bucket."""

    colour: Colour
    logo: Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_-]{1,60}\.(png|svg)$")] | None = None


class ExchangeRate(Fact):
    """What one US dollar, in which AWS bills, was worth in the client's currency, on which day and says who."""

    rate: Annotated[Decimal, Field(gt=0, max_digits=18)]
    as_of: date
    source: OneLine


class Client(Fact):
    """A client of the consultancy. A missing field is an error with a name, never a guess.

    ``quarantined`` addresses were recipients until their mail bounced or they complained; nothing is sent to them.
    ``tag_keys`` are those by which the section ``tags`` splits the costs. ``monthly_budget`` is in the currency of the
    bill. ``attachments`` come beside the PDF. ``preliminary`` asks for a monthly report before the bill is closed as
    well. ``on_partial`` says what becomes of a report of which a section's figures could not be had: sent with the gap
    marked, or held until they can.
    """

    client_id: ClientId
    client_name: OneLine
    status: Literal["active", "suspended"]
    cadences: Annotated[tuple[Cadence, ...], Field(min_length=1)]
    recipients: Annotated[tuple[Address, ...], Field(max_length=50)]
    quarantined: Annotated[tuple[Address, ...], Field(max_length=200)] = ()
    reply_to: Address | None = None
    access: Access
    branding: Branding
    locale: Annotated[str, StringConstraints(pattern=r"^[a-z]{2,3}(_[A-Z][a-z]{3})?(_([A-Z]{2}|[0-9]{3}))?$")]
    currency: Annotated[str, StringConstraints(pattern=r"^[A-Z]{3}$")]
    exchange_rate: ExchangeRate | None = None
    cost_metric: Metric
    page_size: Literal["A4", "Letter"] = "A4"
    sections: tuple[Section, ...] = ()
    tag_keys: Annotated[tuple[TagKey, ...], Field(max_length=5)] = ()
    monthly_budget: Annotated[Amount, Field(gt=0, max_digits=18, decimal_places=2)] | None = None
    attachments: tuple[Attachment, ...] = ()
    preliminary: bool = False
    on_partial: Literal["send_marked", "hold"] = "send_marked"
    version: Annotated[int, Field(ge=1)] = 1

    @model_validator(mode="after")
    def _agrees_with_itself(self) -> "Client":
        if len({recipient.casefold() for recipient in self.recipients}) < len(self.recipients):
            raise ValueError("recipients: an address stands there twice")
        if ("tags" in self.sections) != bool(self.tag_keys):
            raise ValueError("tag_keys: they and the section tags go together")
        if (self.currency == "USD") != (self.exchange_rate is None):
            raise ValueError("exchange_rate: give it for every currency except USD, in which AWS bills")
        return self


def parse_client(row: Mapping[str, Any]) -> Client:
    """The client record in a row of the clients table.

    Raises ClientMisconfigured naming every field that is wrong, and how, but none of the values.
    """
    try:
        return Client.model_validate(row)
    except ValidationError as invalid:
        raise ClientMisconfigured(f"{row.get('client_id', '(no client_id)')}: {faults(invalid)}") from None


def faults(invalid: ValidationError) -> str:
    """``field: what is expected; …`` for each fault, without the values, which may be secret or hostile."""
    return "; ".join(
        ": ".join(filter(None, (".".join(str(part) for part in fault["loc"]), _expected(fault))))
        for fault in invalid.errors(include_url=False, include_input=False)
    )


def _expected(fault: ErrorDetails) -> str:
    if fault["type"] == "union_tag_invalid":  # the one message of pydantic that repeats what it was given
        return f"{fault['ctx']['discriminator']} should be one of {fault['ctx']['expected_tags']}"
    return fault["msg"].removeprefix("Value error, ")


def is_due(row: Mapping[str, Any], cadence: Cadence, issue: Issue) -> bool:
    """Whether a row of the table belongs into a run of ``cadence`` for everybody.

    A monthly report before the bill is closed is for those who ask for it; a weekly one is never anything else.

    A row that does not say is due: it fails by name, where leaving it out would be a silent loss.
    """
    cadences = row.get("cadences")
    wanted = cadence in cadences if isinstance(cadences, list | tuple | set) else True
    early = cadence == "monthly" and issue == "preliminary" and row.get("preliminary") is not True
    return row.get("status", "active") != "suspended" and wanted and not early
