"""A colour is legible under white text. Logos have tests of their own."""

import pytest

from cost_reporting.report.branding import contrast_with_white, legible


@pytest.mark.parametrize("colour", ["#ffffff", "#ffcc00", "#00ff88", "#777777", "#FF0000"])
def test_a_pale_colour_is_darkened_until_white_text_stands_out(colour: str) -> None:
    assert contrast_with_white(legible(colour)) >= 4.5


def test_a_dark_colour_stays_as_it_is() -> None:
    assert legible("#0B4F6C") == "#0b4f6c"
