"""A real MQTT broker of our own, where mosquitto is installed."""

from __future__ import annotations

import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

PROGRAM = shutil.which("mosquitto") or shutil.which("mosquitto", path="/usr/sbin")
START_S = 60.0


@contextmanager
def a_mosquitto(folder: Path) -> Iterator[int]:
    """Yield the port of a broker that takes everybody; its settings are written into `folder`."""
    process, port = _started(folder)
    try:
        yield port
    finally:
        process.terminate()
        process.wait(START_S)


def _started(folder: Path) -> tuple[subprocess.Popen[bytes], int]:
    """Return a broker that answers, and its port; where somebody else took the port first, on another one."""
    assert PROGRAM is not None
    end = time.monotonic() + START_S
    while time.monotonic() < end:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = int(probe.getsockname()[1])
        settings = folder / "mosquitto.conf"
        settings.write_text(f"listener {port} 127.0.0.1\nallow_anonymous true\n")
        process = subprocess.Popen([PROGRAM, "-c", str(settings)], stderr=subprocess.DEVNULL)
        while process.poll() is None and time.monotonic() < end:
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", port)) == 0:
                    return process, port
            time.sleep(0.01)
        process.kill()
        process.wait()
    raise RuntimeError(f"mosquitto did not answer within {START_S} s")
