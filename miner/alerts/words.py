"""Every sentence that tells of an alert, in French and in English. Pure data, and how values are written in it."""

from __future__ import annotations

from collections.abc import Mapping

from miner import notes
from miner.readings import METRICS
from runtime.convert import Language

# {t}: the target, {v}: the value with its unit.
RULES: Mapping[str, tuple[str, str]] = {
    "stick.missing": ("clé {t} débranchée", "stick {t} is unplugged"),
    "stick.unusable": ("clé {t} : le mineur n'a pas le droit de l'ouvrir", "stick {t}: the miner may not open it"),
    "stick.no_hashes": ("clé {t} ne calcule plus", "stick {t} does not hash"),
    "stick.slow": ("clé {t} lente : {v} de l'attendu", "stick {t} is slow: {v} of what it should do"),
    "stick.frequency_low": ("clé {t} bridée : {v} de sa fréquence", "stick {t} runs at {v} of its frequency"),
    "stick.resets": ("clé {t} relancée {v}", "stick {t} is reset {v}"),
    "stick.hw_errors": ("clé {t} : {v} d'erreurs matérielles", "stick {t}: {v} hardware errors"),
    "stick.hot": ("clé {t} chaude : {v}", "stick {t} is hot: {v}"),
    "hub.missing": (
        "hub USB {t} absent, avec tout ce qui y est branché",
        "USB hub {t} is gone, with all that is on it",
    ),
    "miner.api_down": ("cgminer ne répond pas", "cgminer does not answer"),
    "miner.api_slow": ("cgminer répond en {v}", "cgminer takes {v} to answer"),
    "miner.no_pool": ("aucun pool ne répond", "no pool is alive"),
    "miner.fallback_pool": ("mine pour un pool de secours", "mines for a fallback pool"),
    "miner.no_hashrate": ("plus aucun hashrate", "no hashrate at all"),
    "miner.slow": ("hashrate total : {v} de l'attendu", "total hashrate is {v} of what it should be"),
    "miner.rejects": ("{v} de parts rejetées", "{v} of shares are rejected"),
    "miner.stales": ("{v} de parts périmées", "{v} of shares are stale"),
    "host.busy": ("processeur occupé : {v}", "processor is busy: {v}"),
    "host.memory_low": ("mémoire pleine : {v}", "memory is full: {v}"),
    "host.load": ("charge : {v} par processeur", "load is {v} for each processor"),
    "host.hot": ("machine chaude ({t}) : {v}", "machine is hot ({t}): {v}"),
    "host.too_hot": ("machine trop chaude ({t}) : {v}", "machine is too hot ({t}): {v}"),
    "host.out_of_memory": ("programmes tués faute de mémoire : {v}", "programs killed for want of memory: {v}"),
    "host.undervoltage": ("alimentation trop faible", "the power supply is too weak"),
    "disk.low": ("disque {t} : {v} libres", "disk {t}: {v} free"),
    "disk.full": ("disque {t} plein : {v} libres", "disk {t} is full: {v} free"),
    "disk.inodes_low": ("disque {t} : {v} d'inodes libres", "disk {t}: {v} of inodes free"),
    "clock.unsynchronised": ("horloge non synchronisée", "the clock is not synchronised"),
    "clock.off": ("horloge décalée de {v}", "the clock is off by {v}"),
    "unit.down": ("{t} est arrêté", "{t} is down"),
    "unit.restarts": ("{t} redémarre {v}", "{t} restarts {v}"),
    "service.not_ready": ("{t} n'est pas prêt", "{t} is not ready"),
    "service.slow": ("{t} répond en {v}", "{t} takes {v} to answer"),
    "outbox.late": ("envois vers {t} en retard de {v}", "deliveries to {t} are {v} behind"),
    "outbox.refused": ("{t} a refusé {v} envois pour de bon", "{t} refused {v} deliveries for good"),
    "tunnel.down": ("l'URL publique ne mène plus ici", "the public URL does not lead here"),
    "tunnel.inspector_hangs": (
        "l'inspecteur de ngrok ne répond pas ; le tunnel n'est pas en cause",
        "ngrok's inspector does not answer; the tunnel itself does",
    ),
    "expiry.soon": ("{t} expire dans {v}", "{t} expires in {v}"),
    "expiry.now": ("{t} expire dans {v}", "{t} expires in {v}"),
    "journal.unpushed": ("journal non poussé depuis {v}", "the log book was not pushed for {v}"),
    "backup.old": ("sauvegarde {t} : {v}", "backup {t} is {v} old"),
    "drift.found": ("fichiers changés à la main : {v}", "files changed by hand: {v}"),
    "docker.down": ("Docker ne répond pas", "Docker does not answer"),
    "node.stopped": ("nœud {t} : son conteneur ne tourne pas", "node {t}: its container does not run"),
    "node.restarting": ("nœud {t} : son conteneur redémarre {v}", "node {t}: its container restarts {v}"),
    "node.down": ("nœud {t} ne répond pas", "node {t} does not answer"),
    "node.alone": ("nœud {t} sans pair", "node {t} has no peers"),
    "node.stuck": ("nœud {t} n'avance plus depuis {v}", "node {t} has not advanced for {v}"),
    "node.syncing": ("nœud {t} télécharge encore la chaîne", "node {t} still fetches the chain"),
    "node.behind": ("nœud {t} : {v} blocs de retard", "node {t} is {v} blocks behind"),
    "node.disk_soon": ("nœud {t} : plus de place dans {v}", "node {t}: no room left in {v}"),
    "node.disk_low": ("nœud {t} : {v} de son espace disque", "node {t} takes {v} of its disk budget"),
    "node.disk_full": ("nœud {t} : espace disque dépassé, {v}", "node {t} is over its disk budget: {v}"),
    "node.unseen": ("nœud {t} : sonde muette depuis {v}", "node {t}: nobody has looked at it for {v}"),
    "peer.silent": ("{t} ne répond plus depuis {v}", "{t} has not answered for {v}"),
}

_FR = {
    "own": "{rule} {t} : {v}",
    "own_bool": "{rule} {t}",
    "noted": "{text} — {note}",
    "flapping": "🔁 {text} — va et vient : {count} fois, prochain message quand c'est stable",
    "steady": "{icon} {text} — ne revient plus, après {count} fois",
    "repeat": "⏰ {text} — depuis {length}",
    "resolved": "✅ {text} — fini après {length}",
    "stable": "✅ {text} — fini et stable, après {count} fois en {length}",
    "gone": "⚪ {text} — n'est plus surveillé, après {length}",
    "off": "⚪ {text} — règle retirée, après {length}",
    "alerts": "{n} alertes",
    "ends": "{n} alertes finies",
    "repeats": "{n} alertes durent",
    "more": "… et {n} de plus",
    "per_hour": "{n} fois par heure",
    "boot": "🔄 la machine a redémarré",
    "daily": "📊 Résumé du jour",
    "d_ghs": "hashrate {ghs} GH/s",
    "d_ghs_of": "hashrate {ghs} GH/s sur {expected} attendus",
    "d_shares": "parts : {accepted} acceptées, {rejected} rejetées, {stale} périmées",
    "d_best": "meilleure part {best}",
    "d_uptime": "cgminer en marche depuis {uptime}",
    "d_watts": "{watts} W (configurés)",
    "d_sticks": "clés : {present} sur {known}",
    "d_none": "aucune alerte depuis hier",
    "d_alerts": "alertes depuis hier : {list}",
    "d_standing": "en cours : {list}",
    "d_calm": "rien en cours",
}

_EN = {
    "own": "{rule} {t}: {v}",
    "own_bool": "{rule} {t}",
    "noted": "{text} — {note}",
    "flapping": "🔁 {text} — comes and goes: {count} times; told again when it is stable",
    "steady": "{icon} {text} — stays so, after {count} times",
    "repeat": "⏰ {text} — for {length}",
    "resolved": "✅ {text} — over after {length}",
    "stable": "✅ {text} — over and stable, after {count} times in {length}",
    "gone": "⚪ {text} — not watched any more, after {length}",
    "off": "⚪ {text} — rule removed, after {length}",
    "alerts": "{n} alerts",
    "ends": "{n} alerts are over",
    "repeats": "{n} alerts last",
    "more": "… and {n} more",
    "per_hour": "{n} times an hour",
    "boot": "🔄 the machine was restarted",
    "daily": "📊 The day",
    "d_ghs": "hashrate {ghs} GH/s",
    "d_ghs_of": "hashrate {ghs} GH/s of {expected} expected",
    "d_shares": "shares: {accepted} accepted, {rejected} rejected, {stale} stale",
    "d_best": "best share {best}",
    "d_uptime": "cgminer has been up for {uptime}",
    "d_watts": "{watts} W (as configured)",
    "d_sticks": "sticks: {present} of {known}",
    "d_none": "no alerts since yesterday",
    "d_alerts": "alerts since yesterday: {list}",
    "d_standing": "standing: {list}",
    "d_calm": "nothing is wrong",
}

TONGUES: Mapping[str, Mapping[str, str]] = {"fr": _FR, "en": _EN}
ICONS: Mapping[str, str] = {"critical": "🔴", "warning": "🟠", "info": "🔵"}


class Words:
    """`words("more", n=3)`: a sentence of one language; `alert(...)`: what is wrong, be it beginning or over."""

    def __init__(self, language: Language) -> None:
        self._language = language
        self._table = TONGUES[language]
        self._place = 0 if language == "fr" else 1

    def __call__(self, name: str, /, **values: object) -> str:
        return self._table[name].format(**values)

    def alert(self, rule: str, metric: str, target: str, value: float, note: str = "") -> str:
        unit = METRICS[metric].unit if metric in METRICS else "count"
        own = self._table["own_bool" if unit in ("bool", "flag") else "own"]
        sentence = RULES[rule][self._place] if rule in RULES else own
        text = sentence.format(t=target, v=self.value(unit, value), rule=rule).replace("  ", " ").strip()
        return self("noted", text=text, note=notes.told(note, metric, self._language)) if note else text

    def value(self, unit: str, value: float) -> str:
        if unit == "ratio":
            return f"{value * 100:.3g} %"
        if unit == "seconds":
            return length(value)
        if unit == "per hour":
            return self("per_hour", n=f"{value:.3g}")
        marks = {"celsius": " °C", "GH/s": " GH/s", "days": " d" if self._place else " j"}
        return f"{value:.4g}{marks.get(unit, '')}"


def length(seconds: float) -> str:
    """The two largest units: 0.3 s, 3 s, 5 min, 2 h 5 min, 3 d 4 h."""
    whole = max(0, int(seconds))
    if whole < 10 and seconds != whole:
        return f"{seconds:.1f} s"
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min" + (f" {whole % 60} s" if whole < 600 and whole % 60 else "")
    if whole < 86_400:
        return f"{whole // 3600} h" + (f" {whole % 3600 // 60} min" if whole % 3600 // 60 else "")
    return f"{whole // 86_400} d" + (f" {whole % 86_400 // 3600} h" if whole % 86_400 // 3600 else "")
