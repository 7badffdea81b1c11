"""docs/gallery: pictures of reports as of a fixed day."""

import re
from datetime import timedelta
from hashlib import sha256

import boto3
import pytest

from local import gallery
from local.gallery import BUDGET, FOLDER, Exhibit, exhibits, index, printed, small
from local.pages import draw

SMALLEST = next(exhibit for exhibit in exhibits() if exhibit.client.client_id == "tiny-bakery")


@pytest.fixture(autouse=True)
def own_session(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(boto3, "DEFAULT_SESSION", None)


def pictures(exhibit: Exhibit) -> list[str]:
    ((_, pdf),) = printed((exhibit,))
    return [sha256(small(page)).hexdigest() for page in draw(pdf, 40)]


def test_the_same_exhibit_gives_the_same_bytes_and_another_day_does_not() -> None:
    first = pictures(SMALLEST)
    assert pictures(SMALLEST) == first
    later = Exhibit(SMALLEST.client, SMALLEST.period, SMALLEST.at + timedelta(days=1), SMALLEST.why)
    assert pictures(later) != first


def test_six_very_different_clients_are_shown() -> None:
    shown = exhibits()
    assert len({exhibit.client.client_id for exhibit in shown}) >= 6
    assert {exhibit.client.page_size for exhibit in shown} == {"A4", "Letter"}
    assert {exhibit.client.locale[:2] for exhibit in shown} >= {"en", "de", "ja"}
    assert {exhibit.run.cadence for exhibit in shown} == {"monthly", "weekly"}
    assert {exhibit.run.issue for exhibit in shown} == {"preliminary", "final"}


def test_the_gallery_of_the_repository_is_whole_and_small() -> None:
    page = (FOLDER / "README.md").read_text(encoding="utf-8")
    there = sorted(path.name for path in FOLDER.glob("*.png"))
    assert sorted(re.findall(r'<img src="([^"]+)"', page)) == there
    assert sum((FOLDER / name).stat().st_size for name in there) < BUDGET
    named = index([(exhibit, []) for exhibit in exhibits()])
    assert [line for line in page.splitlines() if line.startswith("## ")] == [
        line for line in named.splitlines() if line.startswith("## ")
    ], "run `make gallery`"
    readme = (FOLDER.parents[1] / "README.md").read_text(encoding="utf-8")
    for picture in re.findall(r"docs/gallery/([\w.-]+\.png)", readme):
        assert picture in there


def test_what_an_earlier_gallery_has_left_goes(tmp_path: object, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tmp_path / "gallery"  # type: ignore[operator]
    folder.mkdir()
    (folder / "old-client-2026-01-01.png").write_bytes(b"old")
    monkeypatch.setattr(gallery, "exhibits", lambda: (SMALLEST,))
    size = gallery.make(folder)
    assert not (folder / "old-client-2026-01-01.png").exists()
    assert size == sum(path.stat().st_size for path in folder.glob("*.png"))
