"""Asks OpenAI for a session's draft: Responses API, streamed, with a typed schema. Imports slowly: import it late.

Source: https://platform.openai.com/docs/api-reference/responses-streaming. Nothing of the answer but the draft leaves
this module: a server's message can quote what it was sent, the key too.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import openai
from httpx2 import HTTPError, TimeoutException
from pydantic import BaseModel, Field, ValidationError

from runtime import clock
from runtime.journal.settings import ModelSettings

Progress = Callable[[int], None]
Say = Callable[[str], None]
LONGEST_WAIT = 60.0
"""Seconds: a server that wants us to wait longer is answered with an entry made without it."""


class Draft(BaseModel):
    """A session as the model writes it; items are lines of Markdown without a bullet."""

    objectifs: list[str] = Field(description="What the session was to achieve")
    actions: list[str] = Field(description="What was done, in order, results and corrected mistakes included")
    decisions: list[str] = Field(description="What was decided, chosen or ruled out, with the reason when it is said")
    commandes: list[str] = Field(
        description="Marks of code blocks worth keeping, in order; or single commands, verbatim"
    )
    points_ouverts: list[str] = Field(description="What remains to be done, verified or decided")


class ModelError(Exception):
    """No draft. `reason` is a word of runtime.journal.wording; `wait` the seconds after which asking again may help, or
    None when it cannot.
    """

    def __init__(self, reason: str, wait: float | None = None, detail: str = "") -> None:
        super().__init__(reason)
        self.reason, self.wait, self.detail = reason, wait, detail


def ask(settings: ModelSettings, instructions: str, text: str, progress: Progress, say: Say) -> Draft:
    """The draft. Asks again when that can help, as late as the server wants. Raises ModelError."""
    for tried in range(settings.retries + 1):
        try:
            return _once(settings, instructions, text, progress)
        except ModelError as error:
            wait = None if error.wait is None else max(error.wait, _backoff(tried))
            if wait is None or wait > LONGEST_WAIT or tried == settings.retries:
                raise
            say(f"{_told(error.reason)}; asking again in {wait:.0f} s ({tried + 1} of {settings.retries})")
            time.sleep(wait)
    raise AssertionError("the loop returns or raises")


def _once(settings: ModelSettings, instructions: str, text: str, progress: Progress) -> Draft:
    until = clock.steady() + settings.timeout
    client = openai.OpenAI(
        api_key=settings.key.reveal(),
        base_url=settings.base_url,
        timeout=openai.Timeout(settings.timeout, connect=min(10.0, settings.timeout)),
        max_retries=0,  # the waiting is done above, where a person is told of it
    )
    with client, _failures():
        manager = client.responses.stream(
            model=settings.model, instructions=instructions, input=text, text_format=Draft, store=False
        )
        with manager as stream:
            return _read(stream, until, progress)


def _read(stream: Any, until: float, progress: Progress) -> Draft:
    length = 0
    for event in stream:
        if clock.steady() > until:
            raise ModelError("slow")
        if event.type == "response.output_text.delta":
            length += len(event.delta)
            progress(length)
        elif event.type.startswith("response.refusal"):
            raise ModelError("refusal")
        elif event.type == "response.incomplete":
            reason = getattr(event.response.incomplete_details, "reason", None)
            raise ModelError("refusal" if reason == "content_filter" else "broken", None, f"incomplete: {reason}")
        elif event.type in ("response.failed", "error"):
            raise ModelError("down", 0.0)
        elif event.type == "response.completed":
            return _draft(event.response.output_parsed)
    raise ModelError("broken", 0.0, "the stream ended early")


def _draft(found: Draft | None) -> Draft:
    if found is None or not any(item.strip() for items in found.model_dump().values() for item in items):
        raise ModelError("broken", 0.0, "the answer is empty")
    return found


@contextmanager
def _failures() -> Iterator[None]:
    """The client's exceptions as ours, without their text."""
    try:
        yield
    except (openai.APITimeoutError, TimeoutException):
        raise ModelError("slow") from None
    except openai.APIConnectionError:
        raise ModelError("offline", None) from None
    except (openai.AuthenticationError, openai.PermissionDeniedError):
        raise ModelError("refused-key") from None
    except openai.RateLimitError as error:
        spent = error.code == "insufficient_quota"
        raise ModelError("no-credit" if spent else "busy", None if spent else _retry_after(error)) from None
    except openai.APIStatusError as error:
        again = error.status_code >= 500 or error.status_code in (408, 409)
        detail = f"HTTP {error.status_code}"
        raise ModelError("down" if again else "request", _retry_after(error) if again else None, detail) from None
    except (ValidationError, ValueError, openai.OpenAIError):
        raise ModelError("broken", 0.0, "not what was asked for") from None
    except (RuntimeError, AssertionError, TypeError, AttributeError):  # the client's own, on events it did not expect
        raise ModelError("broken", 0.0, "the stream makes no sense") from None
    except (HTTPError, OSError):  # cut off amid the answer
        raise ModelError("offline", 0.0) from None


def _retry_after(error: openai.APIStatusError) -> float:
    """Seconds; a date is answered with our own backoff."""
    try:
        return max(float(error.response.headers.get("retry-after", "0")), 0.0)
    except ValueError:
        return 0.0


def _backoff(tried: int) -> float:
    return min(2.0**tried, 20.0) * random.uniform(0.5, 1.0)  # noqa: S311 - spreads requests, guards nothing


def _told(reason: str) -> str:
    words = {"busy": "OpenAI limits requests", "down": "OpenAI is down", "broken": "the answer was unusable"}
    return words.get(reason, "OpenAI cannot be reached")
