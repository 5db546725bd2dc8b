"""Why an alert was not simply opened, in French: what decisions, bars, guards and refusals say in English. Pure.

The store, the answers and the log keep the English sentence; pages and Telegram show this one.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from runtime.convert import Language
from runtime.phrases import Phrases

FR: Mapping[str, str] = {
    # runtime.router.decision
    "repeats event {number}": "répète l'alerte {number}",
    "a test engine": "un moteur de test",
    "no such trade is open": "aucun trade correspondant n'est ouvert",
    "{engine} holds the lock since {ts}": "{engine} tient le verrou depuis {ts}",
    "reversed, and not sized": "retourné, et non dimensionné",
    "reversed, and held back by {rest}": "retourné, et retenu par {rest}",
    "reversed": "retourné",
    "opened": "ouvert",
    "not sized": "non dimensionné",
    "{engine} is {direction} only: nothing opened": "{engine} ne prend que {direction} : rien n'est ouvert",
    "{engine} is {direction} only, and no trade is open on {symbol}": (
        "{engine} ne prend que {direction}, et aucun trade n'est ouvert sur {symbol}"
    ),
    "{engine} is {direction} only": "{engine} ne prend que {direction}",
    # runtime.router.bars
    "{rest}, marked {number}": "{rest}, marqués : {number}",
    "closed {number} at the stop and {other} at the target": "clôturés : {number} au stop et {other} à l'objectif",
    "closed {number} at the stop": "clôturés au stop : {number}",
    "closed {number} at the target": "clôturés à l'objectif : {number}",
    "closed {number}": "clôturés : {number}",
    "marked {number}": "marqués : {number}",
    "every trade it concerns is younger": "tous les trades concernés sont plus récents",
    "no trade that it concerns is open": "aucun trade concerné n'est ouvert",
    # runtime.router.guards
    "{number} of {most} trades today": "{number} trades sur {most} aujourd'hui",
    "{number} of {most} trades open": "{number} trades ouverts sur {most}",
    "{value} today, the day stops at {limit}": "{value} aujourd'hui, la journée s'arrête à {limit}",
    "{value} % below the initial balance, at most {most} %": "{value} % sous le solde initial, au plus {most} %",
    "{value} % below the peak, at most {most} %": "{value} % sous le plus haut, au plus {most} %",
    "{value} % of the last {number} trades were won, at least {least} %": (
        "{value} % des {number} derniers trades gagnés, au moins {least} %"
    ),
    "{number} trades lost in a row: half the risk until the next win": (
        "{number} trades perdus de suite : moitié du risque jusqu'au prochain gain"
    ),
    "outside the session hours ({hours})": "hors des heures de séance ({hours})",
    "{symbol} is not one of {symbols}": "{symbol} n'est pas parmi {symbols}",
    "{usd} USD at risk is {value} %, at most {most} %": "{usd} USD de risque font {value} %, au plus {most} %",
    "{number} of {all} confirmed; missing: {items}": "{number} sur {all} confirmés ; manquent : {items}",
    "everything is paused since {rest}": "tout est en pause depuis {rest}",
    "{scope} is paused since {rest}": "{scope} est en pause depuis {rest}",
    "{since} UTC until {until} UTC: {why}": "{since} UTC jusqu'à {until} UTC : {why}",
    "{since} UTC until {until} UTC": "{since} UTC jusqu'à {until} UTC",
    # runtime.payload, runtime.moment, runtime.risk, runtime.webhook.alert
    "is missing": "manque",
    "given more than once": "donné plusieurs fois",
    "nested more than {number} levels deep": "imbriqué sur plus de {number} niveaux",
    "contains a NUL or half of a surrogate pair": "contient un NUL ou une moitié de paire de substitution",
    "is not a finite number": "n'est pas un nombre fini",
    "expected a number above 0 and at most {most}": "attendu : un nombre au-dessus de 0 et au plus {most}",
    "expected a number": "attendu : un nombre",
    "expected text": "attendu : du texte",
    "expected an object": "attendu : un objet",
    "expected 1 to {most} printable characters": "attendu : 1 à {most} caractères imprimables",
    "expected a price above 0": "attendu : un prix au-dessus de 0",
    "expected a level above 0, or 0 for none": "attendu : un niveau au-dessus de 0, ou 0 pour aucun",
    "expected BUY or SELL": "attendu : BUY ou SELL",
    "expected SIGNAL or OPEN or UPDATE or CLOSE or BAR": "attendu : SIGNAL, OPEN, UPDATE, CLOSE ou BAR",
    "expected ISO 8601 with an offset, or an epoch in seconds or milliseconds": (
        "attendu : ISO 8601 avec un décalage, ou un temps Unix en secondes ou millisecondes"
    ),
    "{ts} is more than a day ahead of this machine's clock": (
        "{ts} est plus d'un jour en avance sur l'horloge de cette machine"
    ),
    "{level} must be above the price {price} for a {side}": (
        "{level} doit être au-dessus du prix {price} pour un {side}"
    ),
    "{level} must be below the price {price} for a {side}": (
        "{level} doit être en dessous du prix {price} pour un {side}"
    ),
    "is needed: {engine} is sized by its stop": "est nécessaire : {engine} est dimensionné par son stop",
    "{value} away from the price; at least {least} is needed": "à {value} du prix ; il faut au moins {least}",
    "{low} is above the high {high}": "{low} est au-dessus du plus haut {high}",
    "{level} is not between the low {low} and the high {high}": (
        "{level} n'est pas entre le plus bas {low} et le plus haut {high}"
    ),
    # runtime.webhook.told
    "target": "objectif",
    "close": "clôture",
    "opposite": "signal opposé",
}
_FRENCH = Phrases(FR)
_GUARDS = re.compile(r"; (?=[a-z_]+: )(?!missing: )")
_NAMED = re.compile(r"([\w.*\[\]-]+): (.+)", re.DOTALL)
_NAMES = {"blackout": "annonce"}


def said(text: str, language: Language) -> str:
    """A reason as the language's readers are shown it; what is in no table stays as it is."""
    return " ; ".join(map(_in_french, _GUARDS.split(text))) if language == "fr" else text


def _in_french(text: str) -> str:
    """Before a colon stands who says it: a guard, or the field of a refused alert."""
    named = _NAMED.fullmatch(text)
    if named is None:
        return _FRENCH(text, _in_french) or text
    return f"{_NAMES.get(named[1], named[1])} : {_FRENCH(named[2], _in_french) or _in_french(named[2])}"
