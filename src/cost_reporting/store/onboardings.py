"""What was agreed with a client before there is a record: one item ``CLIENT#<id>`` / ``ONBOARDING``, written once."""

from typing import Any

from pydantic import AwareDatetime

from cost_reporting import aws
from cost_reporting.clients import RoleAccess
from cost_reporting.contracts import Fact
from cost_reporting.store.accounts import AccountStore, Binding
from cost_reporting.store.translation import translated


class Onboarding(Fact):
    """The access that a client is to set up, and who of our account may use it besides the function (ARN patterns).

    ``made_at`` is when its ExternalId was made; None if it was there before, nobody knows since when.
    """

    client_id: str
    access: RoleAccess
    operators: tuple[str, ...]
    who: str
    at: AwareDatetime
    made_at: AwareDatetime | None = None


class OnboardingStore:
    """Onboardings in the outcomes table."""

    def __init__(self, table: str) -> None:
        self.accounts = AccountStore(table)
        self._table = aws.table(table)

    def find(self, client_id: str) -> Onboarding | None:
        """What was agreed, if anything was."""
        with translated("read an onboarding"):
            item = self._table.get_item(Key=_key(client_id), ConsistentRead=True).get("Item")
        if item is None:
            return None
        return Onboarding.model_validate({name: value for name, value in item.items() if name not in ("pk", "sk")})

    def write(self, onboarding: Onboarding, *, replacing: Onboarding | None) -> bool:
        """Write it, and bind its account to the client, if the table still says ``replacing``.

        False: somebody else was first.
        """
        put: dict[str, Any] = {
            "TableName": self._table.name,
            "Item": _key(onboarding.client_id) | onboarding.model_dump(mode="json"),
            "ConditionExpression": "attribute_not_exists(pk)",
        }
        if replacing is not None:
            put |= {
                "ConditionExpression": "#access.external_id = :known",
                "ExpressionAttributeNames": {"#access": "access"},
                "ExpressionAttributeValues": {":known": replacing.access.external_id},
            }
        binding = self._binding(onboarding, replacing)
        return self.accounts.transact([{"Put": put}, *self.accounts.writes([binding])], "write an onboarding")

    def _binding(self, onboarding: Onboarding, replacing: Onboarding | None) -> Binding:
        """The account of the access becomes the client's, beside what it has, in the place of what was agreed before.

        What the client's record leads to is its own, and the record's business.
        """
        client_id = onboarding.client_id
        held = dict(self.accounts.held([client_id])[client_id].accounts)
        before = None if replacing is None else replacing.access.account_id
        if before is not None and self.accounts.owners([before])[before].by(client_id) == "onboarding":
            held.pop(before, None)
        accounts = held | {onboarding.access.account_id: ""}
        return Binding(client_id=client_id, accounts=accounts, at=onboarding.at, by="onboarding")


def _key(client_id: str) -> dict[str, str]:
    return {"pk": f"CLIENT#{client_id}", "sk": "ONBOARDING"}
