"""What `--json` writes is what the schema in the package says."""

from __future__ import annotations

import copy
import json
from pathlib import Path
from typing import Any

import jsonschema
import pytest

import genmath
from genmath.cli import workers
from genmath.proof.report import REPORT_SCHEMA
from tests.cli.command import run
from tests.cli.texts import FALSE, TRUE

SCHEMAS = {
    name: json.loads(
        (Path(genmath.__file__).parent / "schemas" / f"{name}.json").read_text("utf-8")
    )
    for name in ("check", "answer")
}
JUDGES = {name: jsonschema.Draft202012Validator(schema) for name, schema in SCHEMAS.items()}


OPEN = """\
from genmath.proof import *
a, b = positives("a b")

@derivation("A certificate is wanting")
def means(d):
    d.start((a + b) / 2)
    d.at_least(sqrt(a * b), by="hope")
"""


@pytest.fixture(scope="module")
def document(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """Steps that are proved, refuted, open, missing and out of time; mutants; a slip."""
    here = tmp_path_factory.mktemp("json")
    slow = "import genmath.proof.report as r\ndef slow(*_):\n    while True: pass\n"
    texts = {
        "false.py": FALSE,
        "gaps.py": f"{FALSE}    d.equals(..., by='a gap')\n",
        "open.py": OPEN,
        "hangs.py": f"{TRUE}{slow}r.check_derivation = slow\n",
    }
    for name, text in texts.items():
        (here / name).write_text(text, "utf-8")
    arguments = [*texts, "vae.elbo", "ddpm.forward_marginal", "--json", "--timeout", "1"]
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(workers, "GRACE", 0)
        plain = json.loads(run("check", *arguments, cwd=here).stdout)
    mutants = json.loads(run("check", "false.py", "--mutants", "--json", cwd=here).stdout)
    return {**plain, "derivations": plain["derivations"] + mutants["derivations"]}


def test_a_document_is_as_written_down(document: dict[str, Any]) -> None:
    JUDGES["check"].validate(document)
    steps = [step for d in document["derivations"] for step in d["steps"]]
    verdicts = {step["verdict"] for step in steps}
    assert verdicts == {"proved", "refuted", "open", "missing", "timeout"}
    assert any("mutants" in step for step in steps)
    assert any(d["slips"] for d in document["derivations"])


def test_every_key_is_written_down(document: dict[str, Any]) -> None:
    kinds = SCHEMAS["check"]["$defs"]
    for d in document["derivations"]:
        assert set(d) <= set(kinds["derivation"]["properties"])
        for name in ("step", "slip"):
            for each in d[f"{name}s"]:
                assert set(each) <= set(kinds[name]["properties"])


def test_a_document_that_is_otherwise_is_refused(document: dict[str, Any]) -> None:
    for path, value in ((("steps", 0, "verdict"), "true"), (("label",), "certain"), (("ok",), 1)):
        broken = copy.deepcopy(document)
        at = broken["derivations"][0]
        for key in path[:-1]:
            at = at[key]
        at[path[-1]] = value
        assert not JUDGES["check"].is_valid(broken), path


def test_lines_of_a_class_are_as_written_down(tmp_path: Path) -> None:
    (tmp_path / "task.py").write_text(TRUE, "utf-8")
    (tmp_path / "right.py").write_text(TRUE + "\n", "utf-8")
    (tmp_path / "wrong.py").write_text(TRUE.replace("p(z | x)", "p(x | z)"), "utf-8")
    (tmp_path / "other.py").write_text(FALSE, "utf-8")
    (tmp_path / "binary.py").write_bytes(b"\0\1\2\3")
    names = ["right.py", "wrong.py", "other.py", "binary.py"]
    done = run("check", *names, "--against", "task.py", "--json", cwd=tmp_path)
    lines = [json.loads(line) for line in done.stdout.splitlines()]
    assert [line["ok"] for line in lines] == [True, False, False, False]
    for line in lines:
        JUDGES["answer"].validate(line)
        assert set(line) <= set(SCHEMAS["answer"]["properties"])
        for each in line["derivations"]:
            kind = SCHEMAS["answer"]["properties"]["derivations"]["items"]["properties"]
            assert set(each) == set(kind)


def test_the_numbers_of_the_schemas() -> None:
    for schema in SCHEMAS.values():
        jsonschema.Draft202012Validator.check_schema(schema)
        assert schema["$id"].endswith(f":{REPORT_SCHEMA}")
        assert schema["properties"]["schema"] == {"const": REPORT_SCHEMA}
