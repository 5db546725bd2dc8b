"""The notes of readings as people read them: measured in English, shown in their language. Pure.

A note is what a collector found out beside a value: why it is not known, or what is wrong. Sentences of ours are here;
what the system, systemd or another service says is shown as it is. A test compares them with the collectors'.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from runtime.convert import Language

# {names} are taken over as they are; {rest} and {rest2} are notes again. The first that fits counts.
FR: Mapping[str, str] = {
    "{rest} -> {rest2}": "{rest} -> {rest2}",
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
    # what the tunnel's unit tells (runtime/tunnel/failures.py, supervisor.py)
    "the token is not one of ngrok's": "le jeton n'est pas un jeton de ngrok",
    "ngrok refuses the token: it was revoked, or its account is gone": (
        "ngrok refuse le jeton : il a été révoqué, ou son compte n'existe plus"
    ),
    "the account's plan allows one agent at a time, and another one runs": (
        "la formule du compte permet un seul agent à la fois, et un autre tourne"
    ),
    "this agent is too old for ngrok's service": "cet agent est trop ancien pour le service de ngrok",
    "the account may not use this URL": "le compte n'a pas droit à cette URL",
    "the URL is online elsewhere: another agent holds it": "l'URL est prise ailleurs : un autre agent la tient",
    "ngrok wants a verified account and a token": "ngrok demande un compte vérifié et un jeton",
    "the tunnel is there, and the webhook behind it did not answer": (
        "le tunnel est là, et le webhook derrière n'a pas répondu"
    ),
    "ngrok says that no agent is online for the URL": "ngrok dit qu'aucun agent n'est en ligne pour l'URL",
    "{rest}; on this machine runs {rest2}": "{rest} ; sur cette machine tourne {rest2}",
    "{rest}; none other runs on this machine": "{rest} ; aucun autre ne tourne sur cette machine",
    "process {pid} of {user}, unit {unit}": "le processus {pid} de {user}, unité {unit}",
    "process {pid} of {user}, started by hand": "le processus {pid} de {user}, lancé à la main",
    "stop the other agent, or set tunnel.take_over": "arrêter l'autre agent, ou activer tunnel.take_over",
    "reserve it in ngrok's dashboard: Domains": "la réserver dans le tableau de bord de ngrok : Domains",
    "./inv secrets.set tunnel_token, then ./inv deploy": "./inv secrets.set tunnel_token, puis ./inv deploy",
    "a newer `tunnel.version`": "un `tunnel.version` plus récent",
    "see ./inv tunnel.status": "voir ./inv tunnel.status",
    "the webhook does not answer at {url}": "le webhook ne répond pas à {url}",
    "the agent has lost its connection and tries again by itself": (
        "l'agent a perdu sa connexion et réessaie tout seul"
    ),
    "{program} cannot be started: {why}": "{program} ne peut pas être lancé : {why}",
    "is its package installed? ./inv deploy": "son paquet est-il installé ? ./inv deploy",
    "{kind} says: it ended without a word": "{kind} s'est terminé sans un mot",
    "{kind} says: {words}": "{kind} dit : {words}",
}
DRIFT_FR: Mapping[str, str] = {
    ": content": " : contenu", ": gone": " : disparu", ": target": " : cible", ": our lines": " : nos lignes",
    ": no file any more": " : plus un fichier", ": no link any more": " : plus un lien",
    ": no directory any more": " : plus un dossier", ": mode ": " : mode ", ": owner ": " : propriétaire ",
    ": group ": " : groupe ", ", group ": ", groupe ", " instead of ": " au lieu de ",
}  # fmt: skip
"""What drift says of each of several paths (miner/drift.py)."""


def _pattern(sentence: str) -> re.Pattern[str]:
    parts = re.split(r"\{(\w+)\}", sentence)
    found = (f"(?P<{part}>.+?)" if place % 2 else re.escape(part) for place, part in enumerate(parts))
    return re.compile("".join(found), re.DOTALL)


_PATTERNS = tuple((_pattern(english), french) for english, french in FR.items())


def told(note: str, metric: str, language: Language) -> str:
    """`note` of a reading of `metric` in the language of whoever reads it."""
    if language == "en" or not note:
        return note
    return _drift(note) if metric == "drift.count" and note.startswith("/") else _french(note)


def _french(note: str) -> str:
    for pattern, french in _PATTERNS:
        if found := pattern.fullmatch(note):
            values = found.groupdict()
            return french.format(
                **{name: _french(text) if name.startswith("rest") else text for name, text in values.items()}
            )
    place, _, rest = note.partition(": ")
    return f"{place} : {said}" if rest and (said := _french(rest)) != rest else note


def _drift(note: str) -> str:
    for english, french in DRIFT_FR.items():
        note = note.replace(english, french)
    return note
