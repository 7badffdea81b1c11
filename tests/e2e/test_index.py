"""out/index.html, opened in a browser: every link leads somewhere, nothing is fetched, and it can be used."""

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from email.message import EmailMessage
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, Request, expect

from cost_reporting.clients import Client
from cost_reporting.contracts import Outcome
from cost_reporting.domain.report_status import ReportFacts, with_outcome
from cost_reporting.errors import remedy_of
from cost_reporting.ledger import report_key
from cost_reporting.report.naming import file_name
from cost_reporting.report.renderer import Rendered, Renderer
from local import evidence
from local.index import change, write_index
from local.world import EXPECTED_FAILURES, logo, twelve
from tests.builders import a_cost_document, a_run, an_outcome

RUN = a_run("2026-10", run_id="monthly-2026-10-final-abc123")
TOKYO = {"services": {"Amazon Redshift": "18270.32"}, "previous": {"Amazon Redshift": "17213.64"}}
CHANGES = {"young-fintech": None, "tiny-bakery": Decimal(0), "negative-labs": Decimal("-1504.13")}
"""Changes of the total that are told in other words."""
HOSTILE = '<img src=x onerror="document.title=1"><script>document.title=2</script> & "Söhne"'
HOSTILE_MAIL = (
    "<html><head><title>x</title></head><body>Hello<script>top.document.title='broken out'</script>"
    '<img src="https://tracker.example/pixel.png"></body></html>'
)


INSIDE = ("file", "data", "chrome", "chrome-extension")
"""The PDF viewer is a part of the browser."""


AT = datetime(2026, 11, 8, 6, 5, tzinfo=UTC)


def on_record(client_id: str, outcome: Outcome) -> ReportFacts:
    """What the tables have about a client's report."""
    facts = ReportFacts(client_id=client_id, report=report_key(RUN, client_id))
    return with_outcome(facts, outcome, run_id=RUN.run_id, at=AT)


class Objects(dict[str, bytes]):
    """The bucket, as far as evidence is collected from it."""


def a_mail(client: Client, to: str, words: tuple[str, str, str], pdf: bytes) -> bytes:
    subject, text, html = words
    mail = EmailMessage()
    mail["Subject"], mail["From"], mail["To"] = subject, "reports@consultancy.example", to
    mail.set_content(text)
    mail.add_alternative(html, subtype="html")
    name = file_name(client.client_id, RUN, estimated=False, incomplete=False)
    mail.add_attachment(pdf, maintype="application", subtype="pdf", filename=name)
    return mail.as_bytes()


@pytest.fixture(scope="module")
def out(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What a run of the demo's clients leaves in out/, with one of them hostile and one left without a mail."""
    out = tmp_path_factory.mktemp("out")
    mail, objects, renderer = out / "accepted", Objects(), Renderer()
    mail.mkdir()
    clients = [
        client.model_copy(update={"client_name": HOSTILE}) if client.client_id == "refund-media" else client
        for client in twelve()
    ]
    outcomes: dict[str, Outcome] = {}
    messages = []
    rendered: Rendered | None = None
    for client in clients:
        name = client.client_id
        if name in EXPECTED_FAILURES:
            error = EXPECTED_FAILURES[name]
            failed = an_outcome(name, "FAILED").model_dump()
            outcomes[name] = Outcome.model_validate(
                failed | {"error": error, "message": f"{name}: <b>no</b>", "remedy": remedy_of(error)}
            )
            continue
        costs = a_cost_document(client_id=name, **(TOKYO if name == "tokyo-data" else {}))  # type: ignore[arg-type]
        if rendered is None or name == "tokyo-data":  # the others share a report, since it is the page that is tested
            rendered = renderer.render(client, costs, RUN, logo(client))
        prefix = f"reports/{name}/monthly/2026-10/final/"
        objects[f"{prefix}report.pdf"] = rendered.pdf
        objects[f"{prefix}costs.json"] = costs.model_dump_json().encode()
        total, before = (evidence.period_total(costs, each) for each in (costs.period, costs.previous))
        outcomes[name] = an_outcome(
            name,
            "NOT_SENT" if name == "credits-startup" else "SENT",
            total=total,
            change=CHANGES.get(name, total - before),
            currency="USD",
            paid_requests=2,
            report_key=f"{prefix}report.pdf",
        )
        if name == "credits-startup":
            continue
        html = HOSTILE_MAIL if name == "refund-media" else rendered.mail.html
        words = (rendered.mail.subject, rendered.mail.text, html)
        for number, to in enumerate(client.recipients):
            (mail / f"{name}-{number}.eml").write_bytes(a_mail(client, to, words, rendered.pdf))
            tags = {"run_id": RUN.run_id, "client_id": name}
            messages.append({"file": f"{name}-{number}.eml", "to": [to], "tags": tags})
    (mail / "messages.jsonl").write_text("".join(f"{json.dumps(each)}\n" for each in messages))
    summary = {"clients": [outcome.model_dump(mode="json") for outcome in outcomes.values()]}
    objects[f"runs/{RUN.run_id}/summary.json"] = json.dumps(summary).encode()
    cases = evidence.collect(clients, outcomes, objects, mail, RUN.run_id, out / RUN.run_id)  # type: ignore[arg-type]
    facts = {name: on_record(name, outcome) for name, outcome in outcomes.items()}
    write_index(out, RUN, cases, facts, now=AT + timedelta(minutes=5), again=0)
    return out


@dataclass
class Seen:
    """A page, with all that it asked for and complained about."""

    page: Page
    requests: list[str] = field(default_factory=list)
    blocked: list[str] = field(default_factory=list)
    complaints: list[str] = field(default_factory=list)

    def asked_elsewhere(self) -> list[str]:
        """Requests that left the folder, but for those that the policy of the page has stopped."""
        asked = [url for url in self.requests if urlsplit(url).scheme not in INSIDE]
        return [url for url in asked if url not in self.blocked]


def watched(context: BrowserContext, address: str) -> Seen:
    page = context.new_page()
    seen = Seen(page)

    def note_failed(request: Request) -> None:
        if request.failure == "csp":
            seen.blocked.append(request.url)

    context.on("request", lambda request: seen.requests.append(request.url))
    context.on("requestfailed", note_failed)
    page.on("console", lambda said: seen.complaints.append(said.text) if said.type in ("error", "warning") else None)
    page.on("pageerror", lambda error: seen.complaints.append(str(error)))
    page.goto(address)
    return seen


@pytest.fixture(params=["light", "dark"])
def scheme(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def context(browser: Browser) -> Iterator[BrowserContext]:
    context = browser.new_context(viewport={"width": 1440, "height": 1000})
    yield context
    context.close()


@pytest.fixture
def seen(context: BrowserContext, out: Path) -> Seen:
    return watched(context, (out / "index.html").as_uri())


def test_everything_can_be_opened_without_a_complaint_or_a_request_elsewhere(seen: Seen) -> None:
    page = seen.page
    assert page.title() == "Cost reports, October 2026"
    for row in page.locator("details").all():
        row.locator("summary").click()
        expect(row).to_have_attribute("open", "")
        for frame in row.locator("iframe").all():
            frame.scroll_into_view_if_needed()
    page.wait_for_timeout(500)
    mails = [url for url in seen.requests if url.endswith("mail-1.html")]
    assert len(mails) == 8
    assert seen.asked_elsewhere() == []
    assert [said for said in seen.complaints if "sandboxed" not in said and "tracker.example" not in said] == []


def test_what_is_closed_is_not_loaded(seen: Seen) -> None:
    seen.page.wait_for_timeout(300)
    assert not [url for url in seen.requests if ".pdf" in url]


def test_every_link_leads_to_a_file_or_to_a_row(seen: Seen, out: Path, context: BrowserContext) -> None:
    page = seen.page
    links = {str(link.get_attribute("href")) for link in page.locator("a").all()}
    assert len(links) > 40
    for link in sorted(links):
        if link.startswith("#"):
            page.goto(f"{(out / 'index.html').as_uri()}{link}")
            expect(page.locator(link)).to_have_attribute("open", "")
            continue
        assert not urlsplit(link).scheme, link
        target = out / unquote(link)
        assert target.is_file(), link
        assert target.stat().st_size, link
    for kind in ("report.pdf", "mail-1.html", "costs.json"):
        other = context.new_page()
        answer = other.goto((out / RUN.run_id / "tiny-bakery" / kind).as_uri())
        assert answer is None or answer.ok, kind
        other.close()
    assert seen.asked_elsewhere() == []


def test_the_pdf_and_the_mail_stand_side_by_side(seen: Seen) -> None:
    page = seen.page
    row = page.locator("#client-tokyo-data")
    row.locator("summary").click()
    pdf, mail = row.locator("object").bounding_box(), row.locator("iframe").bounding_box()
    assert pdf is not None
    assert mail is not None
    assert pdf["x"] + pdf["width"] <= mail["x"]
    assert min(pdf["width"], mail["width"]) > 400
    assert min(pdf["height"], mail["height"]) > 500
    frame = row.locator("iframe").content_frame
    expect(frame.locator("body")).to_contain_text("18,270.32")
    expect(row.locator("dl")).to_contain_text("keiri@tokyo-data.example; infra@tokyo-data.example")
    expect(row.locator(".fallback")).not_to_be_visible()


def test_what_failed_comes_first_with_its_remedy(seen: Seen) -> None:
    page = seen.page
    assert [row.get_attribute("class") for row in page.locator("details").all()][:4] == ["failed"] * 3 + ["not_sent"]
    todo = page.locator(".todo")
    expect(todo).to_contain_text("3 clients have no report")
    expect(todo).to_contain_text("Ask the client to restore what `client_manager.py validate")
    todo.get_by_text("Denied Corp").click()
    row = page.locator("#client-denied-corp")
    expect(row).to_have_attribute("open", "")
    expect(row).to_contain_text("denied-corp: <b>no</b>")
    expect(row.locator("summary")).to_be_focused()


def test_a_change_is_told_as_the_report_tells_it() -> None:
    """Between the totals as they are shown: 5,621.43 − 5,229.20, though the exact change rounds to 392.22."""
    outcome = an_outcome(total=Decimal("5621.4265"), change=Decimal("392.2249"), currency="USD")
    assert change(outcome) == "+392.23 (+7.5 %)"
    assert change(outcome.model_copy(update={"change": None})) == "no earlier period"
    assert change(outcome.model_copy(update={"change": Decimal("0.0001")})) == "unchanged"
    assert change(outcome.model_copy(update={"change": Decimal("5621.40")})) == "+5,621.40", (
        "no share of next to nothing"
    )
    assert change(an_outcome(status="FAILED")) == ""


def test_a_status_and_a_word_narrow_the_list(seen: Seen) -> None:
    page = seen.page
    rows = page.locator("details:visible")
    expect(rows).to_have_count(12)
    page.get_by_label("Failed 3").check()
    expect(rows).to_have_count(3)
    expect(page.locator("#found")).to_have_text("3 of 12")
    page.get_by_label("All 12").check()
    page.get_by_role("searchbox").fill("東京")
    expect(rows).to_have_count(1)
    page.get_by_role("searchbox").fill("CostExplorerDisabled")
    expect(rows).to_have_count(1)
    page.get_by_role("searchbox").fill("nothing of the kind")
    expect(page.locator("#nobody")).to_be_visible()


def test_it_can_be_used_by_keyboard_alone(seen: Seen) -> None:
    page = seen.page
    order = []
    for _ in range(16):
        page.keyboard.press("Tab")
        order.append(page.evaluate("document.activeElement.id || document.activeElement.tagName"))
        if order[-1] == "SUMMARY":
            break
    assert order[:4] == ["A", "A", "A", "A"], "the run, then what is to be mended"
    assert "show-all" in order
    assert order[-2:] == ["INPUT", "SUMMARY"]
    page.keyboard.press("Enter")
    expect(page.locator("details[open]")).to_have_count(1)
    page.locator("#show-all").focus()
    page.keyboard.press("ArrowRight")
    expect(page.locator("#show-failed")).to_be_checked()


def test_it_works_without_a_script(browser: Browser, out: Path) -> None:
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto((out / "index.html").as_uri())
    expect(page.locator("input[type=search]")).not_to_be_visible()
    page.get_by_label("Failed 3").check()
    expect(page.locator("details:visible")).to_have_count(3)
    context.close()


def test_names_and_mails_that_want_to_break_out_stay_what_they_are(seen: Seen) -> None:
    page = seen.page
    row = page.locator("#client-refund-media")
    expect(row.locator(".name")).to_contain_text(HOSTILE)
    row.locator("summary").click()
    row.locator("iframe").scroll_into_view_if_needed()
    expect(row.locator("iframe").content_frame.locator("body")).to_contain_text("Hello")
    page.wait_for_timeout(300)
    assert page.title() == "Cost reports, October 2026"
    assert seen.asked_elsewhere() == []
    assert seen.blocked == ["https://tracker.example/pixel.png"]


def test_text_can_be_read_on_its_ground(seen: Seen, scheme: str) -> None:
    """WCAG 2.2, 1.4.3: 4.5 to 1, for every piece of text of the page in either scheme."""
    seen.page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
    seen.page.locator("#client-denied-corp summary").click()
    poor = seen.page.evaluate(CONTRAST)
    assert poor == []


def test_a_look_at_it(browser: Browser, out: Path, screenshots: Path, scheme: str) -> None:
    context = browser.new_context(viewport={"width": 1440, "height": 1000}, color_scheme=scheme)  # type: ignore[arg-type]
    seen = watched(context, (out / "index.html").as_uri())
    seen.page.screenshot(path=screenshots / f"index-{scheme}.png", full_page=True)
    for client_id in ("northwind-retail", "denied-corp"):
        seen.page.goto(f"{(out / 'index.html').as_uri()}#client-{client_id}")
        seen.page.wait_for_timeout(1500)
        seen.page.screenshot(path=screenshots / f"index-{scheme}-{client_id}.png")
    seen.page.set_viewport_size({"width": 390, "height": 844})
    seen.page.wait_for_timeout(200)
    assert seen.page.evaluate("document.documentElement.scrollWidth") <= 390, "it scrolls in one direction only"
    seen.page.goto((out / "index.html").as_uri())
    seen.page.screenshot(path=screenshots / f"index-{scheme}-narrow.png")
    assert seen.asked_elsewhere() == []
    context.close()


CONTRAST = """() => {
  const canvas = new OffscreenCanvas(1, 1).getContext("2d", { willReadFrequently: true });
  const over = (colours) => {
    canvas.clearRect(0, 0, 1, 1);
    for (const colour of colours) { canvas.fillStyle = colour; canvas.fillRect(0, 0, 1, 1); }
    return [...canvas.getImageData(0, 0, 1, 1).data].slice(0, 3);
  };
  const light = (rgb) => {
    const [r, g, b] = rgb.map(part => part / 255).map(p => p <= 0.04045 ? p / 12.92 : ((p + 0.055) / 1.055) ** 2.4);
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const poor = [];
  for (const element of document.querySelectorAll("body *")) {
    const own = [...element.childNodes].some(node => node.nodeType === 3 && node.textContent.trim());
    if (!own || !element.checkVisibility() || element.closest("script")) continue;
    const grounds = [];
    for (let each = element; each; each = each.parentElement) grounds.unshift(getComputedStyle(each).backgroundColor);
    const ground = light(over(["white", ...grounds]));
    const ink = light(over(["white", ...grounds, getComputedStyle(element).color]));
    const ratio = (Math.max(ink, ground) + 0.05) / (Math.min(ink, ground) + 0.05);
    if (ratio < 4.5) poor.push(`${element.textContent.trim().slice(0, 40)}: ${ratio.toFixed(2)}`);
  }
  return poor;
}"""
