"""Which devices count as sticks, and what they promise."""

from __future__ import annotations

import pytest

from miner.sticks import MODELS, Model, by_name, expected_ghs, identify


@pytest.mark.parametrize("model", MODELS, ids=lambda model: f"{model.manufacturer} {model.product}")
def test_every_stick_is_known_by_its_strings(model: Model) -> None:
    assert identify(model.vid, model.pid, model.manufacturer, model.product) is model
    assert model.min_mhz <= model.default_mhz <= model.max_mhz


@pytest.mark.parametrize(
    ("vid", "pid", "manufacturer", "product"),
    [
        (0x0403, 0x6015, "FTDI", "FT231X USB UART"),
        (0x10C4, 0xEA60, "Silicon Labs", "CP2102 USB to UART Bridge Controller"),
        (0x10C4, 0xEA70, "Silicon Labs", "CP2105 Dual USB to UART Bridge Controller"),
        (0x0403, 0x6015, "", ""),
        (0x0403, 0x6001, "GekkoScience", "CompacF Bitcoin Miner"),
        (0x0403, 0x6015, "GekkoScience", "Something new"),
    ],
)
def test_a_device_that_shares_only_its_numbers_or_its_maker_is_no_stick(
    vid: int, pid: int, manufacturer: str, product: str
) -> None:
    assert identify(vid, pid, manufacturer, product) is None


def test_spaces_and_capitals_of_the_strings_do_not_matter() -> None:
    found = identify(0x0403, 0x6015, "GekkoScience ", "Compac F Bitcoin Miner")
    assert found is not None
    assert (found.name, found.label) == ("GSF", "CompacF")


@pytest.mark.parametrize(
    ("name", "chips", "mhz", "ghs"),
    [("GSC", 1, 150, 8.25), ("GSH", 2, 100, 22.8), ("GSI", 12, 550, 752.4), ("GSF", 1, 400, 209.664)],
)
def test_a_stick_promises_what_its_chips_do_at_its_frequency(name: str, chips: int, mhz: float, ghs: float) -> None:
    model = by_name(name)
    assert model is not None
    assert expected_ghs(model, mhz) == pytest.approx(ghs)
    assert expected_ghs(model, mhz, chips) == pytest.approx(ghs)


def test_the_chips_tell_the_two_that_share_a_name() -> None:
    small, large = by_name("GSF", 1), by_name("GSF", 6)
    assert small is not None
    assert large is not None
    assert (small.label, large.label) == ("CompacF", "R909")
    assert by_name("ANT") is None
