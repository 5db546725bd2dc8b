"""Everything this project can do"""

from __future__ import annotations

from typing import TYPE_CHECKING

from invoke.collection import Collection
from invoke.context import Context
from invoke.exceptions import Exit

from ops.cli import task

if TYPE_CHECKING:
    from ops.chronicle import Writer

NAME = {"name": "which lab host (default: lab)"}
JSON = {"json": "one JSON object on stdout, for scripts"}


VM = {"vm": "a host of this name with a kernel of its own (QEMU), for USB and what else a container has not"}


@task(name="up", help=NAME | VM | JSON)
def lab_up(_: Context, name: str = "lab", vm: str | None = None, json: bool = False) -> None:
    """Boot a real Debian 12 machine here, making it first if there is none"""
    from ops.host_tasks import lab_urls
    from ops.lab import tasks

    tasks.lab_up(vm or name, machine=vm is not None, json=json, urls=lab_urls)


@task(name="down", help=NAME | {"all": "every lab host of this checkout"})
def lab_down(_: Context, name: str = "lab", all: bool = False) -> None:
    """Stop a lab host and remove everything of it"""
    from ops.lab import tasks

    tasks.lab_down(name, all=all)


@task(name="ssh", help=NAME | {"command": "run this instead of a shell"})
def lab_ssh(_: Context, name: str = "lab", command: str | None = None) -> None:
    """Open a shell on a lab host"""
    from ops.lab import tasks

    tasks.lab_ssh(name, command)


@task(name="info", help=NAME | JSON)
def lab_info(_: Context, name: str = "lab", json: bool = False) -> None:
    """Show how to reach a lab host and its services"""
    from ops.host_tasks import lab_urls
    from ops.lab import tasks

    tasks.lab_info(name, json=json, urls=lab_urls)


def _journal() -> Writer:
    """What runs write to: the log book beside the inventory."""
    from functools import partial

    from ops import paths
    from runtime.journal import runner

    return partial(runner.write, paths.INVENTORY.with_name("journal.md"))


HOST = {"host": "one host of inventory.yaml"}
WHICH = HOST | {"group": "every host of this group", "all": "every host that is not a lab's"}
ROLE = {"role": "only this role's resources"}


@task(help=WHICH | ROLE | JSON | {"plan": "change nothing: same as `./inv plan`", "diff": "show every diff"})
def deploy(
    _: Context,
    host: str | None = None,
    group: str | None = None,
    all: bool = False,
    role: str | None = None,
    plan: bool = False,
    diff: bool = False,
    json: bool = False,
) -> None:
    """Bring hosts to the state that inventory.yaml and their roles describe"""
    from ops import host_tasks as hosts

    chosen = hosts.selected(host, group, all)
    raise Exit(code=hosts.deploy(chosen, role=role, plan=plan, diff=diff, json=json, journal=_journal()))


@task(help=WHICH | ROLE | JSON)
def plan(
    _: Context,
    host: str | None = None,
    group: str | None = None,
    all: bool = False,
    role: str | None = None,
    json: bool = False,
) -> None:
    """Show what a deploy would change, and what drifted; changes nothing, exits 2 if anything would"""
    from ops import host_tasks as hosts

    raise Exit(code=hosts.deploy(hosts.selected(host, group, all), role=role, plan=True, diff=True, json=json))


@task(help=WHICH | JSON)
def status(
    _: Context, host: str | None = None, group: str | None = None, all: bool = False, json: bool = False
) -> None:
    """Show what runs on hosts, how it answers, and what was last deployed"""
    from ops import host_tasks as hosts

    raise Exit(code=hosts.status(hosts.selected(host, group, all), json=json))


@task(help=WHICH | {"verbose": "what is well too"} | JSON)
def doctor(
    _: Context,
    host: str | None = None,
    group: str | None = None,
    all: bool = False,
    verbose: bool = False,
    json: bool = False,
) -> None:
    """Say what is wrong here and on hosts, what it means, and the command that mends it; exits 1 if anything is"""
    from ops.doctor.run import doctor as run

    raise Exit(code=run(host, group, all, json=json, verbose=verbose))


@task(
    help=HOST
    | {"unit": "only this unit", "lines": "how many of the last lines", "follow": "go on as lines are written"},
)
def logs(_: Context, host: str | None = None, unit: str | None = None, lines: int = 50, follow: bool = False) -> None:
    """Show the log of a host's services"""
    from ops import host_tasks as hosts

    raise Exit(code=hosts.logs(hosts.selected(host, None, False)[0], unit, lines, follow))


@task(name="test", help=HOST)
def alert_test(_: Context, host: str | None = None) -> None:
    """Send a TV_TEST alert through the real endpoint and show where it went"""
    from ops import host_tasks as hosts
    from ops.alert_test import alert_test as run

    run(hosts.selected(host, None, False)[0])


@task(name="status", help=HOST | JSON)
def outbox_status(_: Context, host: str | None = None, json: bool = False) -> None:
    """Show what each sink was delivered, and what it refused; exits 1 if one fails or has dead letters"""
    from ops import host_tasks as hosts
    from ops.outbox import status as run

    raise Exit(code=run(hosts.selected(host, None, False)[0], json=json))


@task(
    name="retry", help=HOST | {"sink": "whose: journal, jsonl, perf, telegram", "id": "this one", "all": "all of them"}
)
def outbox_retry(_: Context, sink: str, host: str | None = None, id: int | None = None, all: bool = False) -> None:
    """Have dead letters of a sink sent again"""
    from ops import host_tasks as hosts
    from ops.outbox import retry as run

    letter = int(id) if id is not None else None
    raise Exit(code=run(hosts.selected(host, None, False)[0], sink, letter, all=all))


ENGINE = {"engine": "only this engine (default: everything)"}


@task(name="pause", help=HOST | ENGINE | {"minutes": "for so long (default: until resumed)", "reason": "why, as shown"})
def trading_pause(
    _: Context, host: str | None = None, engine: str | None = None, minutes: str | None = None, reason: str = ""
) -> None:
    """Let nothing open on a host; trades still close, alerts are still recorded"""
    from ops import host_tasks as hosts
    from ops import trading as tasks

    tasks.pause(hosts.selected(host, None, False)[0], engine, minutes, reason)


@task(name="resume", help=HOST | ENGINE)
def trading_resume(_: Context, host: str | None = None, engine: str | None = None) -> None:
    """End a pause"""
    from ops import host_tasks as hosts
    from ops import trading as tasks

    tasks.resume(hosts.selected(host, None, False)[0], engine)


@task(
    name="confirm",
    positional=["item"],
    help=HOST
    | ENGINE
    | {"item": "an item of a checklist, several with commas, or all", "hours": "for so long at most"},
)
def trading_confirm(
    _: Context, item: str, host: str | None = None, engine: str | None = None, hours: str | None = None
) -> None:
    """Confirm a checklist before the engine may open"""
    from ops import host_tasks as hosts
    from ops import trading as tasks

    tasks.confirm(hosts.selected(host, None, False)[0], item, engine, hours)


@task(name="guards", help=HOST | JSON)
def trading_guards(_: Context, host: str | None = None, json: bool = False) -> None:
    """Show what the guards would say to an opening now; exits 1 if an engine may not open"""
    from ops import host_tasks as hosts
    from ops import trading as tasks

    raise Exit(code=tasks.guards(hosts.selected(host, None, False)[0], json=json))


@task(name="reset", help=HOST | ENGINE)
def trading_reset(_: Context, host: str | None = None, engine: str | None = None) -> None:
    """Count trades, results and drawdown from zero, after you decided to go on"""
    from ops import host_tasks as hosts
    from ops import trading as tasks

    tasks.reset(hosts.selected(host, None, False)[0], engine)


@task(name="trust", positional=["name"], help={"name": "the host", "fingerprint": "SHA256:..., once you compared it"})
def host_trust(_: Context, name: str, fingerprint: str | None = None) -> None:
    """Trust a host's SSH key after you compared its fingerprint"""
    from ops import host_tasks as hosts

    hosts.trust(name, fingerprint)


SECRET = {"name": "the secret's name", "host": "this host's own value (default: the one for all hosts)"}


@task(name="init")
def secrets_init(_: Context) -> None:
    """Make this machine's age key and the encrypted file; once"""
    from ops import secrets_tasks as tasks

    tasks.init()


@task(name="set", positional=["name"], help=SECRET)
def secrets_set(_: Context, name: str, host: str | None = None) -> None:
    """Keep a secret, encrypted; its value is asked for, or read from a pipe"""
    from ops import secrets_tasks as tasks
    from ops.role import configs

    tasks.set_(name, host, configs=configs())


@task(name="show", positional=["name"], help=SECRET)
def secrets_show(_: Context, name: str, host: str | None = None) -> None:
    """Print a secret's value and nothing else"""
    from ops import secrets_tasks as tasks
    from ops.role import configs

    tasks.show(name, host, configs=configs())


@task(name="list")
def secrets_list(_: Context) -> None:
    """List which secrets there are, where they are used, and which are unset"""
    from ops import secrets_tasks as tasks
    from ops.role import configs

    tasks.list_(configs=configs())


@task(name="edit", help={"host": "a lab host: its throwaway secrets"})
def secrets_edit(_: Context, host: str | None = None) -> None:
    """Open all secrets in $EDITOR; they are encrypted again when it closes"""
    from ops import secrets_tasks as tasks
    from ops.role import configs

    tasks.edit(host, configs=configs())


@task(
    name="rotate",
    positional=["name"],
    help=SECRET | {"value-from-stdin": "take the new value from a pipe", "identity": "a new age key for this machine"},
)
def secrets_rotate(
    _: Context, name: str | None = None, host: str | None = None, value_from_stdin: bool = False, identity: bool = False
) -> None:
    """Replace a secret by a new one, and say where it must be deployed"""
    from ops import secrets_tasks as tasks
    from ops.role import configs

    tasks.rotate(name, host, value_from_stdin, identity, configs=configs(), journal=_journal())


LOGBOOK = {"file": "a log book (default: journal.md of this checkout)"}
IN_JSON = {"json": "JSON on stdout, for scripts"}
PASTED = {
    "title": "what the session was about",
    "paste": "a file with the conversation (default: paste it, then Ctrl-D)",
    "clipboard": "take the clipboard",
    "no-model": "by rules, without asking a model",
}


@task(name="save", positional=["title"], help=PASTED | LOGBOOK | IN_JSON)
def journal_save(
    _: Context,
    title: str,
    paste: str = "",
    clipboard: bool = False,
    file: str = "",
    no_model: bool = False,
    json: bool = False,
) -> None:
    """Save a session: paste the conversation, Ctrl-D; it becomes an entry, committed and pushed"""
    from ops.logbook import secrets
    from runtime.journal.save_commands import save

    known = secrets()
    raise Exit(code=save(title, paste, clipboard=clipboard, book=file, model=not no_model, json=json, secrets=known))


@task(name="retry", help=LOGBOOK | IN_JSON)
def journal_retry(_: Context, file: str = "", json: bool = False) -> None:
    """Finish pastes that wait, and improve entries made without a model; exits 1 while one waits"""
    from ops.logbook import secrets
    from runtime.journal.save_commands import retry

    raise Exit(code=retry(file, json=json, secrets=secrets()))


@task(name="inbox", help=LOGBOOK | IN_JSON)
def journal_inbox(_: Context, file: str = "", json: bool = False) -> None:
    """List raw pastes and what became of them"""
    from ops.logbook import secrets
    from runtime.journal.save_commands import inbox

    raise Exit(code=inbox(file, json=json, secrets=secrets()))


@task(name="lint", help=LOGBOOK | IN_JSON)
def journal_lint(_: Context, file: str = "", json: bool = False) -> None:
    """Check a log book: text outside entries, broken dates, leaked keys; exits 1 if anything is wrong"""
    from runtime.journal import commands

    raise Exit(code=commands.lint(file, json=json))


@task(name="list", help=LOGBOOK | IN_JSON | {"kind": "only session, alert, note or text"})
def journal_list(_: Context, file: str = "", kind: str | None = None, json: bool = False) -> None:
    """List the entries of a log book"""
    from runtime.journal import commands

    raise Exit(code=commands.list_(file, json=json, kind=kind))


@task(name="show", positional=["which"], help=LOGBOOK | {"which": "its line, or how its time begins: 2026-02-15"})
def journal_show(_: Context, which: str, file: str = "") -> None:
    """Show an entry, or all of a day; secrets are masked"""
    from runtime.journal import commands

    raise Exit(code=commands.show(which, file))


WANTED = {
    "kind": "only session, alert, note or text; several with commas",
    "since": "from then on: 2026-02, 2026-02-15, 2026-02-15T21:09",
    "until": "up to then, all of it",
}


@task(
    name="search",
    positional=["words"],
    help=LOGBOOK
    | IN_JSON
    | WANTED
    | {
        "words": 'all of them, whatever their accents and endings; "a phrase", a beginning: deplo*',
        "sort": "rank (the most telling first) or date (the newest first)",
        "limit": "how many",
    },
)
def journal_search(
    _: Context,
    words: str,
    file: str = "",
    kind: str | None = None,
    since: str | None = None,
    until: str | None = None,
    sort: str = "rank",
    limit: int = 20,
    json: bool = False,
) -> None:
    """Find the entries that have all these words; exits 1 if there is none"""
    from runtime.journal import commands

    raise Exit(code=commands.search(words, file, kind, since, until, json=json, sort=sort, limit=int(limit)))


@task(name="tail", help=LOGBOOK | {"count": "how many"})
def journal_tail(_: Context, file: str = "", count: int = 5) -> None:
    """Show the last entries"""
    from runtime.journal import commands

    raise Exit(code=commands.tail(file, count))


@task(name="stats", help=LOGBOOK | IN_JSON)
def journal_stats(_: Context, file: str = "", json: bool = False) -> None:
    """Count entries by kind, day and engine"""
    from runtime.journal import commands

    raise Exit(code=commands.stats(file, json=json))


@task(
    name="todo",
    help=LOGBOOK | IN_JSON | {"done": "tick off the point on this line", "all": "those that are done too"},
)
def journal_todo(_: Context, file: str = "", done: int | None = None, all: bool = False, json: bool = False) -> None:
    """List the open points of all sessions, or tick one off"""
    from runtime.journal import commands

    raise Exit(code=commands.todo(file, json=json, done=int(done) if done is not None else None, all=all))


@task(
    name="export",
    help=LOGBOOK
    | WANTED
    | {"html": "write this page", "pdf": "print to this file (needs chromium)", "title": "of the page"},
)
def journal_export(
    _: Context,
    file: str = "",
    html: str | None = None,
    pdf: str | None = None,
    kind: str | None = None,
    since: str | None = None,
    until: str | None = None,
    title: str = "",
) -> None:
    """Write the log book as one printable page, HTML or PDF; secrets are masked"""
    from runtime.journal import commands

    raise Exit(code=commands.export(file, html, pdf, kind, since, until, title))


@task(name="fix", help=LOGBOOK | IN_JSON | {"check": "change nothing; exit 2 if anything would"})
def journal_fix(_: Context, file: str = "", check: bool = False, json: bool = False) -> None:
    """Move text that stands outside entries into an entry at the end; keeps a backup"""
    from runtime.journal import commands

    raise Exit(code=commands.fix(file, check=check, json=json))


@task(
    name="scrub",
    help=LOGBOOK
    | IN_JSON
    | {
        "write": "mask them in the file, and with --history in every commit; keeps a backup",
        "history": "look at every version that Git has",
    },
)
def journal_scrub(_: Context, file: str = "", write: bool = False, history: bool = False, json: bool = False) -> None:
    """Find leaked secrets and say what to rotate; exits 2 while there are any"""
    from runtime.journal import commands

    raise Exit(code=commands.scrub(file, json=json, write=write, history=history))


@task(name="sync", help=LOGBOOK | IN_JSON)
def journal_sync(_: Context, file: str = "", json: bool = False) -> None:
    """Bring a log book to its remote and the remote's here; exits 1 if it has to wait"""
    from runtime.journal import commands, sync

    raise Exit(code=sync.command(commands.path_of(file), as_json=json))


TOKEN = {"token-from-env": "add it by GitHub's API, with the token in this variable (default: the secret, if any)"}


@task(name="setup", help=HOST | TOKEN)
def github_setup(_: Context, host: str | None = None, token_from_env: str = "") -> None:
    """Give a host its key for GitHub, and show it and where to paste it"""
    from ops import github, settings
    from ops import host_tasks as hosts

    token = settings.from_environment(token_from_env) if token_from_env else ""
    github.setup(hosts.selected(host, None, False)[0], token)


@task(name="check", help=LOGBOOK | JSON | {"host": "ask on this host (default: about this checkout)"})
def github_check(_: Context, host: str | None = None, file: str = "", json: bool = False) -> None:
    """Explain what ssh and the remote of the log book say; exits 1 if something must be done"""
    from ops import github
    from ops import host_tasks as hosts
    from runtime.journal import check, commands

    if host:
        raise Exit(code=github.check(hosts.selected(host, None, False)[0], json=json))
    raise Exit(code=check.command(commands.path_of(file), as_json=json))


@task(name="install", help=HOST | JSON | {"plan": "change nothing, show what would be done"})
def miner_install(_: Context, host: str | None = None, json: bool = False, plan: bool = False) -> None:
    """Build cgminer on a host, prove that it drives the sticks, and have it run from boot on"""
    from ops import host_tasks as hosts
    from ops import miner as mining

    chosen = hosts.selected(host, None, False)
    mining.check_role(chosen[0])
    raise Exit(code=hosts.deploy(chosen, role=mining.ROLE, plan=plan, diff=plan, json=json, journal=_journal()))


@task(name="detect", help=JSON | {"host": "a host of inventory.yaml (default: this machine)"})
def miner_detect(_: Context, host: str | None = None, json: bool = False) -> None:
    """List the sticks that are plugged in, and who uses them; exits 1 if there is none"""
    from ops import host_tasks as hosts
    from ops import miner as mining

    raise Exit(code=mining.detect(hosts.selected(host, None, False)[0] if host else None, json=json))


@task(name="status", help=HOST | JSON | {"watch": "go on until Ctrl-C"})
def miner_status(_: Context, host: str | None = None, json: bool = False, watch: bool = False) -> None:
    """Show sticks, pools, hashrate and shares, and what to do; exits 1 if something keeps it from mining"""
    from ops import host_tasks as hosts
    from ops import miner as mining

    raise Exit(code=mining.status(hosts.selected(host, None, False)[0], json=json, watch=watch))


@task(name="start", help=HOST)
def miner_start(_: Context, host: str | None = None) -> None:
    """Start cgminer"""
    from ops import host_tasks as hosts
    from ops import miner as mining

    mining.control(hosts.selected(host, None, False)[0], "start")


@task(name="stop", help=HOST)
def miner_stop(_: Context, host: str | None = None) -> None:
    """Stop cgminer until it is started again"""
    from ops import host_tasks as hosts
    from ops import miner as mining

    mining.control(hosts.selected(host, None, False)[0], "stop")


@task(name="restart", help=HOST)
def miner_restart(_: Context, host: str | None = None) -> None:
    """Restart cgminer"""
    from ops import host_tasks as hosts
    from ops import miner as mining

    mining.control(hosts.selected(host, None, False)[0], "restart")


@task(name="logs", help=HOST | {"lines": "how many of the last lines", "follow": "go on as lines are written"})
def miner_logs(_: Context, host: str | None = None, lines: int = 50, follow: bool = False) -> None:
    """Show what cgminer says; passwords of pools are not in it"""
    from ops import host_tasks as hosts
    from ops import miner as mining

    chosen = hosts.selected(host, None, False)[0]
    mining.check_role(chosen)
    raise Exit(code=hosts.logs(chosen, mining.UNIT, int(lines), follow))


@task(
    name="pools",
    help=HOST
    | JSON
    | {"switch": "work for this pool first", "enable": "this pool may be used", "disable": "this pool is left alone"},
)
def miner_pools(
    _: Context,
    host: str | None = None,
    switch: str | None = None,
    enable: str | None = None,
    disable: str | None = None,
    json: bool = False,
) -> None:
    """List pools, or switch to one, enable or disable it until cgminer restarts; exits 1 if none is alive"""
    from ops import host_tasks as hosts
    from ops import miner as mining

    verbs = {"switch": switch, "enable": enable, "disable": disable}
    raise Exit(code=mining.pools(hosts.selected(host, None, False)[0], verbs, json=json))


@task(
    name="freq",
    positional=["stick", "mhz"],
    help=HOST | JSON | {"stick": "its serial number", "mhz": "within what its chip takes"},
)
def miner_freq(_: Context, stick: str, mhz: str, host: str | None = None, json: bool = False) -> None:
    """Set a stick's frequency until cgminer restarts"""
    from ops import host_tasks as hosts
    from ops import miner as mining

    mining.freq(hosts.selected(host, None, False)[0], stick, mhz, json=json)


@task(
    name="bench",
    help=HOST
    | JSON
    | {
        "stick": "serial number of one (default: all)",
        "mhz": "frequencies to try, 300,350,400 (default: as they run)",
        "seconds": "how long for each; under a few minutes chance decides",
    },
)
def miner_bench(
    _: Context, host: str | None = None, stick: str = "", mhz: str = "", seconds: float = 300, json: bool = False
) -> None:
    """Measure how fast sticks are at some frequencies, and set back what they had"""
    from ops import host_tasks as hosts
    from ops import miner as mining

    mining.bench(hosts.selected(host, None, False)[0], stick, mhz, float(seconds), json=json)


@task(name="forget", positional=["stick"], help=HOST | JSON | {"stick": "its serial number, as miner.status shows it"})
def miner_forget(_: Context, stick: str, host: str | None = None, json: bool = False) -> None:
    """Tell the monitor that a stick was given away: it is not missed any more"""
    from ops import host_tasks as hosts
    from ops import miner as mining

    mining.forget(hosts.selected(host, None, False)[0], stick, json=json)


@task(name="rollback", help=HOST | JSON)
def miner_rollback(_: Context, host: str | None = None, json: bool = False) -> None:
    """Run the build of cgminer before this one"""
    from ops import host_tasks as hosts
    from ops import miner as mining

    mining.rollback(hosts.selected(host, None, False)[0], json=json)


@task(name="status", help=HOST | JSON)
def tunnel_status(_: Context, host: str | None = None, json: bool = False) -> None:
    """Show the public URL, what came through it lately, and whether it leads back here; exits 1 if it does not"""
    from ops import host_tasks as hosts
    from ops import tunnel

    raise Exit(code=tunnel.status(hosts.selected(host, None, False)[0], json=json))


@task(name="replay", positional=["request"], help=HOST | {"request": "its id, as tunnel.status shows it"})
def tunnel_replay(_: Context, request: str, host: str | None = None) -> None:
    """Send a request that ngrok keeps to the webhook again; an alert that was taken is known again"""
    from ops import host_tasks as hosts
    from ops import tunnel

    tunnel.replay(hosts.selected(host, None, False)[0], request)


@task(name="up", help=HOST)
def blockdag_up(_: Context, host: str | None = None) -> None:
    """Start a host's BlockDAG node, and bring back what was stopped or removed by hand"""
    from ops import blockdag
    from ops import host_tasks as hosts

    blockdag.up(hosts.selected(host, None, False)[0])


@task(name="down", help=HOST)
def blockdag_down(_: Context, host: str | None = None) -> None:
    """Stop a host's BlockDAG node; its data stays"""
    from ops import blockdag
    from ops import host_tasks as hosts

    blockdag.down(hosts.selected(host, None, False)[0])


@task(name="status", help=HOST | JSON)
def blockdag_status(_: Context, host: str | None = None, json: bool = False) -> None:
    """Show a host's BlockDAG node: container, height, peers, disk; exits 1 if something keeps it from its work"""
    from ops import blockdag
    from ops import host_tasks as hosts

    raise Exit(code=blockdag.status(hosts.selected(host, None, False)[0], json=json))


@task(name="logs", help=HOST | {"lines": "how many of the last lines", "follow": "go on as lines are written"})
def blockdag_logs(_: Context, host: str | None = None, lines: int = 50, follow: bool = False) -> None:
    """Show what a host's BlockDAG node logged"""
    from ops import blockdag
    from ops import host_tasks as hosts

    raise Exit(code=blockdag.logs(hosts.selected(host, None, False)[0], lines, follow))


@task(name="check", help=HOST | {"address": "an EVM address; nothing is connected to"} | JSON)
def blockdag_wallet_check(_: Context, host: str | None = None, address: str | None = None, json: bool = False) -> None:
    """Check an address that is mined to: its checksum, who uses it, and that the running node has it"""
    from ops import blockdag
    from ops import host_tasks as hosts

    chosen = hosts.selected(host, None, False)[0] if host else None
    raise Exit(code=blockdag.wallet_check(chosen, address, json))


CONFIG = {"config": "config.yaml of the run (docs/quant.md)"}
RUN = {
    "run_id": "name of the run's folder in reports/ (default: made of what the run is)",
    "title": "what it is, in words",
}
SERIES = {"symbol": "BTC/USDT", "tf": "timeframe: 1m, 15m, 4h, 1d"}


@task(
    name="fetch",
    help=CONFIG
    | SERIES
    | {
        "exchange": "as ccxt names it: binance, binanceusdm, bybit, bitget, okx",
        "since": "first bar, 2024-01-01",
        "until": "bars that open before it",
        "bars": "this many, up to the newest",
        "funding": "funding rates too, of a perpetual",
        "api_url": "where the exchange answers instead of its own address",
    },
)
def quant_fetch(
    _: Context,
    config: str = "",
    exchange: str = "",
    symbol: str = "",
    tf: str = "",
    since: str = "",
    until: str = "",
    bars: int = 0,
    funding: bool = False,
    api_url: str = "",
) -> None:
    """Fetch candles: what is missing, in both directions"""
    from ops import quant

    quant.run(
        "fetch", config=config, exchange=exchange, symbol=symbol, tf=tf, since=since, until=until, bars=bars or None,
        funding=funding, api_url=api_url,
    )  # fmt: skip


@task(
    name="import",
    positional=["csv"],
    help=SERIES
    | {
        "csv": "time, open, high, low, close, volume; or as TradingView, MetaTrader 4 and 5, Binance write it",
        "source": "where it is from: the name it is kept under (default: csv)",
        "config": "config.yaml, for where data is kept",
        "timezone": "of times that do not say theirs (default: UTC)",
    },
)
def quant_import(
    _: Context, csv: str, symbol: str = "", tf: str = "", source: str = "", config: str = "", timezone: str = ""
) -> None:
    """Import candles from a CSV file"""
    from ops import quant

    quant.run("importing", csv, symbol=symbol, tf=tf, source=source, config=config, timezone=timezone)


@task(name="data", help=CONFIG | JSON | {"verify": "read every file and check it against the catalogue"})
def quant_data(_: Context, config: str = "", verify: bool = False, json: bool = False) -> None:
    """Show which candles there are, with their gaps"""
    from ops import quant

    quant.run("data", config=config, verify=verify, json=json)


@task(name="backtest", help=CONFIG | RUN | JSON | {"no_journal": "write no entry into the log book"})
def quant_backtest(
    _: Context, config: str = "", run_id: str = "", title: str = "", json: bool = False, no_journal: bool = False
) -> None:
    """Run one strategy over candles, and report"""
    from ops import quant

    quant.run("backtest", config=config, run_id=run_id, title=title, json=json, no_journal=no_journal)


@task(
    name="sweep",
    help=CONFIG
    | RUN
    | JSON
    | {
        "processes": "how many at a time (default: one for each core)",
        "scheduler": "a Dask cluster instead, tcp://address:8786",
        "no_journal": "write no entry into the log book",
    },
)
def quant_sweep(
    _: Context,
    config: str = "",
    run_id: str = "",
    title: str = "",
    processes: int = 0,
    scheduler: str = "",
    json: bool = False,
    no_journal: bool = False,
) -> None:
    """Try many parameters; started again with the same run id, it goes on"""
    from ops import quant

    quant.run(
        "sweep", config=config, run_id=run_id, title=title, processes=processes or None, scheduler=scheduler, json=json,
        no_journal=no_journal,
    )  # fmt: skip


@task(name="walk", help=CONFIG | RUN | JSON | {"no_journal": "write no entry into the log book"})
def quant_walk(
    _: Context, config: str = "", run_id: str = "", title: str = "", json: bool = False, no_journal: bool = False
) -> None:
    """Walk forward: choose on the past, trade the choice on what came next"""
    from ops import quant

    quant.run("walk", config=config, run_id=run_id, title=title, json=json, no_journal=no_journal)


@task(name="check", help=CONFIG | JSON | {"strategy": "this one instead of all", "seeds": "random walks (default: 20)"})
def quant_check(_: Context, config: str = "", strategy: str = "", seeds: int = 0, json: bool = False) -> None:
    """Look for self-deception: look-ahead, luck, costs, one-bar delay, lonely peaks"""
    from ops import quant

    quant.run("check", config=config, strategy=strategy, seeds=seeds or None, json=json)


@task(name="show", positional=["run"], help=JSON | {"run": "its run id"})
def quant_show(_: Context, run: str, json: bool = False) -> None:
    """Show a run's figures"""
    from ops import quant

    quant.run("show", run, json=json)


@task(name="compare", positional=["a", "b"], help=JSON | {"a": "a run id", "b": "another"})
def quant_compare(_: Context, a: str, b: str, json: bool = False) -> None:
    """Show two runs side by side: what differs in what they are and in what came out"""
    from ops import quant

    quant.run("compare", a, b, json=json)


@task(
    name="live",
    positional=["run"],
    help=JSON
    | {"run": "its run id", "url": "of the perf service", "engine": "whose trades", "ledger": "its CSV export instead"},
)
def quant_live(_: Context, run: str, url: str = "", engine: str = "", ledger: str = "", json: bool = False) -> None:
    """Put the ledger's trades beside the backtest's"""
    from ops import quant

    quant.run("live", run, url=url, engine=engine, ledger=ledger, json=json)


@task(
    name="cluster",
    help=JSON
    | {"group": "of inventory.yaml; its hosts have the role compute", "status": "deploy nothing, show what it does"},
)
def quant_cluster(_: Context, group: str = "compute", status: bool = False, json: bool = False) -> None:
    """Deploy a scheduler and workers on a group's hosts, and say where sweeps find them"""
    from ops.cluster import cluster

    raise Exit(code=cluster(group, status=status, json=json, journal=_journal()))


@task(
    help={"only": "just pytest, with these arguments: --only 'tests/ops -k cli'"},
)
def test(_: Context, only: str = "") -> None:
    """Lint, type-check and test everything, installing what that needs"""
    from ops.testing import test as run

    run(only)


@task(help={"only": "just these: first payload noop far rivals redeploy"})
def bench(_: Context, only: str = "") -> None:
    """Measure deploys on a real host, beside pyinfra and Ansible"""
    from ops.bench import bench as run

    run(only)


@task(help={"check": "change nothing; exit 2 if anything would"})
def schema(_: Context, check: bool = False) -> None:
    """Write docs/schema from what the services take"""
    from runtime.schemas import run

    raise Exit(code=run(check=check))


lab = Collection("lab", lab_up, lab_down, lab_ssh, lab_info)
lab.__doc__ = "Lab: throwaway Debian 12 machines on this one"


host = Collection("host", host_trust)
host.__doc__ = "Hosts"

alert = Collection("alert", alert_test)
alert.__doc__ = "Alerts"

outbox = Collection("outbox", outbox_status, outbox_retry)
outbox.__doc__ = "Outbox: what alerts are delivered to"

trading = Collection("trading", trading_guards, trading_pause, trading_resume, trading_confirm, trading_reset)
trading.__doc__ = "Trading: what the guards hold back"

secrets = Collection("secrets", secrets_init, secrets_set, secrets_show, secrets_list, secrets_edit, secrets_rotate)
secrets.__doc__ = "Secrets: kept encrypted with age, never shown but by secrets.show"

journal = Collection(
    "journal", journal_save, journal_retry, journal_inbox, journal_lint, journal_list, journal_show, journal_search,
    journal_tail, journal_stats, journal_todo, journal_export, journal_fix, journal_scrub, journal_sync,
)  # fmt: skip
journal.__doc__ = "Journal: the log book"

github = Collection("github", github_setup, github_check)
github.__doc__ = "GitHub: the key of a host, and what the remote says"

miner = Collection(
    "miner", miner_install, miner_status, miner_detect, miner_start, miner_stop, miner_restart, miner_logs, miner_pools,
    miner_freq, miner_bench, miner_forget, miner_rollback,
)  # fmt: skip
miner.__doc__ = "Miner: cgminer and its sticks"

tunnel = Collection("tunnel", tunnel_status, tunnel_replay)
tunnel.__doc__ = "Tunnel: the public URL"

wallet = Collection("wallet", blockdag_wallet_check)
wallet.__doc__ = "Wallet: the address that is mined to"
blockdag = Collection("blockdag", blockdag_up, blockdag_down, blockdag_status, blockdag_logs, wallet)
blockdag.__doc__ = "BlockDAG: the node"

quant = Collection(
    "quant", quant_fetch, quant_import, quant_data, quant_backtest, quant_sweep, quant_walk, quant_check, quant_show,
    quant_compare, quant_live, quant_cluster,
)  # fmt: skip
quant.__doc__ = "Quant: candles, backtests, sweeps"

namespace = Collection(
    deploy, plan, status, doctor, logs, test, bench, schema, alert, outbox, trading, tunnel, miner, blockdag, quant,
    journal, github, host, secrets, lab,
)  # fmt: skip
namespace.__doc__ = "Project"
