"""Secrets in a paste: each kind is taken out before the log book, git, the model and the log see it."""

from __future__ import annotations

import base64
import json
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runtime.journal import detectors, scrub
from runtime.journal.masking import Masker
from tests.fakes.openai import KEY, OpenAI
from tests.journal.save_kit import Place
from tests.journal.test_changes import LETTERS, NUMBER, SECRETS

KNOWN = 'Kn0wn/Value+of=the webhook"s key'
SEED = "legal winner thank year wave sausage worth useful legal winner thank yellow"
LAST = "letter advice cage absurd amount doctor acoustic avoid letter advice cage above"
PLANTED: dict[str, tuple[str, str]] = {kind: (around, secret.strip()) for kind, (around, secret) in SECRETS.items()} | {
    "bare seed": ("Voici mes mots: %s. Merci.", SEED),
    "numbered seed": ("%s", "\n".join(f"{n}. {word}" for n, word in enumerate(LAST.split(), 1))),
    "comma seed": ("%s", ", ".join(LAST.split())),
    "wallet key": ("xprv: %s", "xprv9s21ZrQH143K" + (LETTERS * 3)[:95].translate(str.maketrans("0Il", "ABc"))),
    "stripe": ("key %s", "sk_live_" + LETTERS[:24]),
    "slack": ("%s", "xoxb-123456789012-abcdefghij1234567890"),
    "password": ("mot de passe: %s", "Tr0ub4dor&3"),
    "python": ('    api_key = "%s"', LETTERS[5:25]),
    "url": ("https://example.org/perf?token=%s&x=1", LETTERS[3:30]),
    "jwt": ("%s", "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0NTY3ODkwIn0.dozjgNryP4J3jVmNHl0w5N_XgL0n3I9PlFUP0TH"),
    "gitlab": ("%s", "glpat-" + LETTERS[:20]),
    "known": ("la clé %s", KNOWN),
    "known in JSON": ("%s", json.dumps({"x": KNOWN})[7:-2]),
    "known in a URL": ("/tv?k=%s", quote(KNOWN, "")),
    "known in base64": ("%s", base64.b64encode(KNOWN.encode()).decode().rstrip("=")[:-1]),
    "known on two lines": ("%s", KNOWN[:9] + "\n  " + KNOWN[9:]),
    "model key": ("export X=%s", KEY),
}  # fmt: skip


def masker() -> Masker:
    return Masker({"webhook_key": KNOWN})


@pytest.mark.parametrize("name", PLANTED)
def test_each_kind_is_taken_out_wherever_it_stands(name: str) -> None:
    around, secret = PLANTED[name]
    for text in (around % secret, f"```\n{around % secret}\n```\n", f"> {around % secret}\r\nfin\n"):
        masked = masker().mask(text.encode())
        assert secret.encode() not in masked.data
        assert masked.findings
        assert all(finding.rotate and secret not in repr(finding) for finding in masked.findings)
        assert masked.data.count(b"\n") == text.count("\n")
        assert masker().mask(masked.data).findings == []


def test_no_planted_secret_reaches_file_git_model_or_log(place: Place, model: OpenAI) -> None:
    """The model is faithful to what it got, so whatever leaks to it leaks on."""
    lines = [around % secret for around, secret in PLANTED.values()]
    paste = "\n\n".join(lines) + "\n```bash\n" + "\n".join(lines) + "\n```\n"
    model.answer = lambda body: {
        "objectifs": [str(body["input"])], "actions": ["une"], "decisions": [], "commandes": [], "points_ouverts": [],
    }  # fmt: skip
    place.uses(model.url, TV_WEBHOOK_KEY=KNOWN)
    title = f"Essai {SECRETS['openai-key'][1]}"
    first = place.run("save", title, paste=paste)
    second = place.run("save", "Sans modèle", "--no-model", "--json", paste=paste)
    assert (first.returncode, second.returncode) == (0, 0), first.stderr + second.stderr
    third = place.run("inbox")
    said = (first.stdout + first.stderr + second.stdout + second.stderr + third.stdout).encode()
    for place_name, seen in {"files": place.everything(), "model": model.text.encode(), "log": said}.items():
        for name, (_, secret) in PLANTED.items():
            words = [part for part in secret.split("\n") if len(part) > 12] or [secret]
            assert not any(part.encode() in seen for part in words), f"{name} in {place_name}"
    assert "Secret masqué avant toute écriture: webhook-key" in place.text
    assert "@BotFather" in place.text
    assert secret_kinds(second.stdout) >= {"openai-key", "telegram-token", "ngrok-token", "private-key", "seed-phrase"}


def secret_kinds(answer: str) -> set[str]:
    return set(json.loads(answer)["masked"])


def test_the_raw_paste_is_for_its_owner_alone(place: Place) -> None:
    place.run("save", "Essai", paste=f"clé {KEY}\n")
    (record,) = place.records
    assert record.get("paste.txt") == f"clé {KEY}\n".encode()
    assert {path.stat().st_mode & 0o777 for path in record.folder.iterdir()} == {0o600}
    assert record.folder.stat().st_mode & 0o777 == place.inbox.folder.stat().st_mode & 0o777 == 0o700
    assert place.git("status", "--porcelain", "--ignored").split() == ["!!", "journal/"]


ORDINARY = """\
commit 3b18e512dba79e4c8300dd08aeb37f8e728b8dad
sha256 9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08
wallet bc1qar0srrr7xfkvy5l643lydnw9re59gtzzwf5mdq et 0x742d35Cc6634C0532925a3b844Bc454e4438f44e
base64: Qm9uam91ciwgY2VjaSBlc3QgdW4gdGV4dGUgb3JkaW5haXJlLg==
"id": "550e8400-e29b-41d4-a716-446655440000", port: 8000, ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIGJhc2U2NGtleQ user@host
token = os.environ["TOKEN"]; password: str = Field(min_length=8); key=VOTRE_CLE_ICI; secret: {secret: webhook_key}
The password is stored in the vault, and the token is refreshed. Le mot de passe est changé. la clé webhook est fausse
SHA256:nThbg6kXUpJWGl7E1IGOCspRomTxdCARLviKw6E5SY8 ./inv secrets.set openai_key; OPENAI_API_KEY="sk-..."
KEY=$(sudo grep ^KEY= .env) ; curl -H "Authorization: Bearer $TOKEN" https://example.ngrok-free.dev/tv
"""


def test_ordinary_text_of_such_sessions_is_left_as_it_is() -> None:
    masked = masker().mask(ORDINARY.encode())
    assert [(one.kind, ORDINARY.encode()[one.start : one.end]) for one in masked.findings] == []
    assert masked.data == ORDINARY.encode()


def test_a_value_found_once_is_taken_out_everywhere() -> None:
    text = f'API_KEY="{LETTERS[:20]}"\n# plus loin\ncurl -u x {LETTERS[:20]}\n'.encode()
    assert LETTERS[:20].encode() not in masker().mask(text).data


@given(
    st.lists(
        st.sampled_from([*(around % secret for around, secret in PLANTED.values()), "\n", " ", "\0", "é", "\xff"]),
        max_size=8,
    )
)
def test_masking_twice_finds_nothing_more_and_keeps_lines(parts: list[str]) -> None:
    text = "\n".join(parts).encode()
    masked = masker().mask(text)
    assert masked.data.count(b"\n") == text.count(b"\n")
    assert masker().mask(masked.data).findings == []


def test_the_plugins_are_detect_secrets_own_and_never_ask_a_service() -> None:
    kinds = {kind for kind, _ in detectors.plugins()}
    assert {"stripe", "slack", "jwt", "named-secret", "telegram-token"} <= kinds
    assert not scrub.placeholder(f"{NUMBER}:x".encode())
