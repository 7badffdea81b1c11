"""The environment of a function, parsed once, late and whole. Nothing else in the product reads it."""

import os
from collections.abc import Mapping
from datetime import timedelta
from functools import cache
from typing import Annotated, Final
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import BeforeValidator, Field, ValidationError

from cost_reporting import measures
from cost_reporting.clients import faults
from cost_reporting.contracts import Fact
from cost_reporting.domain.recipients import domains
from cost_reporting.errors import ContractViolated

_VARIABLES: Final = (
    "CLIENTS_TABLE",
    "OUTCOMES_TABLE",
    "BUCKET",
    "SENDER",
    "OPERATORS",
    "CONFIGURATION_SET",
    "CONSULTANCY",
    "LINK_ROLE_ARN",
    "TIME_ZONE",
    "CONCURRENT_CLIENTS",
    "LOOK_AGAIN_SECONDS",
)
NO_SECOND_LOOK: Final = "never"
_LONGEST_WAIT: Final = 86_400


def _seconds(text: object) -> object:
    """``1800,7200`` as its numbers; ``never`` as none."""
    if not isinstance(text, str):
        return text
    return () if text.strip() == NO_SECOND_LOOK else tuple(part.strip() for part in text.split(","))


_OPTIONAL: Final = ("TEST_RECIPIENT_DOMAINS",)


class Settings(Fact):
    """Names of what the template deployed, and the choices that its parameters make.

    ``look_again_seconds``: so long a run waits before each further look at clients whose figures are not there yet.
    """

    clients_table: str
    outcomes_table: str
    bucket: str
    sender: str
    operators: str
    configuration_set: str
    consultancy: str
    link_role_arn: str
    time_zone: str
    concurrent_clients: Annotated[int, Field(ge=1, le=1000)]
    look_again_seconds: Annotated[
        tuple[Annotated[int, Field(ge=1, le=_LONGEST_WAIT)], ...], Field(max_length=5), BeforeValidator(_seconds)
    ]
    test_recipient_domains: str = ""
    """As the parameter lists them; empty, if it lists none."""

    @property
    def waits(self) -> tuple[timedelta, ...]:
        """How long a run waits before each further look at its late clients."""
        return tuple(timedelta(seconds=seconds) for seconds in self.look_again_seconds)

    @property
    def test_domains(self) -> frozenset[str]:
        """The domains to which anybody's report may be mailed as a test."""
        return domains(self.test_recipient_domains, self.operators)

    @property
    def zone(self) -> ZoneInfo:
        """The time zone in which a run decides which period is over. Raises ContractViolated if there is none such."""
        try:
            return ZoneInfo(self.time_zone)
        except (ZoneInfoNotFoundError, ValueError):
            raise ContractViolated(f"TIME_ZONE: {self.time_zone!r} is not in the IANA time zone database") from None


def parse(environ: Mapping[str, str]) -> Settings:
    """Settings from ``environ``. Raises ContractViolated naming every variable that is missing, empty or unreadable."""
    missing = [name for name in _VARIABLES if not environ.get(name)]
    if missing:
        raise ContractViolated(f"environment variables missing: {', '.join(missing)}")
    names = (*_VARIABLES, *(name for name in _OPTIONAL if name in environ))
    try:
        return Settings.model_validate({name.lower(): environ[name] for name in names})
    except ValidationError as invalid:
        raise ContractViolated(f"environment variables: {faults(invalid)}") from None


def metrics_namespace() -> str:
    """Where the metrics belong; the usual place, if nothing is said."""
    return os.environ.get("POWERTOOLS_METRICS_NAMESPACE") or measures.NAMESPACE


def state_machine_arn() -> str:
    """The state machine, which only the function that starts runs is told. Raises ContractViolated if it is not."""
    arn = os.environ.get("STATE_MACHINE_ARN")
    if not arn:
        raise ContractViolated("environment variables missing: STATE_MACHINE_ARN")
    return arn


@cache
def settings() -> Settings:
    """The settings of this process."""
    return parse(os.environ)
