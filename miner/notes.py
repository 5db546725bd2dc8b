"""The notes of readings as people read them: measured in English, shown in their language. Pure.

A note is what a collector found out beside a value: why it is not known, or what is wrong. Sentences of ours are here;
what the system, systemd or another service says is shown as it is. A test compares them with the collectors'.
"""

from __future__ import annotations

from collections.abc import Mapping

from runtime.convert import Language
from runtime.phrases import Phrases
from runtime.tunnel import words

# {names} are taken over as they are; {rest} and {rest2} are notes again. The first that fits counts.
FR: Mapping[str, str] = {
    **words.FR,
    "forgotten": "oubliée",
    "not asked yet": "pas encore interrogé",
    "not JSON": "pas du JSON",
    "cgminer does not answer": "cgminer ne répond pas",
    "systemd knows no such unit": "systemd ne connaît pas cette unité",
    "systemctl ended with {status}": "systemctl a fini avec {status}",
    "the miner's user does not exist": "l'utilisateur du mineur n'existe pas",
    "{node} is {rest}: {who} may not open it": "{node} est {rest} : {who} n'a pas le droit de l'ouvrir",
    "{mode}, owner {owner}, group {group}": "{mode}, propriétaire {owner}, groupe {group}",
    "nobody listens there": "personne n'y écoute",
    "its answer is not JSON": "sa réponse n'est pas du JSON",
    "no answer within {seconds} s": "pas de réponse en {seconds} s",
    "it answered {status}": "il a répondu {status}",
    "the answer was cut off": "la réponse a été coupée",
    "the answer's head is too long": "l'en-tête de la réponse est trop long",
    "the answer is too long": "la réponse est trop longue",
    "the answer is no HTTP": "la réponse n'est pas du HTTP",
    "expected a JSON object": "un objet JSON était attendu",
    "adjtimex is not allowed here": "adjtimex n'est pas permis ici",
    "the node does not answer": "le nœud ne répond pas",
    "what answers is no BlockDAG node": "ce qui répond n'est pas un nœud BlockDAG",
    "it refuses the user and the password": "il refuse l'utilisateur et le mot de passe",
    "it refuses {method}: {rest}": "il refuse {method} : {rest}",
    "no peer says how far it is": "aucun pair ne dit où il en est",
    "block {height}": "bloc {height}",
    "there is no {file}": "il n'y a pas de {file}",
    "{taken} GB of {budget} GB": "{taken} Go sur {budget} Go",
    "{taken} GB of {budget} GB, {growth} GB more each day": "{taken} Go sur {budget} Go, {growth} Go de plus par jour",
    "Docker is not installed": "Docker n'est pas installé",
    "Docker does not run: there is no {socket}": "Docker ne tourne pas : il n'y a pas de {socket}",
    "Docker at {socket}: {rest}": "Docker à {socket} : {rest}",
    "Docker does not tell of the container {name}: {rest}": "Docker ne dit rien du conteneur {name} : {rest}",
    "there is no container {name}": "il n'y a pas de conteneur {name}",
    "the container {name} is unhealthy": "le conteneur {name} est en mauvaise santé",
    "the container {name} restarts again and again: {times} times, {rest}": (
        "le conteneur {name} redémarre sans cesse : {times} fois, {rest}"
    ),
    "the container {name} has ended: {rest}": "le conteneur {name} s'est arrêté : {rest}",
    "the container {name} is paused": "le conteneur {name} est en pause",
    "the container {name} was never started: {rest}": "le conteneur {name} n'a jamais démarré : {rest}",
    "the container {name} was never started": "le conteneur {name} n'a jamais démarré",
    "killed for want of memory": "tué faute de mémoire",
    "exit code {code} (killed): {rest}": "code de sortie {code} (tué) : {rest}",
    "exit code {code} (killed)": "code de sortie {code} (tué)",
    "exit code {code}: {rest}": "code de sortie {code} : {rest}",
    "exit code {code}": "code de sortie {code}",
    "it answers {status} with what is no object": "il répond {status}, et ce n'est pas un objet",
    "it answers {status}": "il répond {status}",
    "the connection is closed without an answer": "la connexion est fermée sans réponse",
    "the answer is longer than {size} MB": "la réponse dépasse {size} Mo",
    "nobody listens at {place}": "personne n'écoute à {place}",
    "what answers is no BlockDAG node: HTTP {status}, no JSON": (
        "ce qui répond n'est pas un nœud BlockDAG : HTTP {status}, pas de JSON"
    ),
    "{data} cannot be counted within {seconds} s": "{data} ne peut être compté en {seconds} s",
    "its growth cannot be remembered: {rest}": "sa croissance ne peut être retenue : {rest}",
    "there is no folder {data}": "il n'y a pas de dossier {data}",
    "{data} is no folder": "{data} n'est pas un dossier",
    "ngrok's inspector does not answer at {url}": "l'inspecteur de ngrok ne répond pas à {url}",
    "ngrok's inspector hangs: no answer from {url} within {seconds} s": (
        "l'inspecteur de ngrok est bloqué : {url} n'a pas répondu en {seconds} s"
    ),
    "ngrok runs, and has no tunnel": "ngrok tourne, sans tunnel",
    "the tunnel's unit does not run": "l'unité du tunnel ne tourne pas",
    "the tunnel is {standing}": "le tunnel est : {standing}",
    "the tunnel's unit has told no URL yet": "l'unité du tunnel n'a pas encore donné d'URL",
    "{url} does not answer within {seconds} s": "{url} n'a pas répondu en {seconds} s",
    "{url} does not answer: {rest}": "{url} ne répond pas : {rest}",
    "{url} answers {status}: the tunnel is there, and nobody at its end": (
        "{url} répond {status} : le tunnel est là, et personne au bout"
    ),
    "{url} leads to something else: it cannot prove that it has this webhook's key": (
        "{url} mène ailleurs : rien n'y prouve qu'il a la clé de ce webhook"
    ),
    "cgminer at {place} did not answer within {seconds} s": "cgminer à {place} n'a pas répondu en {seconds} s",
    "no cgminer answers at {place}: {rest}": "aucun cgminer ne répond à {place} : {rest}",
    "the reply is longer than {size} MB": "la réponse dépasse {size} Mo",
    "cgminer refused {command}: {rest}": "cgminer a refusé {command} : {rest}",
    "no file matches {pattern}": "aucun fichier ne correspond à {pattern}",
    "nobody has looked lately: {file} is old": "personne n'a regardé ces derniers temps : {file} est ancien",
    "{place} does not answer": "{place} ne répond pas",
    "no certificate is in it": "il n'y a pas de certificat dedans",
    "not a certificate: {rest}": "pas un certificat : {rest}",
    "ValueError: {rest}": "{rest}",
}
DRIFT_FR: Mapping[str, str] = {
    ": content": " : contenu", ": gone": " : disparu", ": target": " : cible", ": our lines": " : nos lignes",
    ": no file any more": " : plus un fichier", ": no link any more": " : plus un lien",
    ": no directory any more": " : plus un dossier", ": mode ": " : mode ", ": owner ": " : propriétaire ",
    ": group ": " : groupe ", ", group ": ", groupe ", " instead of ": " au lieu de ",
}  # fmt: skip
"""What drift says of each of several paths (miner/drift.py)."""


_FRENCH = Phrases(FR)


def told(note: str, metric: str, language: Language) -> str:
    """`note` of a reading of `metric` in the language of whoever reads it."""
    if language == "en" or not note:
        return note
    return _drift(note) if metric == "drift.count" and note.startswith("/") else _french(note)


def _french(note: str) -> str:
    if (whole := _FRENCH(note, _french)) is not None:
        return whole
    place, _, rest = note.partition(": ")
    return f"{place} : {said}" if rest and (said := _french(rest)) != rest else note


def _drift(note: str) -> str:
    for english, french in DRIFT_FR.items():
        note = note.replace(english, french)
    return note
