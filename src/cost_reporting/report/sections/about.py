"""About these figures: what they mean, where they come from and how they were rounded."""

from typing import Final

from cost_reporting.contracts import Fact
from cost_reporting.costs import PRICE_PER_REQUEST
from cost_reporting.money import CENT
from cost_reporting.periods import length
from cost_reporting.report import gaps, words
from cost_reporting.report.edition import Edition
from cost_reporting.report.figures import EN_DASH, MINUS
from cost_reporting.report.language import speaks, to_say


class Entry(Fact):
    """A term and what it means."""

    term: str
    meaning: str


class About(Fact):
    """Facts about the figures, the marks, and a glossary."""

    facts: tuple[Entry, ...]
    marks: tuple[Entry, ...]
    glossary: tuple[Entry, ...]


_GLOSSARY: Final = (
    (to_say("Usage"), to_say("what was used of AWS's services, before credits, refunds and tax")),
    (to_say("Credit"), to_say("an amount that AWS takes off the bill, for instance from a promotion")),
    (to_say("Refund"), to_say("an amount that AWS pays back for an earlier charge")),
    (to_say("Net total"), to_say("charges less credits and refunds, with tax")),
    (to_say("Commitment"), to_say("a Savings Plan or a reservation: AWS for one or three years at a lower price")),
    (to_say("Linked account"), to_say("an AWS account whose bill another account pays")),
)


def view(edition: Edition) -> About:
    """The same for every client, apart from the facts."""
    glossary = tuple(Entry(term=edition.say(term), meaning=edition.say(meaning)) for term, meaning in _GLOSSARY)
    return About(facts=_facts(edition), marks=_marks(edition), glossary=glossary)


def _facts(edition: Edition) -> tuple[Entry, ...]:
    costs, figures, say = edition.costs, edition.figures, edition.say
    facts = {
        say("Metric"): say(words.METRIC_WORDS[costs.metric]),
        say("Period"): edition.language.together(
            edition.say_n(
                "{days}, both days included, in UTC: {n} day.",
                "{days}, both days included, in UTC: {n} days.",
                length(edition.period),
                days=figures.span(edition.period),
            ),
            edition.say_n(
                "Compared with {days}: {n} day.",
                "Compared with {days}: {n} days.",
                length(edition.previous),
                days=figures.span(edition.previous),
            ),
        ),
        say("Source"): _source(edition),
        **_accounts(edition),
        say("Price of these figures"): _price(edition),
    }
    if edition.costs.cadence == "monthly":
        facts[say("Rounding")] = say(
            "Sums are made of exact amounts and rounded once, half away from zero. A table's rows add up to its total: "
            "the cents that rounding leaves are in \u201cOther\u201d or \u201cRounding\u201d; among the days, single "
            "ones are rounded the other way."
        )
    if equivalent := words.equivalent(edition):
        facts[say("Amounts in {currency}", currency=edition.client.currency)] = say(
            "AWS bills in {billed}, and so does this report. For orientation: the net total is about {equivalent}.",
            billed=edition.currency,
            equivalent=equivalent,
        )
    if not speaks(edition.client.locale):
        facts[say("Language")] = say(
            "English, since there is no translation into {language} yet; numbers are written as there.",
            language=figures.language_name,
        )
    return tuple(Entry(term=term, meaning=meaning) for term, meaning in facts.items())


def _source(edition: Edition) -> str:
    costs = edition.costs
    moment = edition.figures.moment(costs.fetched_at)
    if len(costs.accounts_read) <= 1:
        return edition.say(
            "AWS Cost Explorer, read on {moment} from account {account}.", moment=moment, account=costs.account_id
        )
    return edition.say("AWS Cost Explorer, read on {moment} from each account.", moment=moment)


def _accounts(edition: Edition) -> dict[str, str]:
    """What is included and what is left out, where there is more than one account."""
    costs, listed = edition.costs, edition.language.listed
    if len(costs.accounts_read) <= 1 and not costs.accounts_not_read:
        return {}
    read = listed(gaps.named(edition, account) for account in costs.accounts_read)
    facts = {edition.say("Accounts included"): read or costs.account_id}
    if costs.accounts_not_read:
        facts[edition.say("Accounts left out")] = edition.language.together(
            *(
                edition.say(
                    "{account}: {reason}.",
                    account=gaps.named(edition, account),
                    reason=gaps.unread_reason(edition, account),
                )
                for account in costs.accounts_not_read
            )
        )
    return facts


def _price(edition: Edition) -> str:
    each, price = (edition.figures.money(amount, "USD") for amount in (PRICE_PER_REQUEST, edition.price))
    paid = edition.costs.paid_requests
    if len(edition.costs.accounts_read) <= 1:
        return edition.say_n(
            "{n} paid request to Cost Explorer at {each}: {price}, charged by AWS to that account.",
            "{n} paid requests to Cost Explorer at {each}: {price}, charged by AWS to that account.",
            paid,
            each=each,
            price=price,
        )
    return edition.say_n(
        "{n} paid request to Cost Explorer at {each}: {price}, charged by AWS to the accounts.",
        "{n} paid requests to Cost Explorer at {each}: {price}, charged by AWS to the accounts.",
        paid,
        each=each,
        price=price,
    )


def _marks(edition: Edition) -> tuple[Entry, ...]:
    say = edition.say
    marks = {
        "e": say("estimated: AWS may still change the figure"),
        "p": say("partial: costs began within the period"),
        **({"\u2020": say("without an account that could not be read")} if edition.dagger else {}),
        EN_DASH: say("no such costs in the previous period, so no percentage"),
        edition.figures.not_available: say("not available, or without meaning, such as a change from a credit"),
        edition.figures.amount(CENT / 10): say("more than nothing and less than half a cent"),
        MINUS: say("a minus: a credit, a refund, a discount or a fall"),
    }
    return tuple(Entry(term=term, meaning=meaning) for term, meaning in marks.items())
