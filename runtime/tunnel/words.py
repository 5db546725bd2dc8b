"""What the tunnel's unit says (failures.py, supervisor.py, state.py), in French. Pure."""

from __future__ import annotations

from collections.abc import Mapping

from runtime.convert import Language
from runtime.phrases import Phrases
from runtime.tunnel.state import State

FR: Mapping[str, str] = {
    "{rest} -> {rest2}": "{rest} -> {rest2}",
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
STANDING_FR: Mapping[str, str] = {
    "waiting": "en attente", "starting": "démarre", "up": "en ligne", "down": "coupé", "failed": "en échec",
}  # fmt: skip
_FRENCH = Phrases(FR)


def shown(now: State, language: Language) -> dict[str, str]:
    """For a page: `state`, `since`, `url`, and `says`: why it is not up and what to do, or the state's own word."""
    says = now.why + (f" -> {now.hint}" if now.why and now.hint else "") or now.state
    if language == "fr":
        says = STANDING_FR.get(says) or _FRENCH(says) or says
    told = {"kind": now.kind, "state": now.state, "since": now.since, "url": now.url}
    return told | {"says": says.replace(" -> ", " → ")}
