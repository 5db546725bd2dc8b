"""What a remote's refusal means, in one message with what to do. Texts are OpenSSH's, git's and GitHub's own."""

from __future__ import annotations

import re
from typing import NamedTuple

from runtime.journal.git import Done, VcsError


class _Sign(NamedTuple):
    code: str
    text: str
    message: str
    hint: str


AGAIN = frozenset({"offline", "timeout", "locked", "race", "disk-full", "busy", "remote"})
"""Kinds of trouble that pass by themselves."""

_PAGE = "show it and where to put it: ./inv github.check"
_SIGNS = (
    _Sign("host-key-changed", "REMOTE HOST IDENTIFICATION HAS CHANGED",
          "{url} shows another host key than before", "somebody may be listening; compare it: ./inv github.check"),
    _Sign("host-key-unknown", "Host key verification failed|No .* host key is known",
          "the host key of {url} is not known here", "./inv github.check says which keys GitHub publishes"),
    _Sign("key-refused", r"Permission denied \(publickey|Permission denied, please|Too many authentication failures",
          "{url} refuses this machine's SSH key", _PAGE),
    _Sign("key-missing", "no such identity|Load key .*: No such file", "this machine's SSH key is missing", _PAGE),
    _Sign("read-only", "marked as read only|Write access to repository not granted|denied to ",
          "{url} lets this key read, but not write", "give the deploy key write access: ./inv github.check"),
    _Sign("protected", "GH006|[Pp]rotected branch|protected branch hook declined",
          "{url} protects this branch: nobody pushes to it directly",
          "allow it in the repository's settings (Branches), or set another branch"),
    _Sign("secret-refused", "GH013|[Pp]ush cannot contain secrets|secret-scanning",
          "{url} found a secret in what was to be pushed", "./inv journal.scrub --history, rotate what it finds"),
    _Sign("hook", "pre-receive hook declined|hook declined|repository rule violations",
          "{url} declined the push: {said}", "its owner knows the rule"),
    _Sign("not-found", "Repository not found|does not appear to be a git repo|repository '.*' not found|error: 404",
          "{url}: no such repository, or this key may not see it", "check the name and the key: ./inv github.check"),
    _Sign("https", "could not read Username|terminal prompts disabled|Password authentication|Authentication failed|"
          "Invalid username or (password|token)|returned error: 40[13]",
          "{url} wants a password, and nobody is there to type one", "use SSH: ./inv github.setup"),
    _Sign("offline", "Could not resolve host|Temporary failure in name resolution|Name or service not known|"
          "Network is unreachable|No route to host|Connection timed out|Operation timed out|Connection refused|"
          "Connection reset|Connection closed|Broken pipe|timed out|Failed to connect|kex_exchange_identification|"
          "unexpected disconnect|hung up unexpectedly|early EOF",
          "{url} cannot be reached now: {said}", "it is tried again by itself; the log book is committed here"),
    _Sign("disk-full", "No space left on device", "no room left on {url}, or here", "free some space"),
    _Sign("race", r"\[rejected\]|\[remote rejected\].*(lock ref|failed to update)|fetch first|non-fast-forward",
          "somebody else pushed to {url} at the same moment", "it is tried again by itself"),
)  # fmt: skip


def explained(done: Done, url: str) -> VcsError:
    """Why a git that talked to `url` failed."""
    text = done.err + "\n" + done.out.decode(errors="replace")
    for sign in _SIGNS:
        if re.search(sign.text, text):
            return VcsError(sign.message.format(url=url, said=_said(text)), sign.hint, sign.code)
    return VcsError(f"{url}: {_said(text) or f'exit status {done.code}'}", "./inv github.check", "remote")


def _said(text: str) -> str:
    """The line that tells most: the first that complains, without git's advice."""
    lines = [line.strip() for line in text.splitlines() if line.strip() and not line.startswith(("hint:", "To "))]
    telling = [line for line in lines if re.match(r"(ssh|fatal|error|remote|kex|Connection)", line)]
    return (telling or lines or [""])[0][:200]
