"""An S3 store on loopback: moto's server (https://docs.getmoto.org) speaks Amazon's API, in a process of its own."""

from __future__ import annotations

import re
import subprocess
import sys
import threading
import urllib.request
from types import TracebackType

KEYS = {"AWS_ACCESS_KEY_ID": "key", "AWS_SECRET_ACCESS_KEY": "secret", "AWS_DEFAULT_REGION": "us-east-1"}


class S3:
    """`with S3() as store:` answers at `store.url` until the block ends; clients need KEYS in their environment."""

    def __enter__(self) -> S3:
        command = [sys.executable, "-P", "-m", "moto.server", "-H", "127.0.0.1", "-p", "0"]
        self.process = subprocess.Popen(command, stderr=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True)
        assert self.process.stderr
        for line in self.process.stderr:
            if found := re.search(r"Running on (http://\S+)", line):
                self.url = found[1]
                self.unread = threading.Thread(target=self._unread, daemon=True)
                self.unread.start()
                return self
        raise AssertionError("moto's server did not start")

    def bucket(self, name: str) -> str:
        """A new bucket; returns its address."""
        request = urllib.request.Request(f"{self.url}/{name}", method="PUT")
        urllib.request.urlopen(request, timeout=10).close()
        return f"s3://{name}"

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.process.kill()
        self.process.wait()
        self.unread.join()

    def _unread(self) -> None:
        """It writes a line for each request: nobody reads them, and a full pipe would stop it."""
        assert self.process.stderr
        with self.process.stderr as pipe:
            for _ in pipe:
                pass
