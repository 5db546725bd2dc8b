"""What all pages have in common. A page's file says what is its own, in lines of `name: value`, then its content."""

from __future__ import annotations

NAV = (("/dash", "dashboard", "Dashboard"), ("/journal", "journal", "Log book"))
"""Pages of one service that lead to each other: address, word, its English."""
CHARTS = "vendor/uplot/uPlot"


def whole(shell: str, page: str) -> str:
    """The page in the shell, still with its `$names`.

    Lines: `title`, `heading` (HTML), `script` (below js/), `styles` (besides app.css), `charts` (yes), `nav` (which of
    NAV it is).
    """
    said, _, content = page.partition("\n\n")
    own = dict(line.split(": ", 1) for line in said.splitlines())
    charts = own.get("charts") == "yes"
    styles = [*([f"{CHARTS}.min.css"] if charts else []), "app.css", *own.get("styles", "").split()]
    parts = {
        "title": own["title"],
        "heading": own["heading"],
        "script": own["script"],
        "styles": _lines('<link rel="stylesheet" href="/ui/$version/{}">', styles),
        "charts": _lines('<script src="/ui/$version/{}" defer></script>', [f"{CHARTS}.iife.min.js"] if charts else []),
        "nav": _nav(own["nav"]) if "nav" in own else "",
        "content": content,
    }
    for name, text in parts.items():
        shell = shell.replace(f"<!-- {name} -->", text)
    return shell


def _lines(pattern: str, names: list[str]) -> str:
    return "\n  ".join(pattern.format(name) for name in names)


def _nav(here: str) -> str:
    current = ' aria-current="page"'
    links = [
        f'<a href="{path}"{current if path == here else ""} data-t="{word}">{said}</a>' for path, word, said in NAV
    ]
    return f'<nav aria-label="pages" data-t-label="pages">{" ".join(links)}</nav>'
