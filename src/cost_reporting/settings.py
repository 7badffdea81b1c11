"""The environment of a function, parsed once, late and whole. Nothing else in the product reads it."""

import os
from collections.abc import Mapping
from functools import cache
from typing import Final
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from cost_reporting import measures
from cost_reporting.contracts import Fact
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
)


class Settings(Fact):
    """Names of what the template deployed, and the two choices that its parameters make."""

    clients_table: str
    outcomes_table: str
    bucket: str
    sender: str
    operators: str
    configuration_set: str
    consultancy: str
    link_role_arn: str
    time_zone: str

    @property
    def zone(self) -> ZoneInfo:
        """The time zone in which a run decides which period is over. Raises ContractViolated if there is none such."""
        try:
            return ZoneInfo(self.time_zone)
        except (ZoneInfoNotFoundError, ValueError):
            raise ContractViolated(f"TIME_ZONE: {self.time_zone!r} is not in the IANA time zone database") from None


def parse(environ: Mapping[str, str]) -> Settings:
    """Settings from ``environ``. Raises ContractViolated naming every variable that is missing or empty."""
    missing = [name for name in _VARIABLES if not environ.get(name)]
    if missing:
        raise ContractViolated(f"environment variables missing: {', '.join(missing)}")
    return Settings.model_validate({name.lower(): environ[name] for name in _VARIABLES})


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
