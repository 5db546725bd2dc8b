"""cgminer's configuration file: flat JSON, where every value is a text and a switch is true."""

from __future__ import annotations

import json

from roles.miner.config import Config

Options = dict[str, str | bool]


def gekko_options(c: Config) -> Options:
    """What the inventory says about sticks, and any other option that it names. The program must offer all of them."""
    found: Options = {f"gekko-{kind}-freq": f"{mhz:g}" for kind, mhz in c.frequency.items()}
    numbers = {
        "start-freq": c.start_freq, "step-freq": c.step_freq, "step-delay": c.step_delay, "tune-up": c.tune_up,
        "tune-down": c.tune_down, "tune2": c.tune2, "wait-factor": c.wait_factor,
    }  # fmt: skip
    found |= {f"gekko-{name}": f"{value:g}" for name, value in numbers.items() if value is not None}
    found |= {"gekko-serial": ",".join(c.serials)} if c.serials else {}
    return found | c.options


def conf(c: Config) -> str:
    """The file's text. It holds the pools' passwords."""
    pools = [{"url": p.url, "user": p.user, "pass": p.password.get_secret_value()} for p in c.pools]
    api: Options = {"api-listen": True, "api-host": c.api_listen, "api-port": str(c.api_port)}
    api |= {"api-allow": ",".join(c.api_allow)}
    rest: Options = {"hotplug": str(c.hotplug), "log": str(c.log_interval), **gekko_options(c)}
    return json.dumps({"pools": pools, **api, **rest}, indent=2) + "\n"
