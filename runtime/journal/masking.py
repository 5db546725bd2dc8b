"""Takes secrets out of a pasted text before a model, the log book, git or a terminal sees it.

What is looked for: values this project knows (in every form they take), runtime.journal.scrub's patterns, seed phrases,
what detect-secrets knows, and values that follow a telling name. Whatever is found in one place is then taken out
everywhere in the text: a key that is exported on one line is often used bare on the next.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from runtime.journal import detectors, scrub, seeds
from runtime.journal.forms import SHORTEST, Joined, forms
from runtime.journal.scrub import Finding

MASK = b"***"
KNOWN = "known-secret"
_AGAIN = 12
"""A found value of so many characters, all of a token's, is looked for in the rest of the text."""
_TOKEN = re.compile(rb"[\x21-\x7e]{%d,4096}" % _AGAIN)
_NAME = (
    rb"(?i:api[ _-]?key|auth[ _-]?key|secret(?:[ _-]?key)?|(?:auth|access|bot)?[ _-]?token|passw(?:or)?d|"
    rb"passphrase|mot de passe|(?<![a-z])mdp|private[ _-]?key|cl\xc3\xa9 priv\xc3\xa9e|"
    rb"webhook[ _-]?key|cl\xc3\xa9(?: du)? webhook)"
)
_NAMED = re.compile(
    rb"%s[\"'`*]{0,3}\s?(?:=>|:=|[=:]|\s(?:est|is)\s)\s{0,2}[\"'`]?"
    rb"(?P<v>[^\s\"'`,;<>(){}\[\]$\\]{8,})" % _NAME
)
_IN_URL = re.compile(rb"[?&](?:api_?)?(?:key|token|secret|password|access_token)=(?P<v>[^\s&\"'`#<>$*{}]{6,})")
_WALLET = re.compile(
    rb"(?<![A-Za-z0-9])(?P<v>[xyzt]prv[1-9A-HJ-NP-Za-km-z]{100,112}|[5KL][1-9A-HJ-NP-Za-km-z]{50,51})(?![A-Za-z0-9])"
)
_MORE = (("named-secret", _NAMED), ("key-in-url", _IN_URL), ("wallet-key", _WALLET))
_ROTATE = {
    "seed-phrase": "move the funds to a new wallet: a phrase cannot be changed",
    "wallet-key": "move the funds to a new wallet: a private key cannot be changed",
    KNOWN: "./inv secrets.rotate NAME, then deploy",
}


@dataclass(frozen=True, slots=True)
class Masked:
    """`data` without its secrets, each line still on its line, and what was taken out, in order."""

    data: bytes
    findings: list[Finding]

    @property
    def kinds(self) -> dict[str, int]:
        """How many of which kind."""
        return dict(Counter(finding.kind for finding in self.findings))


@dataclass(frozen=True, slots=True)
class _Spot:
    start: int
    end: int
    kind: str
    rotate: str


class Masker:
    """Built once from the `name -> value` of the secrets we know; a name says what to rotate."""

    def __init__(self, known: Mapping[str, str] | None = None) -> None:
        self._known = {
            form: name for name, value in (known or {}).items() if len(value) >= SHORTEST for form in forms(value)
        }

    def mask(self, data: bytes) -> Masked:
        """`data` may be any bytes. What it gives has nothing more to find."""
        spots = list(_apart([*self._all(data)]))
        spots = list(_apart([*spots, *_again(data, spots)]))
        newlines = [found.start() for found in re.finditer(rb"\n", data)] if spots else []
        return Masked(b"".join(_pieces(data, spots)), [_finding(data, newlines, spot) for spot in spots])

    def text(self, text: str) -> str:
        """The same for a line of text, such as a title."""
        return self.mask(text.encode(errors="replace")).data.decode(errors="replace")

    def _all(self, data: bytes) -> Iterator[_Spot]:
        """The more telling first: of two that overlap, the one that says what to rotate is kept."""
        yield from self._values(data)
        yield from (_Spot(one.start, one.end, one.kind, one.rotate) for one in scrub.find(data))
        yield from (_Spot(*spot, "seed-phrase", _ROTATE["seed-phrase"]) for spot in seeds.phrases(data))
        found = [(*match.span("v"), kind) for kind, pattern in _MORE for match in pattern.finditer(data)]
        for start, end, kind in (*found, *detectors.find(data)):
            if _is_value(data[start:end], kind):
                yield _Spot(start, end, kind, _ROTATE.get(kind, detectors.ROTATE))

    def _values(self, data: bytes) -> Iterator[_Spot]:
        if not self._known:
            return
        joined = Joined(data)
        for form, name in self._known.items():
            rotate = _ROTATE[KNOWN].replace("NAME", name)
            for text, where in ((data, None), (joined.text, joined)):
                for start, end in _places(text, form):
                    yield _Spot(*(where.spot(start, end) if where else (start, end)), KNOWN, rotate)


def _is_value(value: bytes, kind: str) -> bool:
    """Not a placeholder; and what only a name tells must look like a password: letters with digits or signs."""
    if scrub.placeholder(value):
        return False
    if kind != "named-secret":
        return True
    return bool(re.search(rb"[A-Za-z]", value) and re.search(rb"[0-9!@#%^&+=]", value)) and not _is_code(value)


def _is_code(value: bytes) -> bool:
    """A path, an address, a call, a dotted name."""
    return bool(re.match(rb"[./~]|https?:|[\w.]+\.[A-Za-z_]+$|\d+(?:[.:]\d+)*$", value)) or value.endswith(
        (b":", b"...")
    )


def _again(data: bytes, spots: list[_Spot]) -> Iterator[_Spot]:
    for value, spot in {data[spot.start : spot.end]: spot for spot in spots}.items():
        if _TOKEN.fullmatch(value):
            yield from (_Spot(start, end, spot.kind, spot.rotate) for start, end in _places(data, value))


def _places(data: bytes, value: bytes) -> Iterator[tuple[int, int]]:
    at = data.find(value)
    while at >= 0:
        yield at, at + len(value)
        at = data.find(value, at + len(value))


def _apart(spots: list[_Spot]) -> Iterator[_Spot]:
    """Overlapping ones as one, of the kind of the first that was found."""
    ranked = sorted(enumerate(spots), key=lambda ranked: (ranked[1].start, ranked[0]))
    here: tuple[int, _Spot] | None = None
    for rank, spot in ranked:
        if here is None or spot.start >= here[1].end:
            if here:
                yield here[1]
            here = rank, spot
            continue
        first = min(here[0], rank)
        teller = here[1] if here[0] <= rank else spot
        here = first, _Spot(here[1].start, max(here[1].end, spot.end), teller.kind, teller.rotate)
    if here:
        yield here[1]


def _pieces(data: bytes, spots: list[_Spot]) -> Iterator[bytes]:
    at = 0
    for spot in spots:
        yield data[at : spot.start]
        lines = data.count(b"\n", spot.start, spot.end)
        yield MASK + b"\n" * lines if lines else MASK
        at = spot.end
    yield data[at:]


def _finding(data: bytes, newlines: list[int], spot: _Spot) -> Finding:
    line = bisect_right(newlines, spot.start - 1) + 1
    return Finding(spot.kind, line, spot.start, spot.end, f"*** ({spot.end - spot.start} characters)", spot.rotate)
