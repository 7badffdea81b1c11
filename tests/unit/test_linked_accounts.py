"""Accounts of one client of which one pays for another."""

from cost_reporting.domain.linked_accounts import CountedTwice, counted_twice

PAYER, MEMBER, OTHER = "210000000001", "210000000002", "210000000003"


def test_accounts_that_pay_for_themselves_are_counted_once() -> None:
    assert counted_twice({PAYER: [PAYER], OTHER: [], MEMBER: {MEMBER}}) == []


def test_a_member_beside_its_payer_is_counted_twice_whichever_is_read_first() -> None:
    assert counted_twice({PAYER: [PAYER, MEMBER], MEMBER: [MEMBER]}) == [CountedTwice(MEMBER, PAYER, MEMBER)]
    assert counted_twice({MEMBER: [MEMBER], PAYER: [MEMBER, PAYER]}) == [CountedTwice(MEMBER, MEMBER, PAYER)]


def test_a_member_without_costs_of_its_own_answer_is_counted_twice_all_the_same() -> None:
    assert counted_twice({PAYER: [MEMBER], MEMBER: []}) == [CountedTwice(MEMBER, PAYER, MEMBER)]


def test_an_account_in_the_answers_of_two_others_is_counted_twice() -> None:
    assert counted_twice({PAYER: [OTHER], MEMBER: [OTHER]}) == [CountedTwice(OTHER, PAYER, MEMBER)]
