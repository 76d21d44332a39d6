"""Bring the verdicts that the site shows up to date: python docs/_site/verdicts.py

Runs `genmath check --mutants --json` for every chapter whose recorded verdicts are missing or
belong to another text of the chapter or of the checker. Building a page never runs it.
"""

from __future__ import annotations

import subprocess
import sys
import time

from results import stale_topics, verdict_file


def main() -> int:
    for topic in stale_topics():
        began = time.perf_counter()
        command = [sys.executable, "-m", "genmath.cli", "check", topic, "--mutants", "--json"]
        command += ["--timeout", "600"]  # against a runaway, not against a busy machine
        run = subprocess.run(command, stdout=subprocess.PIPE, text=True)
        if run.returncode:
            print(f"{topic}: not as claimed; run genmath check {topic} --mutants", file=sys.stderr)
            return run.returncode
        verdict_file(topic).parent.mkdir(parents=True, exist_ok=True)
        verdict_file(topic).write_text(run.stdout, "utf-8")
        print(f"verdicts of {topic}: {time.perf_counter() - began:.0f} s")
    return 0


if __name__ == "__main__":
    sys.exit(main())
