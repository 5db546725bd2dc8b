"""Addresses of the Ethereum Virtual Machine, with the checksum that their capitals are (EIP-55).

The hash is Keccak-256 as Ethereum took it before NIST changed its padding to what hashlib.sha3_256 has.
Source: https://eips.ethereum.org/EIPS/eip-55; the Keccak reference, https://keccak.team/files/Keccak-reference-3.0.pdf.
"""

from __future__ import annotations

import re

DIGITS = 40
_RATE = 136
"""Bytes taken in at once: (1600 - 2 * 256) / 8."""
_MASK = (1 << 64) - 1
Lanes = list[list[int]]


def checksummed(address: str) -> str:
    """The address with EIP-55's capitals, which must be right where it has both small and capital letters.

    Raises ValueError that says what is wrong: no 0x, too short, too long, no hexadecimal, a wrong checksum.
    """
    digits = _digits(address)
    named = keccak256(digits.lower().encode()).hex()
    right = "0x" + "".join(
        one.upper() if int(at, 16) >= 8 else one for one, at in zip(digits.lower(), named, strict=False)
    )
    if digits not in (digits.lower(), digits.upper()) and "0x" + digits != right:
        raise ValueError(
            f"its checksum is wrong: with these digits it is {right}; a digit or a capital was mistyped, so copy it "
            "from your wallet once more"
        )
    return right


def _digits(address: str) -> str:
    """The forty digits."""
    if not address.startswith(("0x", "0X")):
        if re.fullmatch(rf"[0-9a-fA-F]{{{DIGITS}}}", address):
            raise ValueError(f"it must begin with 0x: 0x{address}")
        raise ValueError("it must begin with 0x, and be quoted in YAML, which takes an unquoted one for a number")
    digits = address[2:]
    if wrong := re.search(r"[^0-9a-fA-F]", digits):
        raise ValueError(f"{wrong[0]!r} is no hexadecimal digit (0-9, a-f)")
    if len(digits) != DIGITS:
        size = "short" if len(digits) < DIGITS else "long"
        raise ValueError(f"it is too {size}: 0x and {len(digits)} digits; an address has {DIGITS}")
    return digits


def keccak256(data: bytes) -> bytes:
    """32 bytes."""
    lanes = [[0] * 5 for _ in range(5)]
    padded = bytearray(data) + b"\x01" + bytes(-(len(data) + 1) % _RATE)
    padded[-1] |= 0x80
    for start in range(0, len(padded), _RATE):
        for number in range(_RATE // 8):
            at = start + 8 * number
            lanes[number % 5][number // 5] ^= int.from_bytes(padded[at : at + 8], "little")
        lanes = _permuted(lanes)
    return b"".join(lanes[number][0].to_bytes(8, "little") for number in range(4))


def _permuted(lanes: Lanes) -> Lanes:
    """Keccak-f[1600]: 24 rounds of theta, rho with pi, chi, iota."""
    register = 1
    for _ in range(24):
        lanes = _chi(_rho_pi(_theta(lanes)))
        for bit in range(7):
            lanes[0][0] ^= (register & 1) << ((1 << bit) - 1)
            register = (register << 1) ^ (0x171 if register & 0x80 else 0)
    return lanes


def _theta(lanes: Lanes) -> Lanes:
    parity = [column[0] ^ column[1] ^ column[2] ^ column[3] ^ column[4] for column in lanes]
    return [[lane ^ parity[x - 1] ^ _rolled(parity[(x + 1) % 5], 1) for lane in lanes[x]] for x in range(5)]


def _rho_pi(lanes: Lanes) -> Lanes:
    moved = [[0] * 5 for _ in range(5)]
    moved[0][0] = lanes[0][0]
    x, y = 1, 0
    for step in range(24):
        moved[y][(2 * x + 3 * y) % 5] = _rolled(lanes[x][y], (step + 1) * (step + 2) // 2)
        x, y = y, (2 * x + 3 * y) % 5
    return moved


def _chi(lanes: Lanes) -> Lanes:
    return [
        [lanes[x][y] ^ (~lanes[(x + 1) % 5][y] & lanes[(x + 2) % 5][y] & _MASK) for y in range(5)] for x in range(5)
    ]


def _rolled(lane: int, by: int) -> int:
    by %= 64
    return ((lane << by) | (lane >> (64 - by))) & _MASK
