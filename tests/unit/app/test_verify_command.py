"""``python -m app verify``: a file in, sentences and an exit code out, nothing else needed."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from app.cli import main
from tests.fakes.receipts import FOLDER, SIGNER

PAID = FOLDER / "paid-customer.json"
ROOT = Path(__file__).parent.parent.parent.parent


def test_a_good_receipt_holds_and_the_key_is_named_honestly(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["verify", str(PAID)]) == 0
    said = capsys.readouterr().out
    assert said.count("ok ") == 10
    assert SIGNER.key_id in said
    assert "compare it with https://example.com/api/receipt-keys" in said


def test_with_the_key_given_nothing_is_left_to_compare(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "key"
    file.write_text(SIGNER.public_key + "\n")
    for key in (SIGNER.public_key, str(file)):
        assert main(["verify", str(PAID), "--key", key]) == 0
        assert "cannot prove" not in capsys.readouterr().out


def test_another_key_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["verify", str(PAID), "--key", "A" * 43]) == 1
    assert "another key than the one you gave" in capsys.readouterr().out


def test_a_changed_cent_is_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    receipt = json.loads(PAID.read_text(encoding="utf-8"))
    receipt["lines"][0]["amount_minor"] += 1
    changed = tmp_path / "changed.json"
    changed.write_text(json.dumps(receipt))
    assert main(["verify", str(changed)]) == 1
    said = capsys.readouterr().out
    assert "line 1: the receipt says 9.31, recomputed 9.30" in said
    assert said.endswith("This receipt does not hold.\n")


def test_a_file_that_is_not_there_is_said(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["verify", str(tmp_path / "none.json")]) == 1
    assert "cannot be read" in capsys.readouterr().err


def test_it_needs_no_settings() -> None:
    bare = {"PATH": "/usr/bin:/bin", "PYTHONPATH": str(ROOT)}
    command = [sys.executable, "-m", "app", "verify", str(PAID)]
    done = subprocess.run(command, env=bare, cwd="/", capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
