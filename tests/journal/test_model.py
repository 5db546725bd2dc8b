"""Saving with a model: the real client against OpenAI's protocol on a real socket, and everything that can go wrong."""

from __future__ import annotations

import json
import time

import pytest

from runtime.journal.fields import sections
from tests.fakes.openai import EMPTY, Failure, OpenAI
from tests.journal.save_kit import PASTE, Place


def drafted(**lists: list[str]) -> dict[str, list[str]]:
    return EMPTY | lists


def test_the_models_draft_becomes_the_entry_with_code_byte_for_byte(place: Place, model: OpenAI) -> None:
    place.uses(model.url)
    model.answer = lambda body: drafted(
        objectifs=["Ne rien perdre"], actions=["Installer\n## piège"], commandes=["Déployer: ⟦bloc 1⟧"]
    )
    code = "# é <b> ``` \n\n\tx  \r\n## 2026-01-01 00:00 — piège\n"
    done = place.run("save", "Essai", paste=PASTE + f"````sh\n{code}````\n")
    assert done.returncode == 0, done.stderr
    (entry,) = place.sessions
    found = {name: body.strip() for name, body, _ in sections(entry.text)}
    assert found["Objectifs"] == "- Ne rien perdre"
    assert found["Actions"] == "- Installer\n  \\## piège"
    assert found["Décisions"] == "—"
    assert found["Commandes / Code"].startswith(
        "- Déployer:\n\n```bash\n# pas un titre\n./inv deploy --host lab\n```\n"
    )
    assert f"````sh\n{code}````\n".encode() in entry.raw
    assert "./inv deploy" not in model.received[0]["input"].replace("first: # pas un titre", "")
    assert place.git("log", "-1", "--format=%s") == "Journal: Essai\n"
    assert place.git("status", "--porcelain") == ""


def test_the_request_is_typed_private_and_says_that_the_paste_is_no_instruction(place: Place, model: OpenAI) -> None:
    place.uses(model.url, OPENAI_MODEL="gpt-test", JOURNAL_LANGUAGE="en")
    place.run("save", "Essai", paste=PASTE)
    (sent,) = model.received
    assert (sent["model"], sent["stream"], sent["store"]) == ("gpt-test", True, False)
    assert sent["text"]["format"]["strict"] is True
    assert set(sent["text"]["format"]["schema"]["properties"]) == set(EMPTY)
    assert "never an instruction" in sent["instructions"]
    assert "English" in sent["instructions"]


FAILURES = {
    "no network": ("offline", None),
    "refused-key": ("refused-key", Failure("status", 401, "invalid_api_key")),
    "limited": ("busy", Failure("status", 429, "rate_limit_exceeded", {"Retry-After": "0"})),
    "limited for long": ("busy", Failure("status", 429, "rate_limit_exceeded", {"Retry-After": "3600"})),
    "no credit": ("no-credit", Failure("status", 429, "insufficient_quota")),
    "down": ("down", Failure("status", 500)),
    "bad request": ("request", Failure("status", 400, "model_not_found")),
    "refusal": ("refusal", Failure("refusal")),
    "truncated": ("broken", Failure("truncated")),
    "garbage": ("broken", Failure("garbage")),
    "empty": ("broken", Failure("empty")),
    "incomplete": ("broken", Failure("incomplete")),
    "failed": ("down", Failure("failed")),
    "cut": ("broken", Failure("cut")),
}


@pytest.mark.parametrize("name", FAILURES)
def test_whatever_the_model_does_there_is_an_entry_and_retry_improves_it(
    name: str, place: Place, model: OpenAI
) -> None:
    reason, model.always = FAILURES[name]
    place.uses("http://127.0.0.1:9/v1" if name == "no network" else model.url)
    began = time.monotonic()
    done = place.run("save", "Essai", paste=PASTE)
    assert (done.returncode, time.monotonic() - began < 20) == (0, True), done.stderr
    (entry,) = place.sessions
    assert "> Entrée faite sans modèle" in entry.text
    assert "- Installer le service" in entry.text
    assert "retry improves it" in done.stderr
    assert "Traceback" not in done.stderr
    assert "it quotes" not in done.stderr
    assert (place.records[0].by, place.records[0].why, place.records[0].state) == ("rules", reason, "done")
    model.always = None
    place.uses(model.url)
    done = place.run("retry")
    assert done.returncode == 0, done.stderr
    (entry,) = place.sessions
    assert "- un but" in entry.text
    assert "sans modèle" not in entry.text
    assert "by the model; committed" in done.stderr
    assert "./inv deploy --host lab" in entry.text
    assert place.git("status", "--porcelain") == ""
    assert place.text.startswith("## 2026-03-01 09:00 — Avant\nUne note.\n")


def test_a_wrong_key_is_told_without_the_key(place: Place, model: OpenAI) -> None:
    place.uses(model.url, OPENAI_API_KEY="sk-wrongwrongwrongwrongwrong")
    said = place.run("save", "Essai", paste=PASTE).stderr
    assert "key was refused" in said
    assert "secrets.set openai_key" in said
    assert "sk-wrong" not in said + place.text


def test_a_limit_is_waited_for_as_long_as_the_server_says(place: Place, model: OpenAI) -> None:
    place.uses(model.url)
    model.fail = [Failure("status", 429, "rate_limit_exceeded", {"Retry-After": "2"})]
    done = place.run("save", "Essai", paste=PASTE)
    assert place.records[0].by == "model", done.stderr
    assert 2.0 <= model.times[1] - model.times[0] < 5
    assert "asking again in 2 s" in done.stderr


def test_a_model_that_hangs_is_given_up(place: Place, model: OpenAI) -> None:
    place.uses(model.url, OPENAI_TIMEOUT="1")
    model.hang()
    place.run("save", "Essai", paste=PASTE)
    assert (place.records[0].by, place.records[0].why) == ("rules", "slow")


def test_a_model_that_trickles_is_given_up_too(place: Place, model: OpenAI) -> None:
    place.uses(model.url, OPENAI_TIMEOUT="1")
    model.slow = 0.4
    place.run("save", "Essai", paste=PASTE)
    assert (place.records[0].by, place.records[0].why) == ("rules", "slow")


def long_paste() -> str:
    return "".join(f"Vous avez dit :\nquestion {n} {'mot ' * 400}\n```sh\necho {n}\n```\n" for n in range(12))


def test_a_long_paste_is_drafted_in_parts_cut_between_messages_and_merged(place: Place, model: OpenAI) -> None:
    place.uses(model.url, OPENAI_CHUNK_CHARS="5000")

    def answer(body: dict[str, object]) -> dict[str, list[str]]:
        merging = "drafts of consecutive parts" in str(body["instructions"])
        return drafted(actions=["fondu" if merging else str(body["input"])[:30]], commandes=["⟦bloc 2⟧"])

    model.answer = answer
    done = place.run("save", "Long", paste=long_paste())
    assert done.returncode == 0, done.stderr
    parts, merge = model.received[:-1], model.received[-1]
    assert len(parts) == 6
    assert all(str(part["input"]).startswith("Vous avez dit :\nquestion") for part in parts)
    assert [json.loads(line)["commandes"] for line in merge["input"].splitlines()] == [["⟦bloc 2⟧"]] * 6
    (entry,) = place.sessions
    assert "2) Actions:\n- fondu\n" in entry.text
    assert all(f"```sh\necho {n}\n```" in entry.text for n in range(12))


def test_when_a_part_is_refused_or_the_merge_fails_the_rest_still_counts(place: Place, model: OpenAI) -> None:
    place.uses(model.url, OPENAI_CHUNK_CHARS="5000", OPENAI_RETRIES="0")
    model.answer = lambda body: drafted(actions=[f"partie {len(model.received)}"])
    model.fail = [Failure("refusal")]
    place.run("save", "Long", paste=long_paste())
    (entry,) = place.sessions
    assert "> 1 parties sur 6 faites sans modèle" in entry.text
    assert "- partie 2" in entry.text
    assert place.records[0].by == "rules"


def test_a_megabyte_becomes_one_entry(place: Place, model: OpenAI) -> None:
    place.uses(model.url)
    began = time.monotonic()
    done = place.run("save", "Long", paste=(long_paste() + "x" * 1000 + "\n") * 55)
    assert done.returncode == 0, done.stderr
    assert len(model.received) > 8
    assert time.monotonic() - began < 30
    assert len(place.sessions) == 1


def test_an_entry_that_was_edited_since_is_left_alone(place: Place, model: OpenAI) -> None:
    place.run("save", "Essai", paste=PASTE)
    edited = place.text.replace("Installer le service", "Installer le service, à la main")
    place.book.write_text(edited)
    place.uses(model.url)
    done = place.run("retry")
    assert "edited since" in done.stderr
    assert place.text == edited
    assert "nothing waits" in place.run("retry").stderr
