// What the pages say, in both languages. A test compares the two lists and looks for every key that is used.

const fr = {
  skip: "Aller au contenu", theme: "Thème", at_a_glance: "En bref", lock: "Verrou", reset: "Réinitialiser", guards: "Gardes",
  pause: "Pause", resume: "Reprendre", confirm: "Confirmer", engines: "Moteurs", health: "Service et livraisons", feed: "Alertes", engine: "Moteur",
  outcome: "Issue", all: "tout", refused: "refusées", more: "Afficher plus", open_trades: "Trades ouverts",
  equity: "Équité et drawdown", histogram: "Résultats en R", calendar: "Calendrier", candles: "Bougies", symbol: "Symbole",
  charts_by: "Bougies dessinées par", cancel: "Annuler", ops_key: "Clé opérateur",
  foot_dash: "Enregistre, dimensionne, mesure. Aucun ordre n'est jamais envoyé à un courtier.",
  foot_perf: "Trades virtuels : aucun ordre n'est jamais envoyé à un courtier. Jours, séances et heures en UTC.",
  connecting: "connexion…", connected: "en direct", disconnected: "DÉCONNECTÉ",
  disconnected_text: "DÉCONNECTÉ : le serveur ne répond plus. Les chiffres ci-dessous datent d'avant.",
  since: "depuis", ago: "il y a", stale: "périmé", no_store: "Le service répond, mais sa base ne peut pas être lue.",
  free: "libre", held_by: "tenu par", expires: "expire", never: "jamais", changed: "dernier changement",
  last_alert: "Dernière alerte", alerts: "Alertes reçues", none_yet: "aucune", total: "total", equity_now: "Équité",
  drawdown: "Drawdown", now: "actuel", max: "max", open_now: "Ouverts", open_r: "R latent", ready: "Service",
  is_ready: "prêt", not_ready: "PAS PRÊT", unknown: "inconnu",
  fresh: "actif", quiet: "calme", silent: "silencieux", engine_none: "jamais vu", no_engines: "Aucun moteur configuré.",
  sink: "Livraison", pending: "en attente", dead: "refusés", error: "erreur", ok: "ok", check: "Contrôle",
  check_store: "base", check_journal: "journal.md", check_disk: "disque", check_outbox: "retard de livraison",
  no_alerts: "Aucune alerte pour l'instant.", no_match: "Aucune alerte ne correspond au filtre.", shown: "affichées sur", left_out: "{n} autres, arrivées à la fois, sont dans /api/events",
  price: "prix", qty: "qté", risk: "risque", reason: "Motif", why: "Pourquoi", details: "Reçu",
  opened: "ouvert", recorded: "noté", closed: "clôturé", updated: "marqué", ignored: "ignoré", duplicate: "doublon",
  locked: "verrouillé", rejected: "refusé", invalid: "invalide", guarded: "gardé", paused: "en pause", bar: "bougie",
  side: "Sens", entry: "Entrée", stop: "Stop", mark: "Cours", live_r: "R", pnl: "PnL", age: "Âge", size: "Quantité",
  no_open: "Aucun trade ouvert.", no_mark: "sans cours", no_closed: "Aucun trade clôturé pour l'instant.",
  ledger_silent: "Le registre (perf) ne répond pas. Les alertes continuent d'être enregistrées.",
  ledger_key: "Depuis une autre machine, ces chiffres demandent la clé opérateur.", give_key: "Donner la clé",
  ledger_old: "Chiffres d'avant.", date: "Date", depth: "Sous le sommet", figures: "Chiffres du graphique", trades: "Trades", days_utc: "jours UTC",
  day: "Jour", wins: "gagnants", from_r: "de", to_r: "à", less: "moins de", or_more: "et plus",
  equity_alt: "Courbe d'équité de {from} à {to}, de {first} à {last} ; drawdown maximal {dd}.",
  histogram_alt: "{n} trades clôturés par multiple de R ; le plus souvent {best}.",
  calendar_alt: "PnL par jour : {n} jours, meilleur {best}, pire {worst}.",
  candles_alt: "Bougies de {symbol} en {tf} : {n} bougies, la dernière à {last}.",
  reset_what: "Libère le verrou tenu par {who}. Les trades virtuels ouverts restent ouverts.", nobody: "personne",
  reset_do: "Libérer le verrou", pause_what: "Les nouvelles entrées sont refusées, rien n'est fermé. Survit aux redémarrages.",
  pause_do: "Mettre en pause", resume_what: "Les entrées sont de nouveau acceptées.", resume_do: "Reprendre",
  confirm_what: "Confirme un point de la liste de contrôle :", confirm_do: "Confirmer", item: "Point",
  scope: "Portée", everything: "tout", minutes: "Minutes (vide : jusqu'à la reprise)", pause_reason: "Motif",
  wrong_key: "Clé opérateur refusée. Vérifiez-la et recommencez.", failed: "Échec : {why}", no_answer: "le serveur ne répond pas",
  done_reset: "Verrou libéré.", done: "Fait.", guards_absent: "Ce service n'a pas de gardes configurées.",
  not_paused: "Aucune pause.", paused_scope: "En pause", until: "jusqu'à", until_resumed: "jusqu'à la reprise", by: "par",
  guard: "Garde", state: "État", blocks: "BLOQUE", warns: "avertit", allows: "ouvert", account: "compte",
  today: "Aujourd'hui", lag: "retard", rules: "Règles en vigueur", losses_in_row: "Pertes de suite", checklist: "Liste de contrôle", confirmed: "confirmé", missing: "à confirmer",
  kpi: "Indicateurs", groups: "Résultats par", session: "Séance", hour: "Heure", weekday: "Jour", status: "Statut",
  status_open: "ouvert", status_closed: "clôturé", newer: "Plus récents", older: "Plus anciens", export: "Exporter",
  token: "Jeton du registre", token_use: "Afficher", token_why: "Depuis une autre machine, le registre demande son jeton (gardé dans cet onglet seulement).",
  token_wrong: "Jeton refusé.", expectancy: "Espérance", payoff: "Payoff", profit_factor: "Profit factor", winrate: "Gagnants",
  rolling: "Espérance, {n} derniers", avg_win: "Gain moyen", avg_loss: "Perte moyenne", dd_max: "Drawdown maximal",
  dd_now: "Drawdown actuel", dd_longest: "Plus longue période sous un sommet", dd_recovery: "Remontée du plus profond",
  not_recovered: "pas encore", mae_winners: "MAE des gagnants (moyenne, max)", mfe_losers: "MFE des perdants (moyenne, max)",
  closed_trades: "Trades clôturés", pnl_total: "PnL réalisé", exit: "Sortie", mae: "MAE", mfe: "MFE", trade: "Trade", closed_at: "Clôturé",
  opened_at: "Ouvert", no_trades: "Aucun trade.", at_risk: "Risque ouvert", group: "Groupe", count: "Nombre", export_failed: "L'export a échoué : {why}",
};

const en = {
  skip: "Skip to the content", theme: "Theme", at_a_glance: "At a glance", lock: "Lock", reset: "Reset", guards: "Guards",
  pause: "Pause", resume: "Resume", confirm: "Confirm", engines: "Engines", health: "Service and deliveries", feed: "Alerts", engine: "Engine",
  outcome: "Outcome", all: "all", refused: "refused", more: "Show more", open_trades: "Open trades",
  equity: "Equity and drawdown", histogram: "Results in R", calendar: "Calendar", candles: "Candles", symbol: "Symbol",
  charts_by: "Candles drawn by", cancel: "Cancel", ops_key: "Operator's key",
  foot_dash: "It records, sizes, measures. No order is ever sent to a broker.",
  foot_perf: "Virtual trades: no order is ever sent to a broker. Days, sessions and hours are UTC.",
  connecting: "connecting…", connected: "live", disconnected: "DISCONNECTED",
  disconnected_text: "DISCONNECTED: the server does not answer. The figures below are from before.",
  since: "since", ago: "ago", stale: "stale", no_store: "The service answers, but its store cannot be read.",
  free: "free", held_by: "held by", expires: "expires", never: "never", changed: "last change",
  last_alert: "Last alert", alerts: "Alerts received", none_yet: "none", total: "total", equity_now: "Equity",
  drawdown: "Drawdown", now: "now", max: "max", open_now: "Open", open_r: "open R", ready: "Service",
  is_ready: "ready", not_ready: "NOT READY", unknown: "unknown",
  fresh: "active", quiet: "quiet", silent: "silent", engine_none: "never seen", no_engines: "No engine is configured.",
  sink: "Delivery", pending: "pending", dead: "refused", error: "error", ok: "ok", check: "Check",
  check_store: "store", check_journal: "journal.md", check_disk: "disk", check_outbox: "delivery lag",
  no_alerts: "No alert yet.", no_match: "No alert matches the filter.", shown: "shown of", left_out: "{n} more came at once and are in /api/events",
  price: "price", qty: "qty", risk: "risk", reason: "Reason", why: "Why", details: "Received",
  opened: "opened", recorded: "recorded", closed: "closed", updated: "marked", ignored: "ignored", duplicate: "duplicate",
  locked: "locked out", rejected: "rejected", invalid: "invalid", guarded: "guarded", paused: "paused", bar: "bar",
  side: "Side", entry: "Entry", stop: "Stop", mark: "Mark", live_r: "R", pnl: "PnL", age: "Age", size: "Quantity",
  no_open: "No open trade.", no_mark: "no mark", no_closed: "No closed trade yet.",
  ledger_silent: "The ledger (perf) does not answer. Alerts are still being recorded.",
  ledger_key: "From another machine these figures need the operator's key.", give_key: "Give the key",
  ledger_old: "Figures from before.", date: "Date", depth: "Below the peak", figures: "The chart's figures", trades: "Trades", days_utc: "UTC days",
  day: "Day", wins: "winners", from_r: "from", to_r: "to", less: "below", or_more: "and more",
  equity_alt: "Equity curve from {from} to {to}, from {first} to {last}; maximum drawdown {dd}.",
  histogram_alt: "{n} closed trades by R multiple; most often {best}.",
  calendar_alt: "PnL by day: {n} days, best {best}, worst {worst}.",
  candles_alt: "Candles of {symbol} at {tf}: {n} candles, the last at {last}.",
  reset_what: "Frees the lock held by {who}. Open virtual trades stay open.", nobody: "nobody",
  reset_do: "Free the lock", pause_what: "New entries are refused, nothing is closed. It survives restarts.",
  pause_do: "Pause", resume_what: "Entries are accepted again.", resume_do: "Resume",
  confirm_what: "Confirms an item of the checklist:", confirm_do: "Confirm", item: "Item",
  scope: "Scope", everything: "everything", minutes: "Minutes (empty: until resumed)", pause_reason: "Reason",
  wrong_key: "The operator's key was refused. Check it and try again.", failed: "Failed: {why}", no_answer: "the server does not answer",
  done_reset: "The lock is free.", done: "Done.", guards_absent: "This service has no guards configured.",
  not_paused: "Nothing is paused.", paused_scope: "Paused", until: "until", until_resumed: "until resumed", by: "by",
  guard: "Guard", state: "State", blocks: "BLOCKS", warns: "warns", allows: "open", account: "account",
  today: "Today", lag: "lag", rules: "Rules in force", losses_in_row: "Losses in a row", checklist: "Checklist", confirmed: "confirmed", missing: "to confirm",
  kpi: "Figures", groups: "Results by", session: "Session", hour: "Hour", weekday: "Weekday", status: "Status",
  status_open: "open", status_closed: "closed", newer: "Newer", older: "Older", export: "Export",
  token: "The ledger's token", token_use: "Show", token_why: "From another machine the ledger asks for its token (kept in this tab only).",
  token_wrong: "The token was refused.", expectancy: "Expectancy", payoff: "Payoff", profit_factor: "Profit factor", winrate: "Winners",
  rolling: "Expectancy, last {n}", avg_win: "Average win", avg_loss: "Average loss", dd_max: "Maximum drawdown",
  dd_now: "Drawdown now", dd_longest: "Longest time below a peak", dd_recovery: "Recovery of the deepest",
  not_recovered: "not yet", mae_winners: "MAE of winners (mean, max)", mfe_losers: "MFE of losers (mean, max)",
  closed_trades: "Closed trades", pnl_total: "Realised PnL", exit: "Exit", mae: "MAE", mfe: "MFE", trade: "Trade", closed_at: "Closed",
  opened_at: "Opened", no_trades: "No trade.", at_risk: "Open risk", group: "Group", count: "Count", export_failed: "The export failed: {why}",
};

const words = document.documentElement.lang === "fr" ? fr : en;

/** The words for a key, with `{names}` filled in. */
export function t(key, values = {}) {
  const found = words[key];
  if (found === undefined) throw new Error(`no words for ${key}`);
  return found.replace(/\{(\w+)\}/g, (_, name) => String(values[name]));
}

/** The words for something the server named, or its own name when this page does not know it. */
export const named = (key, prefix = "") => words[prefix + key] ?? String(key);

/** Put the words into what the page's HTML marks with `data-t`. */
export function translate() {
  for (const node of document.querySelectorAll("[data-t]")) node.textContent = t(node.dataset.t);
}
