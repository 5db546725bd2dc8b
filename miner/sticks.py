"""The USB sticks that cgminer's gekko driver mines with: what they are called, what they can do, what they promise.

Strings, chips and limits are those of the driver itself (cgminer's usbutils.c and driver-gekko.c). A vendor's and a
product's number are shared with every serial adapter that has the same bridge, so they never decide alone.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Model:
    """One kind of stick.

    `name`: what the API calls it. `cores`: for each chip. `chips`: what it is sold with, the least where that varies;
    the API counts them. `default_mhz`: what cgminer asks for when nobody says. `factor`: what is left of the product of
    chips, cores and frequency.
    """

    name: str
    vid: int
    pid: int
    manufacturer: str
    product: str
    chip: str
    cores: int
    chips: int
    default_mhz: float
    min_mhz: float
    max_mhz: float
    factor: float = 1.0

    @property
    def label(self) -> str:
        """What a person calls it: `CompacF`, `R606`, `Terminus A1`."""
        words = self.product.removeprefix("GekkoScience ").removesuffix(" Bitcoin Miner")
        return "MeinCoffee" if self.name == "GSK" else words.removesuffix(" BM1384")


def _bm1384(name: str, maker: str, product: str, chips: int, mhz: float) -> Model:
    return Model(name, 0x10C4, 0xEA60, maker, f"{product} BM1384 Bitcoin Miner", "BM1384", 55, chips, mhz, 6.25, 500)


def _ftdi(name: str, product: str, chip: str, cores: int, chips: int, mhz: float, low: float, high: float) -> Model:
    maker, said = "GekkoScience", f"{product} Bitcoin Miner"
    # A lone BM1397 falls short of what its cores promise at low frequencies; the driver reckons with 52.5 of 67.2.
    factor = 0.78 if product == "CompacF" else 1.0
    return Model(name, 0x0403, 0x6015, maker, said, chip, cores, chips, mhz, low, high, factor)


def _gsa(product: str, chip: str, cores: int) -> Model:
    return Model("GSA", 0x10C4, 0xEA70, "Silicon Labs", f"GekkoScience {product}", chip, cores, 1, 300, 100, 800)


MODELS: tuple[Model, ...] = (
    _bm1384("GSC", "GekkoScience", "Compac", 1, 150),
    _bm1384("GSD", "GekkoScience", "2Pac", 2, 100),
    _bm1384("GSE", "GekkoScience", "Terminus", 1, 150),
    _bm1384("BSC", "bitshopperde", "Compac", 1, 150),
    _bm1384("BSD", "bitshopperde", "2Pac", 2, 100),
    _bm1384("BSE", "bitshopperde", "Terminus", 1, 150),
    _ftdi("GSH", "NewPac", "BM1387", 114, 2, 100, 50, 900),
    _ftdi("GSI", "R606", "BM1387", 114, 12, 550, 50, 900),
    _ftdi("GSF", "CompacF", "BM1397", 672, 1, 200, 100, 800),
    _ftdi("GSF", "R909", "BM1397", 672, 6, 450, 100, 800),
    _gsa("Compac A1", "BM1362", 512),
    _gsa("Terminus A1", "BM1362", 512),
    _gsa("Compac A2", "BM1370", 2048),
    _gsa("Terminus A2", "BM1370", 2048),
    # Its eleven chips answer as one with all their cores. It asks for 200 MHz, and is held to its limit of 120.
    Model(
        "GSK", 0x04D8, 0x00DE, "Microchip Technology Inc.", "MCP2210 USB to SPI Master", "BFCLAR", 8154, 1, 120, 10, 120
    ),
)


def identify(vid: int, pid: int, manufacturer: str, product: str) -> Model | None:
    """What the stick with these numbers and strings is; None: an ordinary device, or one whose strings are unknown."""
    said = (vid, pid, _plain(manufacturer), _plain(product))
    return next((m for m in MODELS if said == (m.vid, m.pid, _plain(m.manufacturer), _plain(m.product))), None)


def by_name(name: str, chips: int | None = None) -> Model | None:
    """The model that the API's name stands for. `GSF` is two of them: more than one chip is an R909."""
    models = [model for model in MODELS if model.name == name]
    return next((model for model in models if chips and model.chips == chips), models[0] if models else None)


def expected_ghs(model: Model, mhz: float, chips: int | None = None) -> float:
    """GH/s that a stick of this model promises at a frequency in MHz; `chips`: as the API counts them."""
    return (chips or model.chips) * model.cores * mhz / 1000 * model.factor


def _plain(text: str) -> str:
    """Firmwares differ in spaces and capitals: `Compac F` and `CompacF` are one."""
    return "".join(text.split()).casefold()
