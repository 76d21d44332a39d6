"""The slow tests, most of them long searches for a false proof: run where what they try has changed
since they last found nothing, and in CI always. `.ci/slow.py ARGUMENTS-OF-PYTEST`"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from genmath._imports import closure, fingerprint  # noqa: E402

NOTE = ROOT / ".cache" / "slow"


def key() -> str:
    tests = [f for f in ROOT.glob("tests/**/test_*.py") if "mark.slow" in f.read_text("utf-8")]
    return fingerprint(closure([*tests, *ROOT.glob("docs/examples/*.py")], ROOT), ROOT)


def main(arguments: list[str]) -> int:
    now = key()
    if NOTE.is_file() and NOTE.read_text() == now and not os.environ.get("CI"):
        print("slow tests: left out, since nothing they try has changed; rm .cache/slow runs them")
        return 0
    command = [sys.executable, "-m", "pytest", "-n", "auto", "--dist", "worksteal", "-m", "slow"]
    status = subprocess.run([*command, "--ignore", "tests/site", *arguments], cwd=ROOT).returncode
    if status == 5 and arguments:  # what was asked for has no slow test
        return 0
    if status == 0 and not arguments:
        NOTE.parent.mkdir(exist_ok=True)
        NOTE.write_text(now)
    return status


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
