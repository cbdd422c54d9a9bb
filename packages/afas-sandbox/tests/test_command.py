"""The command `afas-sandbox`."""

from __future__ import annotations

import json
import signal
import socket
import subprocess
import sys
import urllib.request

import pytest

from afas_sandbox import Options, Sandbox
from afas_sandbox import __main__ as command

_RUN = [sys.executable, "-m", "afas_sandbox", "--port", "0", "--scale", "0.01"]


@pytest.mark.slow
@pytest.mark.skipif(sys.platform == "win32", reason="a test can't press Ctrl-C there")
def test_it_tells_how_to_reach_it_and_stops_at_ctrl_c() -> None:
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
        _, errors = process.communicate(timeout=100)
    assert (process.returncode, errors) == (0, "")


def test_any_option_by_its_name(monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[Sandbox] = []

    def look(sandbox: Sandbox) -> None:
        made.append(sandbox)
        raise KeyboardInterrupt

    monkeypatch.setattr(command, "_tell", look)
    options = ["stamp_unit=minute", 'padded={"ItemCode": 10}', "take_cap=101", "date_offset=null", "display=cut"]
    arguments = ["--port", "0", "--scale", "0.01", "--language", "en"]
    assert command.main([*arguments, *(part for option in options for part in ("--option", option))]) == 0
    assert made[0].options == Options(
        stamp_unit="minute",
        padded={"ItemCode": 10},
        take_cap=101,
        date_offset=None,
        display="cut",
        language="en",
    )


@pytest.mark.parametrize(
    ("option", "said"),
    [
        ("nope=1", "the sandbox has no option 'nope'"),
        ("padded={Code: 5}", "padded is not JSON: {Code: 5}"),
    ],
)
def test_an_option_that_is_not_there(option: str, said: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as stopped:
        command.main(["--option", option])
    assert stopped.value.code == 2
    assert said in capsys.readouterr().err


def test_an_option_that_makes_no_sense(capsys: pytest.CaptureFixture[str]) -> None:
    assert command.main(["--port", "0", "--scale", "0.01", "--option", "stamp_unit=minutes"]) == 1
    assert capsys.readouterr().err == (
        "An option that makes no sense: stamp_unit is one of second, minute, hour, day, not 'minutes'\n"
    )


def test_a_port_in_use(capsys: pytest.CaptureFixture[str]) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = str(taken.getsockname()[1])
        assert command.main(["--port", port, "--scale", "0.01"]) == 1
    assert capsys.readouterr().err.startswith(f"Can't listen on 127.0.0.1:{port}: ")
