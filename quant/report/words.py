"""What the page says, in both languages: it shows the reader's, and either at a press of a button."""

from __future__ import annotations

WORDS = {
    "language": ("English", "Français"),
    "theme": ("Thème", "Theme"),
    "skip": ("Aller au contenu", "Skip to content"),
    "figures": ("Chiffres", "Figures"),
    "charts": ("Équité, drawdown et trades", "Equity, drawdown and trades"),
    "candles": ("Bougies et trades", "Candles and trades"),
    "equity": ("Équité", "Equity"),
    "drawdown": ("Drawdown", "Drawdown"),
    "months": ("Rendement par mois, en %", "Returns by month, in %"),
    "months_note": (
        "Mois UTC. D'une dernière clôture du mois à la suivante ; le premier part de l'équité initiale.",
        "UTC months. From one month's last close to the next; the first starts from the initial equity.",
    ),
    "year": ("Année", "Year"),
    "count": ("Nombre", "Count"),
    "range": ("Intervalle", "Range"),
    "median": ("médiane", "median"),
    "trades": ("Trades affichés", "Trades in view"),
    "settings": ("Réglages", "Settings"),
    "identity": ("Ce qu'est ce run", "What this run is"),
    "definitions": (
        "r : rendement d'une bougie, E : équité à sa clôture, P : bougies par an sans interruption, n : bougies. "
        "Taux sans risque 0. Tout est net de frais.",
        "r: a bar's return, E: equity at its close, P: bars a year around the clock, n: bars. Risk-free rate 0. "
        "Everything is after costs.",
    ),
    "past": (
        "Un résultat passé ne promet rien. Aucun ordre n'est jamais envoyé.",
        "What happened promises nothing. No order is ever sent.",
    ),
    "all": ("Tout", "All"),
    "in": ("Zoom avant", "Zoom in"),
    "out": ("Zoom arrière", "Zoom out"),
    "left": ("Avant", "Earlier"),
    "right": ("Après", "Later"),
    "hint": (
        "▲ achat, ▼ vente, ■ sortie ; bleu : gain, ambre : perte. Glisser : choisir une période. Molette : zoom. "
        "Double clic : tout. Clavier : + − ← → 0.",
        "▲ long, ▼ short, ■ exit; blue: a gain, amber: a loss. Drag: choose a period. Wheel: zoom. Double click: all. "
        "Keys: + − ← → 0.",
    ),
    "no_script": (
        "Les graphiques demandent JavaScript ; trades.csv et equity.parquet contiennent les mêmes chiffres.",
        "The charts need JavaScript; trades.csv and equity.parquet hold the same figures.",
    ),
    "none": ("Rien à montrer.", "Nothing to show."),
    "data": ("données", "data"),
    "code": ("code", "code"),
    "seed": ("graine", "seed"),
    "kind": ("genre", "kind"),
    "config": ("config", "config"),
    "best": ("meilleur", "best"),
}
"""(French, English)"""

NAMES = {
    "volatility": ("Volatilité", "Volatility"),
    "total_return": ("Rendement total", "Total return"),
    "final_equity": ("Équité finale", "Final equity"),
    "longest_drawdown": ("Plus long drawdown, jours", "Longest drawdown, days"),
    "trades": ("Trades", "Trades"),
    "win_rate": ("Taux de réussite", "Win rate"),
    "average_win": ("Gain moyen", "Average win"),
    "average_loss": ("Perte moyenne", "Average loss"),
    "best_trade": ("Meilleur trade", "Best trade"),
    "worst_trade": ("Pire trade", "Worst trade"),
    "holding": ("Durée moyenne, jours", "Mean holding, days"),
    "fees": ("Frais", "Fees"),
    "funding": ("Financement", "Funding"),
    "bars": ("Bougies", "Bars"),
    "days": ("Jours", "Days"),
    "Expectancy": ("Espérance", "Expectancy"),
    "Exposure": ("Exposition", "Exposure"),
}

FRENCH = {
    "Sharpe": "moyenne(r) / écart-type(r, ddof=1) · √P, r : rendements de toutes les bougies, P bougies par an sans "
    "interruption, taux sans risque 0.",
    "Sortino": "moyenne(r) · √P / √(Σ min(r, 0)² / n), sur les n bougies.",
    "CAGR": "(E_fin / E_début)^(P / n) − 1 : croissance par an, E_début : l'équité initiale.",
    "MDD": "min(E / plus haut de E jusque-là − 1) : la plus forte baisse depuis un sommet, l'équité initiale comprise.",
    "Calmar": "CAGR / |MDD|.",
    "PF": "Profit factor : Σ gains / |Σ pertes| des trades clôturés, en argent, net de frais.",
    "Expectancy": "Résultat moyen d'un trade clôturé, dans la devise du compte, net de frais.",
    "R": "Moyenne de résultat / (|entrée − stop| · quantité), sur les trades qui avaient un stop.",
    "Exposure": "Part des bougies à la clôture desquelles une position était tenue.",
    "volatility": "écart-type(r, ddof=1) · √P : d'une année.",
    "total_return": "E_fin / E_début − 1.",
    "final_equity": "E_fin, dans la devise du compte.",
    "longest_drawdown": "Jours de bougies d'un sommet à son retour, ou à la fin : le plus long.",
    "trades": "Trades clôturés ; celui qui reste ouvert à la fin est clôturé à la dernière clôture.",
    "win_rate": "Trades au résultat supérieur à 0, net de frais, sur tous les trades.",
    "average_win": "Résultat moyen des trades gagnants.",
    "average_loss": "Résultat moyen des trades perdants : inférieur à 0.",
    "best_trade": "Le plus grand résultat d'un trade.",
    "worst_trade": "Le plus petit.",
    "holding": "Jours de bougies de l'entrée à la sortie, en moyenne.",
    "fees": "Σ frais payés, dans la devise du compte.",
    "funding": "Σ financement reçu moins payé, pour autant que les taux soient enregistrés.",
    "bars": "Bougies simulées.",
    "days": "De l'ouverture de la première bougie à la clôture de la dernière.",
}
"""quant.metrics.DEFINITIONS in French."""
