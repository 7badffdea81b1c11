"""Which addresses a test report may go to: domains are compared whole."""

import pytest

from cost_reporting.domain.recipients import domains, outside

OPERATORS = "operations@yourcompany.com"


def refused(*recipients: str, allowed: frozenset[str] | None = None) -> list[str]:
    return [to for _, to in outside(recipients, domains("", OPERATORS) if allowed is None else allowed)]


def test_without_a_list_the_domain_of_the_operators_is_allowed_and_no_other() -> None:
    assert domains("", OPERATORS) == domains(" , ", OPERATORS) == {"yourcompany.com"}


def test_a_list_stands_in_the_place_of_the_operators_domain() -> None:
    listed = domains(" Lab.example,  other.example ,", OPERATORS)
    assert listed == {"lab.example", "other.example"}
    assert refused(OPERATORS, "a@LAB.example", allowed=listed) == [OPERATORS]


@pytest.mark.parametrize(
    "address",
    ["ada@yourcompany.com", "ADA@YOURCOMPANY.COM", "ada@YourCompany.com", "a%evil.example@yourcompany.com"],
)
def test_an_address_in_the_domain_is_allowed_however_it_is_spelt(address: str) -> None:
    assert refused(address) == []


@pytest.mark.parametrize(
    "address",
    [
        "a@evil-yourcompany.com",
        "a@yourcompany.com.evil.example",
        "a@sub.yourcompany.com",
        "a@ourcompany.com",
        "a@yourcompany.co",
        "a@com",
        "yourcompany.com@evil.example",
        "a@xn--yourcompny-b8a.com",
        "a@yourcompany.com@evil.example",
        "a@y\u043eurcompany.com",
        "a@yourcompany.com\u200b",
        "a@yourcompany.com.",
        "a@",
        "a",
        "",
    ],
)
def test_every_other_domain_is_refused_however_much_it_looks_like_the_domain(address: str) -> None:
    assert refused(address) == [address]


def test_each_address_is_judged_and_named_by_its_place() -> None:
    found = dict(outside(("a@yourcompany.com", "b@evil.example", "c@yourcompany.com", "d@evil.example"),
                         domains("", OPERATORS)))  # fmt: skip
    assert found == {1: "b@evil.example", 3: "d@evil.example"}


def test_operators_without_a_domain_allow_none() -> None:
    assert refused("a@yourcompany.com", allowed=domains("", "")) == ["a@yourcompany.com"]
    assert refused("", allowed=domains("", "")) == [""]
