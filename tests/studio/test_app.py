"""Who may come in, what the command line refuses, what the studio's process does not load."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from engines.errors import InvalidRequest
from studio.app import choose_host, is_public, login_from_environment, main


def test_other_computers_are_refused_without_a_login(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("GRADIO_SERVER_NAME", raising=False)
    with pytest.raises(InvalidRequest) as caught:
        choose_host("0.0.0.0", has_login=False, forced=False)
    assert caught.value.field == "host"
    assert "FRAMEWRIGHT_LOGIN=name:password" in caught.value.fix


def test_a_login_or_force_opens_the_door(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("GRADIO_SERVER_NAME", raising=False)
    assert choose_host("0.0.0.0", has_login=True, forced=False) == "0.0.0.0"
    assert choose_host("0.0.0.0", has_login=False, forced=True) == "0.0.0.0"
    assert choose_host(None, has_login=False, forced=False) == "127.0.0.1"


def test_a_hosting_service_counts_as_forced_but_not_for_another_address(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GRADIO_SERVER_NAME", "0.0.0.0")
    assert choose_host(None, has_login=False, forced=False) == "0.0.0.0"
    with pytest.raises(InvalidRequest):
        choose_host("192.168.0.7", has_login=False, forced=False)


def test_strangers_share_a_studio_only_where_they_can_reach_it_without_a_login(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("GRADIO_SERVER_NAME", raising=False)
    monkeypatch.delenv("SPACE_ID", raising=False)
    assert not is_public("127.0.0.1", has_login=False)
    assert is_public("0.0.0.0", has_login=False)
    assert not is_public("0.0.0.0", has_login=True)
    monkeypatch.setenv("SPACE_ID", "anna/framewright")
    assert is_public("127.0.0.1", has_login=False)


def test_a_login_without_a_colon_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FRAMEWRIGHT_LOGIN", "anna")
    with pytest.raises(InvalidRequest) as caught:
        login_from_environment()
    assert "name:password" in caught.value.fix
    monkeypatch.setenv("FRAMEWRIGHT_LOGIN", "anna:se:cret")
    assert login_from_environment() == ("anna", "se:cret")


def test_an_unwritable_home_ends_with_a_message(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "file").write_text("not a folder", encoding="utf-8")
    monkeypatch.setenv("FRAMEWRIGHT_HOME", str(tmp_path / "file" / "home"))
    with pytest.raises(SystemExit) as caught:
        main([])
    assert caught.value.code == 2
    assert "FRAMEWRIGHT_HOME" in capsys.readouterr().err


def test_the_page_is_built_without_torch(tmp_path: Path) -> None:
    code = (
        "import sys\n"
        "from pathlib import Path\n"
        "from studio.app import import_gradio_offline, prepare_environment\n"
        "home = Path(sys.argv[1])\n"
        "prepare_environment(home)\n"
        "import_gradio_offline()\n"
        "from studio.jobs.queue import JobQueue\n"
        "from studio.page import build_page\n"
        "build_page(JobQueue(home))\n"
        "heavy = {'torch', 'diffusers', 'transformers'} & set(sys.modules)\n"
        "raise SystemExit(f'loaded: {heavy}' if heavy else 0)\n"
    )
    environment = {name: value for name, value in os.environ.items() if name != "HF_HUB_OFFLINE"}
    command = [sys.executable, "-c", code, str(tmp_path)]
    finished = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=120, check=False)
    assert finished.returncode == 0, finished.stderr
