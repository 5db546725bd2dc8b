"""Small log books of the shapes that the real one has: both generations of alerts, a session, a note."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.fakes.openai import OpenAI
from tests.journal.save_kit import Place
from tests.journal.save_kit import place as made_place

FIRST = """\
## 2026-03-01 09:00 | TV Webhook | DEMO | ETHUSDT.P 1H | SELL
1. **Signal**: `SELL`
2. **Engine**: `DEMO`
3. **Symbol/TF**: `ETHUSDT.P` / `1H`
4. **Price**: `2000`
5. **TP**: `1900`
6. **SL**: `2050`
7. **Payload brut**:
```json
{"engine": "DEMO", "signal": "SELL", "symbol": "ETHUSDT.P", "tf": "1H", "price": 2000, "tp": 1900, "sl": 2050}
```
"""
SECOND = """\
## 2026-03-01 10:15 | TV Webhook | DEMO_LONG | XAUUSD M5 | BUY

1. **Signal**: `BUY`
2. **Engine**: `DEMO_LONG`
3. **Symbol/TF**: `XAUUSD` / `M5`
4. **Price**: `2000.5`
5. **TP**: `2010.0`
6. **SL**: `1995.0`
7. **Reason**: essai
8. **Payload brut**:
```json
{
  "key": "planted-key-of-the-demo",
  "engine": "DEMO_LONG",
  "signal": "BUY",
  "symbol": "XAUUSD",
  "tf": "M5",
  "price": 2000.5,
  "tp": 2010.0,
  "sl": 1995.0,
  "reason": "essai",
  "_ts": "2026-03-01T15:15:00.000000+00:00"
}
```
"""
SESSION = """\
## 2026-03-01 11:00 — Séance d’essai
1) Objectifs:
- Valider le déploiement.

2) Actions:
- Aucune.

3) Décisions:
—

4) Commandes / Code:
```bash
# un commentaire, pas un titre
cat > note.md <<'EOF'
## 2020-01-01 00:00 — dans une clôture
5) Points ouverts:
- pas un point
EOF
```

5) Points ouverts (next):
- Vérifier la sauvegarde:
  - sur l’hôte
- [x] Poser les clés.
"""
NOTE = "## 2026-03-01 12:30 | PERF | résumé\nR total: 1.5\n"
PARASITE = "sudo systemctl restart demo\n# un reste collé\n```\n## pas un titre\n```\n"
BOOK = "\n".join((FIRST, SECOND, SESSION, NOTE))


@pytest.fixture
def book(tmp_path: Path) -> Path:
    path = tmp_path / "journal.md"
    path.write_text(BOOK)
    return path


@pytest.fixture
def place(tmp_path: Path) -> Place:
    return made_place(tmp_path)


@pytest.fixture
def model() -> Iterator[OpenAI]:
    fake = OpenAI()
    yield fake
    fake.stop()
