"""What people are told about actions, in French and English."""

from __future__ import annotations

from typing import Literal

from miner.actions.hand import Done
from miner.actions.policy import Refusal, Taken, kind_of

Language = Literal["fr", "en"]
Said = dict[Language, str]

WHAT: dict[str, Said] = {
    "miner": {"fr": "redémarrage de cgminer", "en": "restart of cgminer"},
    "power": {"fr": "coupure du port USB {port}", "en": "power break of USB port {port}"},
    "pool": {"fr": "changement de pool", "en": "change of pool"},
    "pool:": {"fr": "passage au pool {port}", "en": "change to pool {port}"},
}
BEFORE: Said = {"fr": "{what} : maintenant. Demandé par {by}. Raison : {why}", "en": "{what}: now. By {by}. Why: {why}"}
AFTER: dict[str, Said] = {
    "done": {"fr": "{what} : fait.", "en": "{what}: done."},
    "failed": {"fr": "{what} : échec. {text}", "en": "{what}: failed. {text}"},
    "unknown": {"fr": "{what} : issue inconnue. {text}", "en": "{what}: nobody knows how it ended. {text}"},
}
SELF: Said = {"fr": "la surveillance", "en": "the monitor"}
RESULT: dict[str, Said] = {
    "done": {"fr": "fait", "en": "done"},
    "unit missing": {"fr": "le service {d} n'est pas installé", "en": "the service {d} is not installed"},
    "unit failed": {"fr": "systemd : {d}", "en": "systemd: {d}"},
    "port not allowed": {
        "fr": "le port {d} n'est pas dans le réglage `ports`", "en": "port {d} is not in the setting `ports`"
    },
    "other device": {
        "fr": "autre chose qu'une clé de minage y est branché : {d}", "en": "it holds something that is no stick: {d}"
    },
    "cannot switch": {
        "fr": "ce hub ne sait pas couper le port {d}", "en": "this hub cannot switch the power of port {d}"
    },
    "no uhubctl": {"fr": "uhubctl n'est pas installé", "en": "uhubctl is not installed"},
    "power failed": {"fr": "uhubctl : {d}", "en": "uhubctl: {d}"},
    "limit": {"fr": "limite de root atteinte : {d}", "en": "root's own limit: {d}"},
    "another boot": {"fr": "demandé avant le redémarrage de la machine", "en": "asked for before the machine started"},
    "not taken": {
        "fr": "personne ne l'a pris : systemctl status miner-actions.path",
        "en": "nobody took it: systemctl status miner-actions.path",
    },
    "no answer": {"fr": "pas de réponse", "en": "no answer"},
    "stopped": {"fr": "la surveillance s'est arrêtée entre-temps", "en": "the monitor stopped meanwhile"},
    "api": {"fr": "l'API de cgminer : {d}", "en": "cgminer's API: {d}"},
    "no other pool": {"fr": "aucun autre pool n'est vivant", "en": "no other pool is alive"},
    "not told": {"fr": "l'annonce n'a pas pu être enregistrée : {d}", "en": "it could not be announced: {d}"},
    "error": {"fr": "erreur : {d}", "en": "error: {d}"},
}  # fmt: skip
REFUSED: dict[str, Said] = {
    "running": {"fr": "une action est déjà en cours", "en": "an action is going on already"},
    "limit": {
        "fr": "déjà {count} fois en 24 h ; de nouveau dans {wait}",
        "en": "{count} times in 24 h already; again in {wait}",
    },
    "too soon": {"fr": "trop tôt ; de nouveau dans {wait}", "en": "too soon; again in {wait}"},
    "not installed": {
        "fr": "cette machine ne le permet pas : réglage `actions` du rôle monitor",
        "en": "this host does not allow it: setting `actions` of the role monitor",
    },
    "no miner": {
        "fr": "cette machine n'a pas de service cgminer : rôle miner",
        "en": "this host has no unit cgminer: role miner",
    },
    "not recorded": {"fr": "impossible de l'enregistrer : {d}", "en": "it cannot be recorded: {d}"},
    "unknown": {"fr": "action inconnue", "en": "no such action"},
}  # fmt: skip


def what(action: str, language: Language) -> str:
    """The action in words, such as `restart of cgminer`."""
    port = action.partition(":")[2]
    key = "pool:" if kind_of(action) == "pool" and port else kind_of(action)
    return WHAT[key][language].format(port=port)


def before(action: Taken, language: Language) -> str:
    by = SELF[language] if action.healing else action.by
    return _capital(BEFORE[language].format(what=what(action.what, language), by=by, why=action.why or "-"))


def after(action: Taken, language: Language) -> str:
    return _capital(AFTER[action.outcome][language].format(what=what(action.what, language), text=action.text))


def result(done: Done, language: Language) -> str:
    """How it went; a code that is not known is shown as it is."""
    said = RESULT.get(done.code)
    return said[language].format(d=done.detail) if said else f"{done.code} {done.detail}".strip()


def refused(refusal: Refusal, language: Language, detail: str = "") -> str:
    wait = _duration(refusal.wait_s)
    return REFUSED[refusal.reason][language].format(count=refusal.count, wait=wait, d=detail)


def _duration(seconds: float) -> str:
    minutes = max(1, round(seconds / 60))
    hours, rest = divmod(minutes, 60)
    if seconds < 90:
        return f"{max(1, round(seconds))} s"
    return f"{hours} h {rest:02d}" if hours else f"{minutes} min"


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]
