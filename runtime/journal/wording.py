"""What an entry says about itself, in French or English. Sections keep their French names: they are the format."""

from __future__ import annotations

from collections.abc import Mapping

from runtime.convert import Language

_NOTES: dict[str, dict[Language, str]] = {
    "rules": {
        "fr": "Entrée faite sans modèle ({why}): lignes du texte, triées par règles. `journal.retry` l’améliore.",
        "en": "Made without a model ({why}): lines of the text, sorted by rules. `journal.retry` improves it.",
    },
    "part": {
        "fr": "{count} parties sur {of} faites sans modèle ({why}). `journal.retry` les améliore.",
        "en": "{count} of {of} parts made without a model ({why}). `journal.retry` improves them.",
    },
    "asked": {
        "fr": "Entrée faite sans modèle, comme demandé: lignes du texte, triées par règles.",
        "en": "Made without a model, as asked: lines of the text, sorted by rules.",
    },
    "masked": {
        "fr": "Secret masqué avant toute écriture: {kind} ×{count}. À renouveler: {rotate}.",
        "en": "Masked before anything was written: {kind} ×{count}. Rotate: {rotate}.",
    },
    "late": {"fr": "Collé le {when}.", "en": "Pasted on {when}."},
    "lost": {
        "fr": "Caractères illisibles (pas UTF-8) remplacés par �; le texte brut les garde.",
        "en": "Unreadable characters (not UTF-8) shown as �; the raw paste has them.",
    },
}
_WHY: dict[str, dict[Language, str]] = {
    "no-key": {"fr": "pas de clé OpenAI", "en": "no OpenAI key"},
    "refused-key": {"fr": "clé OpenAI refusée", "en": "the OpenAI key was refused"},
    "no-credit": {"fr": "crédit OpenAI épuisé", "en": "no OpenAI credit left"},
    "offline": {"fr": "pas de réseau", "en": "no network"},
    "busy": {"fr": "OpenAI limite les requêtes", "en": "OpenAI limits requests"},
    "down": {"fr": "OpenAI en panne", "en": "OpenAI is down"},
    "slow": {"fr": "OpenAI trop lent", "en": "OpenAI took too long"},
    "refusal": {"fr": "le modèle a refusé", "en": "the model refused"},
    "broken": {"fr": "réponse du modèle inutilisable", "en": "the model's answer was unusable"},
    "request": {"fr": "requête refusée par OpenAI", "en": "OpenAI refused the request"},
}
_ROTATE_FR = {
    "private-key": "nouvelle paire de clés, et retirer l’ancienne clé publique partout",
    "age-key": "./inv secrets.rotate --identity",
    "openai-key": "platform.openai.com, API keys: révoquer et refaire",
    "telegram-token": "Telegram, @BotFather: /revoke, puis déployer le nouveau jeton",
    "github-token": "github.com, Settings, Developer settings: révoquer",
    "ngrok-token": "dashboard.ngrok.com, Your Authtoken: réinitialiser",
    "aws-key": "AWS IAM: supprimer la clé d’accès",
    "webhook-key": "./inv secrets.rotate webhook_key, déployer, puis la nouvelle clé dans les alertes TradingView",
    "seed-phrase": "déplacer les fonds vers un nouveau portefeuille: une phrase ne se change pas",
    "wallet-key": "déplacer les fonds vers un nouveau portefeuille: une clé privée ne se change pas",
    "password-in-url": "changer le mot de passe là où il sert",
    "bearer-token": "révoquer le jeton là où il a été fait",
}
_OTHERWISE_FR = "refaire cette valeur là d’où elle vient, et y retirer l’ancienne"


def note(name: str, language: Language, **values: object) -> str:
    """A note of an entry; `why` is a word of WHY."""
    return _NOTES[name][language].format(**values)


def why(reason: str, language: Language) -> str:
    return _WHY.get(reason, {}).get(language, reason)


def masked(kinds: Mapping[str, int], rotate: Mapping[str, str], language: Language) -> list[str]:
    """A note for each kind of secret that was taken out."""
    notes = []
    for kind, count in kinds.items():
        french = rotate[kind] if rotate[kind].startswith("./inv") else _OTHERWISE_FR
        what = _ROTATE_FR.get(kind, french) if language == "fr" else rotate[kind]
        notes.append(note("masked", language, kind=kind, count=count, rotate=what))
    return notes
