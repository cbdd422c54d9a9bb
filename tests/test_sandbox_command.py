"""The command `tap-afas-sandbox`."""

from __future__ import annotations

import json
import signal
import socket
import subprocess
import sys
import urllib.request

import pytest

from tap_afas.sandbox import __main__ as command

_RUN = [sys.executable, "-m", "tap_afas.sandbox", "--port", "0", "--scale", "0.01"]


@pytest.mark.skipif(sys.platform == "win32", reason="a test can't press Ctrl-C there")
def test_it_tells_how_to_reach_it_and_stops_at_ctrl_c() -> None:
    pytest.importorskip("faker")
    with subprocess.Popen(_RUN, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert process.stdout
        lines: list[str] = []
        while not lines or not lines[-1].startswith("{"):
            line = process.stdout.readline()
            assert line, process.communicate()
            lines.append(line)
        config = json.loads(lines[-1])
        assert config["token"].startswith("<token>")
        root = config["base_url"].removesuffix("/ProfitRestServices")
        with urllib.request.urlopen(f"{root}/sandbox/status") as answer:  # noqa: S310 - this machine's own address
            assert sum(json.load(answer)["rows"].values()) > 0
        process.send_signal(signal.SIGINT)
        _, errors = process.communicate(timeout=20)
    assert (process.returncode, errors) == (0, "")


def test_a_port_in_use(capsys: pytest.CaptureFixture[str]) -> None:
    pytest.importorskip("faker")
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = str(taken.getsockname()[1])
        assert command.main(["--port", port, "--scale", "0.01"]) == 1
    assert capsys.readouterr().err.startswith(f"Can't listen on 127.0.0.1:{port}: ")


def test_without_faker(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setitem(sys.modules, "faker", None)
    for name in [name for name in sys.modules if name.startswith("tap_afas.sandbox.data")]:
        monkeypatch.delitem(sys.modules, name)
    assert command.main(["--port", "0", "--scale", "0.01"]) == 1
    assert "pip install 'tap-afas[sandbox]'" in capsys.readouterr().err
