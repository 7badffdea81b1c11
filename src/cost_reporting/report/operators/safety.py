"""The security audit, in words and tables."""

from collections import Counter
from collections.abc import Iterator

from cost_reporting.audit import SEVERITIES, AuditReport, Finding
from cost_reporting.report.operators.document import Document, Figure, Part, table
from cost_reporting.report.operators.words import count, plural


def document(report: AuditReport) -> Document:
    """The report, ready to print."""
    by_severity = Counter(each.severity for each in report.findings if each.accepted is None)
    by_standing = Counter(check.standing for check in report.checks)
    return Document(
        title="Security audit",
        subtitle=f"{report.stack}, {report.read_at:%Y-%m-%d}",
        issued=report.read_at,
        lead=_lead(report, by_standing["not checked"]),
        figures=(
            *(
                Figure(name=f"{severity.title()} findings", value=count(by_severity[severity]))
                for severity in SEVERITIES
            ),
            Figure(
                name="Checks passed",
                value=count(by_standing["passed"]),
                note=f"of {len(report.checks)}; {by_standing['not checked']} not checked",
            ),
        ),
        parts=tuple(_parts(report)),
    )


def _lead(report: AuditReport, unchecked: int) -> str:
    said = f"{plural(report.high, 'grave finding', 'grave findings')}." if report.high else "No grave finding."
    if unchecked:
        said += f" {plural(unchecked, 'question was', 'questions were')} not answered, and so not passed."
    return said


def _parts(report: AuditReport) -> Iterator[Part]:
    open_ones = [each for each in report.findings if each.accepted is None]
    yield _findings("Findings", "What is not as it should be, the gravest first", open_ones)
    accepted = [each for each in report.findings if each.accepted is not None]
    if accepted:
        yield Part(
            title="Accepted",
            table=table(
                "Findings that the baseline accepts, and why",
                "Finding, Severity, Why it is accepted",
                [(each.id, each.severity, each.accepted or "") for each in accepted],
            ),
            items=tuple(f"In the baseline, but found no more: {each}" for each in report.stale),
        )
    yield Part(
        title="Checks",
        table=table(
            "What was asked; a question that was not answered is not passed",
            "Check, Standing, What was looked at",
            [(check.name, check.standing, check.note) for check in report.checks],
        ),
    )


def _findings(title: str, caption: str, findings: list[Finding]) -> Part:
    if not findings:
        return Part(title=title, paragraphs=("None.",))
    rows = [(each.id, each.severity, each.resource, each.fact, each.remedy) for each in findings]
    return Part(title=title, table=table(caption, "Finding, Severity, Resource, Fact, Remedy", rows))
