"""`gcdesk train` hands over to the trainers and imports only the one that is named."""

from __future__ import annotations

import subprocess
import sys

import pytest

from gcdesk.cli.main import main


@pytest.mark.parametrize("kind", ["text", "image"])
@pytest.mark.torch
def test_the_trainers_explain_themselves(kind: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["train", kind, "--help"])
    assert ended.value.code == 0
    assert f"gcdesk train {kind}" in capsys.readouterr().out


def test_help_on_training_imports_no_torch() -> None:
    code = (
        "import sys; from gcdesk.cli.main import main\n"
        "try: main(['train', '--help'])\n"
        "except SystemExit: pass\n"
        "print('torch' in sys.modules)"
    )
    shown = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert "text" in shown
    assert shown.splitlines()[-1] == "False"


def test_an_unknown_kind_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["train", "smell"])
    assert ended.value.code == 2
    assert "smell" in capsys.readouterr().err


@pytest.mark.torch
def test_the_trainers_own_options_do_not_hide_what_runs(capsys: pytest.CaptureFixture[str]) -> None:
    """Both trainers have an option `--train`, which must not be taken for the function to call."""
    assert main(["train", "text", "--train", "no-such-file.csv"]) == 2
    assert "no-such-file.csv" in capsys.readouterr().err
