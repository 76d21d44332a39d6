"""Bring the verdicts that the site shows up to date: python docs/_site/verdicts.py

Runs `genmath check --mutants --json` over the chapters whose recorded verdicts are missing or
belong to another text of the chapter or of the checker: over all at once, so that no core waits
for the end of a chapter. Building a page never runs it.
"""

from __future__ import annotations

import json
import subprocess
import sys
import time

from results import stale_topics, verdict_file


def main() -> int:
    topics = stale_topics()
    if not topics:
        return 0
    began = time.perf_counter()
    command = [sys.executable, "-m", "genmath.cli", "check", *topics, "--mutants", "--json"]
    command += ["--timeout", "600"]  # against a runaway
    run = subprocess.run(command, stdout=subprocess.PIPE, text=True)
    if run.returncode not in (0, 1):
        return run.returncode
    document = json.loads(run.stdout)
    failed = [report["name"] for report in document["derivations"] if not report["ok"]]
    for topic in topics:
        reports = [each for each in document["derivations"] if each["topic"] == topic]
        if all(report["ok"] for report in reports):
            verdict_file(topic).parent.mkdir(parents=True, exist_ok=True)
            text = json.dumps({**document, "derivations": reports}, ensure_ascii=False, indent=1)
            verdict_file(topic).write_text(text, "utf-8")
    for name in failed:
        print(f"{name}: not as claimed; run genmath check {name} --mutants", file=sys.stderr)
    print(f"verdicts of {', '.join(topics)}: {time.perf_counter() - began:.0f} s")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
