"""The error tree."""

import re
from itertools import combinations

import pytest

from cost_reporting import errors
from cost_reporting.errors import CostReportingError, Permanent, Transient, leaves

DRAWN = dict(re.findall(r"^(?:    )[│├└─ ]+ (\w+) {2,}(\S.*)$", errors.__doc__ or "", flags=re.MULTILINE))


def below(root: type[CostReportingError]) -> set[str]:
    return set(leaves(root))


def test_the_tree_in_the_docstring_is_the_tree_of_the_classes() -> None:
    branches = {"Transient": Transient, "Permanent": Permanent}
    order = [name for name in DRAWN if name not in branches]
    border = list(DRAWN).index("Permanent") - 1
    assert set(order[:border]) == below(Transient)
    assert set(order[border:]) == below(Permanent)


def test_every_error_is_either_worth_a_retry_or_not() -> None:
    assert below(Transient) | below(Permanent) == below(CostReportingError)
    assert not below(Transient) & below(Permanent)


@pytest.mark.parametrize("name", sorted(leaves()))
def test_every_error_brings_one_sentence_for_the_person_who_must_act(name: str) -> None:
    remedy = leaves()[name].remedy
    assert "remedy" in vars(leaves()[name]), "its own, not the root's"
    assert re.fullmatch(r"[A-Z`].*[^.]\.", remedy)


def test_no_two_errors_have_the_same_remedy() -> None:
    for (one, first), (other, second) in combinations(leaves().items(), 2):
        assert first.remedy != second.remedy, f"{one} and {other}"


def test_errors_are_facts_without_the_suffix() -> None:
    assert not [name for name in leaves() if name.endswith(("Error", "Exception"))]


def test_an_error_is_called_what_step_functions_calls_it() -> None:
    assert all(error("a fact").name == name for name, error in leaves().items())
