"""What must never be committed, and what the README promises."""

import json
import re
import subprocess
from pathlib import Path

ROOT = Path(__file__).parent.parent.parent.parent


def tracked() -> list[Path]:
    listed = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True)
    return [ROOT / line for line in listed.stdout.splitlines() if (ROOT / line).is_file()]


def test_python_locks_carry_hashes_and_no_addresses() -> None:
    for lock in ROOT.glob("requirements*.txt"):
        text = lock.read_text()
        assert "://" not in text, lock
        names = re.findall(r"^[a-z0-9].*==", text, re.MULTILINE)
        assert names
        assert text.count("--hash=sha256:") >= len(names)


def test_the_client_lock_carries_hashes_and_no_addresses() -> None:
    lock = json.loads((ROOT / "web/client/package-lock.json").read_text())
    packages = {name: package for name, package in lock["packages"].items() if name}
    assert all("resolved" not in package for package in packages.values())
    assert all("integrity" in package for package in packages.values() if not package.get("inBundle"))


def test_no_machine_path_and_no_secret_is_committed() -> None:
    words = ["/" + "root/", "/" + "work/", "sk_" + "live_4", "BEGIN " + "PRIVATE KEY", "BEGIN " + "RSA PRIVATE"]
    for file in tracked():
        if file.suffix in {".png", ".woff2", ".ico"}:
            continue
        text = file.read_text(errors="replace")
        assert not [word for word in words if word in text], file


def test_every_module_says_in_its_first_line_what_it_owns() -> None:
    rooms = ("app", "core", "people", "signaling", "media", "billing", "matching", "web", "sandbox", "migrations")
    for file in tracked():
        if file.suffix == ".py" and file.relative_to(ROOT).parts[0] in rooms and file.stat().st_size:
            assert file.read_text().startswith(('"""', 'r"""')), file


def test_the_commands_of_the_readme_exist() -> None:
    readme = (ROOT / "README.md").read_text()
    for name in ("run", "test", "bench"):
        assert f"./{name}" in readme
        assert (ROOT / name).stat().st_mode & 0o111
    for link in re.findall(r"\]\(([^)#:]+)\)", readme):
        assert (ROOT / link).exists(), link


def test_our_own_code_is_never_mocked() -> None:
    forbidden = re.compile(r'unittest\.mock|monkeypatch\.setattr\((?!"sys\.stdin")|mocker\.|@patch\b')
    for file in (ROOT / "tests").rglob("*.py"):
        if file.name != Path(__file__).name:
            assert not forbidden.search(file.read_text()), file
