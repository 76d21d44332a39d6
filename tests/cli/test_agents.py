"""The server for agents, through the package's own client, in memory and on stdin and stdout."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("mcp", reason="genmath mcp needs its extra")

from mcp import Client, StdioServerParameters

from genmath.cli import agents
from tests.cli.command import environment, run
from tests.cli.texts import FALSE, TRUE


def ask(tool: str, /, **arguments: Any) -> Any:
    async def go() -> Any:
        async with Client(agents.server) as client:
            return await client.call_tool(tool, arguments)

    return asyncio.run(go())


def said(tool: str, /, **arguments: Any) -> Any:
    found = ask(tool, **arguments)
    assert not found.is_error, found
    data = found.structured_content
    return data["result"] if set(data) == {"result"} else data


def test_a_derivation_is_checked() -> None:
    found = said("check_derivation", source=TRUE)
    assert found["ok"]
    (report,) = found["derivations"]
    assert [step["verdict"] for step in report["steps"]] == ["proved"]
    assert found["text"].startswith("ok    derivation.bayes  proved")


def test_the_kernel_is_asked_where_that_is_wanted() -> None:
    found = said("check_derivation", source=TRUE, kernel=True)
    (step,) = found["derivations"][0]["steps"]
    assert (step["verdict"], step["kernel"]["accepted"]) == ("proved", True)
    assert "kernel" not in said("check_derivation", source=TRUE)["derivations"][0]["steps"][0]


def test_a_slip_is_refuted_with_its_counterexample() -> None:
    found = said("check_derivation", source=FALSE)
    assert not found["ok"]
    assert [s["verdict"] for s in found["derivations"][0]["steps"]] == ["proved", "refuted"]
    assert "counterexample: lhs = " in found["text"]


@pytest.mark.parametrize(
    ("source", "word"),
    [
        ("x = (", "SyntaxError"),
        ("", "holds no derivation"),
        ("import os; os._exit(0)", "ended the process"),
        (f"{TRUE}\nraise SystemExit('{{}}')", "SystemExit"),
    ],
)
def test_what_is_no_derivation_is_said_in_a_line(source: str, word: str) -> None:
    found = said("check_derivation", source=source)
    assert not found["ok"]
    assert word in found["text"]
    assert "\n" not in found["text"]


def test_a_file_meets_no_checker_that_it_could_replace() -> None:
    fake = "import genmath.proof.report as r\nr.check_derivation = lambda *_, **__: {'ok': True}\n"
    assert not said("check_derivation", source=FALSE + fake)["ok"]


def test_the_book_is_searched_and_shown() -> None:
    best = said("search_results", query="evidence lower bound", most=3)
    assert len(best) == 3
    assert "vae.elbo" in {each["name"] for each in best}
    shown = said("show_result", name="vae.elbo")
    assert "Bayes' rule" in shown["steps"]
    assert shown["source"].startswith("@derivation(")
    assert "d.start(log(p(x)))" in shown["source"]
    assert said("search_results", query="xyzzy") == []


NEAR = [("vae.elbow", "did you mean 'vae.elbo'?"), ("vae", "is a topic")]


@pytest.mark.parametrize(("name", "word"), NEAR)
def test_a_name_that_is_none_says_what_is_near(name: str, word: str) -> None:
    found = ask("show_result", name=name)
    assert found.is_error
    assert word in found.content[0].text


def test_it_is_served_on_stdin_and_stdout(tmp_path: Path) -> None:
    command = StdioServerParameters(
        command=sys.executable,
        args=["-m", "genmath.cli", "mcp"],
        env=environment(),
        cwd=str(tmp_path),
    )

    async def go() -> set[str]:
        async with Client(command) as client:
            return {tool.name for tool in (await client.list_tools()).tools}

    assert asyncio.run(go()) == {"check_derivation", "search_results", "show_result"}


def test_without_the_package_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(sys.modules, "genmath.cli.agents")
    monkeypatch.delattr("genmath.cli.agents", raising=False)
    monkeypatch.setitem(sys.modules, "mcp", None)
    monkeypatch.setitem(sys.modules, "mcp.server", None)
    done = run("mcp")
    assert done.returncode == 2
    assert done.stderr == 'genmath: genmath mcp needs: pip install "mcp>=2.0"\n'
