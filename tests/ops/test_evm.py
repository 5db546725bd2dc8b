"""EVM addresses and their checksum, by the vectors that were published for them."""

from __future__ import annotations

import hashlib

import pytest

from ops.evm import checksummed, keccak256

# https://keccak.team/archives.html (KAT of Keccak-256, before NIST's padding), and Ethereum's yellow paper
VECTORS = {
    b"": "c5d2460186f7233c927e7db2dcc703c0e500b653ca82273b7bfad8045d85a470",
    b"abc": "4e03657aea45a94fc7d47ba826c8d667c0d1e6e33a64a036ec44f58fa12d6c45",
    b"The quick brown fox jumps over the lazy dog": "4d741b6f1eb29cb2a9b9911c82f56fa8d73b04959d3d9d222895df6c0b28aa15",
    bytes.fromhex("cc"): "eead6dbfc7340a56caedc044696a168870549a6a7f6f56961e84a54bd9970b8a",
}
# https://eips.ethereum.org/EIPS/eip-55
ADDRESSES = (
    "0x52908400098527886E0F7030069857D2E4169EE7", "0x8617E340B3D01FA5F11F306F4090FD50E238070D",
    "0xde709f2102306220921060314715629080e2fb77", "0x27b1fdb04752bbc536007a920d24acb045561c26",
    "0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed", "0xfB6916095ca1df60bB79Ce92cE3Ea74c37c5d359",
    "0xdbF03B407c01E7cD3CBea99509d93f8DDDC8C6FB", "0xD1220A0cf47c7B9Be7A2E6BA89F429762e7b9aDb",
)  # fmt: skip
ONE = ADDRESSES[4]


def test_the_hash_is_keccak_s_and_not_sha3_s() -> None:
    assert {data: keccak256(data).hex() for data in VECTORS} == VECTORS
    assert keccak256(b"abc") != hashlib.sha3_256(b"abc").digest()


@pytest.mark.parametrize("size", [135, 136, 137, 271, 272, 1000])
def test_every_padding_gives_another_hash_of_the_same_length(size: int) -> None:
    assert len({keccak256(b"a" * size), keccak256(b"a" * (size + 1)), keccak256(b"b" * size)}) == 3
    assert len(keccak256(b"a" * size)) == 32


def test_a_long_text_is_taken_in_several_blocks() -> None:
    # 200 times 0xa3: the same text as in NIST's example of SHA3-256, padded as Keccak
    assert keccak256(b"\xa3" * 200).hex() == "3a57666b048777f2c953dc4456f45a2588e1cb6f2da760122d530ac2ce607d4a"


@pytest.mark.parametrize("address", ADDRESSES)
def test_the_standard_s_addresses_are_right_in_any_one_case(address: str) -> None:
    assert checksummed(address) == address
    assert checksummed(address.lower()) == checksummed("0x" + address[2:].upper()) == address


@pytest.mark.parametrize(
    ("address", "said"),
    [
        (ONE[2:], f"begin with 0x: {ONE}"),
        ("hello", "begin with 0x, and be quoted"),
        (ONE[:-1], "too short: 0x and 39 digits; an address has 40"),
        (ONE + "0", "too long: 0x and 41 digits"),
        (ONE[:-1] + "g", "'g' is no hexadecimal digit"),
        (ONE[:-1] + "D", f"checksum is wrong: with these digits it is {ONE}"),
        (ONE.replace("b6", "b7"), "checksum is wrong"),
        ("0x", "too short: 0x and 0 digits"),
    ],
)
def test_each_mistake_is_told_by_its_name(address: str, said: str) -> None:
    with pytest.raises(ValueError, match=said.replace("(", r"\(")):
        checksummed(address)
