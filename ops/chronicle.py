"""What a deploy or a rotation did, as the log book is told of it.

`ops` does not know the log book: whoever starts a run hands over a Writer. What the log book cannot take never fails
the run; it is said.
"""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal, Protocol

from ops.inventory import Host, JournalRules
from ops.plan import who

if TYPE_CHECKING:
    from ops.deploy import HostResult

AUDIT = "/var/log/trading-ops/audit.jsonl"
RELEASES = "/opt/trading/releases"
OUTCOMES = {"done": "réussi", "rolled-back": "annulé : l'état d'avant est revenu", "interrupted": "interrompu"}
FAILED = "échoué"


class Writer(Protocol):
    """Appends one entry; may raise anything."""

    def __call__(
        self, title: str, *, parameters: Mapping[str, object], results: Mapping[str, object], artefacts: Iterable[str]
    ) -> None: ...


@dataclass(frozen=True)
class Happened:
    """One entry. Its values hold no secret: names, counts, and messages that were redacted."""

    rule: Literal["deploys", "rollbacks", "rotations"]
    title: str
    parameters: dict[str, object]
    results: dict[str, object]
    artefacts: list[str] = field(default_factory=list)


def tell(writer: Writer | None, rules: JournalRules, happened: Iterable[Happened | None]) -> None:
    """Hand over what is to be told. A log book that cannot be written is named on stderr; nothing else comes of it."""
    for one in happened:
        if writer is None or one is None or not getattr(rules, one.rule):
            continue
        try:
            writer(one.title, parameters=one.parameters, results=one.results, artefacts=one.artefacts)
        except Exception as error:
            sys.stderr.write(f"note: the log book was not told of this ({one.title}): {error}\n")


def deployed(host: Host, result: HostResult, why: str) -> Happened | None:
    """None when nothing changed, and for a lab's machines, which are thrown away."""
    if host.lab or not result.changed:
        return None
    undone = result.outcome == "rolled-back"
    title = f"{'Retour en arrière' if undone else 'Déploiement'} : {host.name}"
    parameters: dict[str, object] = {"hôte": host.name, "par": who(), "commande": why, "release": result.release}
    artefacts = [f"{RELEASES}/{result.release}" if result.release else "", f"{host.name}:{AUDIT}"]
    return Happened("rollbacks" if undone else "deploys", title, parameters, _results(result), artefacts)


def _results(result: HostResult) -> dict[str, object]:
    by_role = Counter(str(item["role"]) for item in result.resources if item["result"] == "changed")
    counts = ", ".join(f"{role} {count}" for role, count in by_role.items())
    outcome = OUTCOMES.get(result.outcome, FAILED) if not result.error else FAILED
    found: dict[str, object] = {
        "issue": outcome,
        "changements": f"{result.changed} ({counts})" if counts else result.changed,
    }
    found |= {
        "échecs": result.failed or "",
        "contrôle refusé": result.end.get("check", ""),
        "durée": f"{result.seconds:.1f} s",
    }
    return found | {"message": result.error.partition("\n")[0]}


def rotated(name: str, uses: Sequence[tuple[Host, str]], only: Host | None) -> Happened | None:
    """A secret's new value; `uses` are the hosts and fields that take it. None for a lab's own."""
    if only is not None and only.lab:
        return None
    hosts = list(dict.fromkeys(host.name for host, _ in uses if not host.lab))
    parameters: dict[str, object] = {"secret": name, "portée": only.name if only else "tous les hôtes", "par": who()}
    todo = ", ".join(f"./inv deploy --host {host}" for host in hosts)
    return Happened(
        "rotations", f"Rotation : {name}", parameters, {"issue": "nouvelle valeur gardée", "à déployer": todo}
    )


def rotated_identity(public: str) -> Happened:
    """This machine's own key."""
    parameters: dict[str, object] = {"par": who()}
    return Happened("rotations", "Rotation : identité age", parameters, {"nouvelle clé publique": public})
