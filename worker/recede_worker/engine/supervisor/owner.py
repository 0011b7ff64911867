"""The owner of a job: identifies a process, so that its death can be detected after a crash."""

from __future__ import annotations

import os
import socket
from dataclasses import dataclass

import psutil

_SEPARATOR = "|"


@dataclass(frozen=True)
class Owner:
    """Host, boot and process; a process number used again is another owner."""

    host: str
    boot: int
    pid: int
    started: int

    def __str__(self) -> str:
        """As it is stored."""
        return _SEPARATOR.join([self.host, str(self.boot), str(self.pid), str(self.started)])

    @staticmethod
    def here() -> Owner:
        """This process."""
        process = psutil.Process(os.getpid())
        return Owner(_host(), _boot(), process.pid, _centiseconds(process.create_time()))

    @staticmethod
    def parse(text: str) -> Owner | None:
        """The owner that `str` wrote; None for any other text."""
        parts = text.split(_SEPARATOR)
        if len(parts) != 4:
            return None
        host, boot, pid, started = parts
        return Owner(host, int(boot), int(pid), int(started))

    def is_dead(self) -> bool:
        """True only if this machine can know that the process is gone."""
        if self.host != _host():
            return False
        if self.boot != _boot():
            return True
        try:
            process = psutil.Process(self.pid)
            return _centiseconds(process.create_time()) != self.started
        except psutil.NoSuchProcess:
            return True


def _host() -> str:
    return socket.gethostname()


def _boot() -> int:
    return round(psutil.boot_time() / 10)  # the boot time drifts by a second or two


def _centiseconds(moment_s: float) -> int:
    return round(moment_s * 100)
