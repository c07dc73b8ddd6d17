"""The frame of the command line, run as a person runs it: help, config, doctor, errors, exit codes."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import textwrap
import threading
import time
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import boto3
import pytest
from moto.server import ThreadedMotoServer

from leadflow_assets.cli.app import main
from leadflow_assets.lake.lake import Lake
from leadflow_assets.lake.publish import Publisher, StagedFile, StagedPartition, sha256_of, upload
from leadflow_assets.lake.store import LocalStore, Store, open_store
from leadflow_assets.refresh import doctor
from leadflow_assets.settings import Settings, load_settings
from leadflow_assets_tests.conftest import forget_environment

Run = Callable[..., subprocess.CompletedProcess[str]]
TABLE = "core/parcels"


def clean_environment(**extra: str) -> dict[str, str]:
    ours = {name.upper() for name in Settings.model_fields}
    kept = {name: value for name, value in os.environ.items() if name not in ours}
    # Unbuffered, Python drops the rest of a write that a closing pipe cut short, and sees no error.
    for name in ("COLUMNS", "PYTHONUNBUFFERED", "LEADFLOW_DEBUG"):
        kept.pop(name, None)
    return {**kept, "AWS_EC2_METADATA_DISABLED": "true", **extra}


@pytest.fixture
def leadflow(tmp_path: Path) -> Run:
    """Runs `leadflow` in a process of its own, in an empty working directory."""

    def run(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "leadflow_assets.cli", *arguments]
        return subprocess.run(
            command,
            cwd=tmp_path,
            env=clean_environment(**environment),
            capture_output=True,
            text=True,
            timeout=120,
        )

    return run


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    """The same in this process, where starting one more proves nothing."""

    def run(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
        with monkeypatch.context() as patch:
            forget_environment(patch, tmp_path)
            for name, value in environment.items():
                patch.setenv(name, value)
            capsys.readouterr()
            code = main(arguments)
        out, err = capsys.readouterr()
        return subprocess.CompletedProcess(arguments, code, out, err)

    return run


def json_lines(text: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in text.splitlines()]


def in_process(tmp_path: Path, code: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", textwrap.dedent(code)],
        cwd=tmp_path,
        env=clean_environment(**environment),
        capture_output=True,
        text=True,
        timeout=120,
    )


def test_the_app_starts_without_anything_heavy(tmp_path: Path) -> None:
    found = in_process(
        tmp_path,
        """
        import sys
        from leadflow_assets.cli.app import build_app, main
        build_app()
        assert main(["--help"]) == 0
        heavy = "dagster duckdb pandas geopandas pyarrow boto3 sqlalchemy alembic pydantic rich.console"
        print([name for name in heavy.split() if name in sys.modules], file=sys.stderr)
        """,
    )
    assert found.stderr.strip() == "[]"


def test_help_has_examples_line_by_line(leadflow: Run) -> None:
    for command in ((), ("config",), ("doctor",)):
        found = leadflow(*command, "--help")
        assert found.returncode == 0
        lines = [line.strip() for line in found.stdout.splitlines()]
        following = lines[lines.index("Examples:") + 1 :]
        assert all(line.startswith(("leadflow ", "LEADFLOW_")) for line in following if line)


def test_version_and_wrong_usage(leadflow: Run) -> None:
    assert leadflow("--version").stdout.startswith("leadflow ")
    assert leadflow().returncode == 2
    wrong = leadflow("confg")
    assert (wrong.returncode, wrong.stdout) == (2, "")
    assert wrong.stderr.startswith("error: No such command 'confg'.")
    as_json = leadflow("config", "--wrong", "--json")
    assert json.loads(as_json.stdout)["exit_code"] == as_json.returncode == 2
    assert as_json.stderr == ""


def test_config_masks_secrets_and_names_origins(leadflow: Run, tmp_path: Path) -> None:
    (tmp_path / "leadflow.toml").write_text('massgis_max_age_days = 7\nopenai_api_key = "s3cret-toml"\n')
    (tmp_path / ".env").write_text("ATTOM_API_KEY=s3cret-env-file\n")
    environment = {
        "DATABASE_URL": "postgresql://user:s3cret-env@host/db",
        "AWS_ENDPOINT_URL": "http://user:s3cret-login@localhost:9000",
    }
    found = leadflow("config", "--json", **environment)
    rows = {row["name"]: row for row in json_lines(found.stdout)}
    assert set(rows) == {name.upper() for name in Settings.model_fields}
    assert rows["DATABASE_URL"] == {
        "name": "DATABASE_URL",
        "value": "***",
        "secret": True,
        "origin": "environment",
    }
    assert (rows["ATTOM_API_KEY"]["value"], rows["ATTOM_API_KEY"]["origin"]) == ("***", ".env")
    assert (rows["OPENAI_API_KEY"]["value"], rows["OPENAI_API_KEY"]["origin"]) == ("***", "leadflow.toml")
    assert (rows["MASSGIS_MAX_AGE_DAYS"]["value"], rows["MASSGIS_MAX_AGE_DAYS"]["origin"]) == (
        7,
        "leadflow.toml",
    )
    assert rows["BATCHDATA_API_KEY"]["value"] is None
    assert rows["LEADFLOW_WORKERS"]["origin"] == "default"
    assert rows["LEADFLOW_LAKE"]["value"] == str(tmp_path.resolve() / "data" / "lake")
    table = leadflow("config", **environment)
    assert "s3cret" not in found.stdout + found.stderr + table.stdout + table.stderr
    assert "\x1b" not in table.stdout, "no colours where there is no terminal"


def test_a_bad_setting_is_named(leadflow: Run, tmp_path: Path) -> None:
    found = leadflow("config", LEADFLOW_WORKERS="many")
    assert found.returncode == 2
    assert "LEADFLOW_WORKERS" in found.stderr
    (tmp_path / "leadflow.toml").write_text("leadflow_wrokers = 3\n")
    found = leadflow("doctor", "--json")
    assert found.returncode == 2
    assert "leadflow_wrokers" in json.loads(found.stdout)["error"]


def test_doctor_on_a_fresh_folder(leadflow: Run, here: Run, tmp_path: Path) -> None:
    found = leadflow("doctor", "--json", ATTOM_API_KEY="s3cret", LEADFLOW_LAKE=str(tmp_path / "lake"))
    assert found.returncode == 0, found.stdout
    rows = json_lines(found.stdout)
    assert all(set(row) == {"name", "status", "detail", "what_to_do"} for row in rows)
    status = {row["name"]: row["status"] for row in rows}
    ok = ("lake", "core.parcels", "state database", "DuckDB spatial", "Dagster", "MassGIS", "ATTOM")
    assert {name: status[name] for name in ok} == dict.fromkeys(ok, "ok")
    assert status["BatchData"] == "not_configured"
    assert "s3cret" not in found.stdout
    assert not list((tmp_path / "lake").rglob("*.*")), "the probe is removed"
    text = here("doctor", MASSGIS_LIVE_FETCH_ENABLED="false", COLUMNS="200").stdout
    assert "Set MASSGIS_LIVE_FETCH_ENABLED=true" in text
    assert "Set BATCHDATA_API_KEY." in text


def test_doctor_says_what_to_do_about_what_is_broken(here: Run, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    environment = {
        "LEADFLOW_LAKE": str(tmp_path / "file" / "lake"),
        "DATABASE_URL": "postgresql://u:s3cret@127.0.0.1:1/db",
    }
    found = here("doctor", "--json", **environment)
    assert found.returncode == 1
    rows = {row["name"]: row for row in json_lines(found.stdout)}
    assert {name for name, row in rows.items() if row["status"] == "failed"} == {"lake", "state database"}
    assert "set LEADFLOW_LAKE" in rows["lake"]["what_to_do"]
    assert "DATABASE_URL" in rows["state database"]["what_to_do"]
    assert rows["DuckDB spatial"]["status"] == "ok", "the other integrations are examined all the same"
    assert "s3cret" not in found.stdout


def test_doctor_live_reads_the_links_it_is_given(here: Run, tmp_path: Path) -> None:
    found = here("doctor", "--live", "--json", MASSGIS_LINKS="http://127.0.0.1:1/links.xlsx")
    assert found.returncode == 1
    (row,) = [row for row in json_lines(found.stdout) if row["name"] == "MassGIS"]
    assert row["status"] == "failed"
    assert "127.0.0.1" in row["detail"]


@pytest.fixture(scope="module")
def s3() -> Iterator[dict[str, str]]:
    """Settings of an S3 server of our own with one bucket."""
    server = ThreadedMotoServer(port=0)
    server.start()
    host, port = server.get_host_and_port()
    settings = {
        "AWS_ENDPOINT_URL": f"http://{host}:{port}",
        "AWS_ACCESS_KEY_ID": "key",
        "AWS_SECRET_ACCESS_KEY": "secret",
    }
    boto3.client(
        "s3",
        endpoint_url=settings["AWS_ENDPOINT_URL"],
        region_name="us-east-1",
        aws_access_key_id="key",
        aws_secret_access_key="secret",
    ).create_bucket(Bucket="here")
    yield settings
    server.stop()


@pytest.mark.slow
def test_doctor_on_s3(leadflow: Run, s3: dict[str, str]) -> None:
    found = leadflow("doctor", "--json", LEADFLOW_LAKE="s3://here/lake", **s3)
    assert json_lines(found.stdout)[0]["status"] == "ok", found.stdout
    assert found.returncode == 0


def lake_finding(s3: dict[str, str], **settings: Any) -> doctor.Finding:
    return doctor.check_lake(
        Lake(load_settings(**{name.lower(): value for name, value in s3.items()}, **settings))
    )


def test_doctor_names_what_is_wrong_with_a_bucket(s3: dict[str, str]) -> None:
    missing = lake_finding(s3, leadflow_lake="s3://gone/lake")
    assert (missing.status, missing.detail) == ("failed", "The bucket gone does not exist.")
    assert "Create it" in missing.what_to_do
    unnamed = lake_finding(s3, use_s3_for_gis=True, leadflow_lake="")
    assert unnamed.status == "failed"
    assert "AWS_STORAGE_BUCKET_NAME" in unnamed.what_to_do


@pytest.mark.parametrize(
    ("code", "to_do"),
    [
        ("AccessDenied", "s3:PutObject"),
        ("SignatureDoesNotMatch", "AWS_SECRET_ACCESS_KEY"),
        ("InvalidAccessKeyId", "AWS_ACCESS_KEY_ID"),
    ],
)
def test_doctor_explains_a_refused_put(code: str, to_do: str, s3: dict[str, str]) -> None:
    class Refusing(BaseHTTPRequestHandler):
        def do_PUT(self) -> None:
            self.rfile.read(int(self.headers.get("Content-Length", 0)))
            body = f"<Error><Code>{code}</Code><Message>No.</Message></Error>".encode()
            self.send_response(403)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *arguments: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Refusing) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        settings = {**s3, "AWS_ENDPOINT_URL": f"http://127.0.0.1:{server.server_port}"}
        found = lake_finding(settings, leadflow_lake="s3://here/lake")
        server.shutdown()
    assert found.status == "failed"
    assert to_do in found.what_to_do
    assert "secret" not in found.detail


def test_doctor_refuses_a_store_that_overwrites(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    put_new = LocalStore.put_new

    def overwriting(store: LocalStore, key: str, source: Path | bytes) -> bool:
        store.delete(key)
        return put_new(store, key, source)

    monkeypatch.setattr(LocalStore, "put_new", overwriting)
    found = doctor.check_lake(Lake(load_settings(leadflow_lake=str(tmp_path / "lake"))))
    assert found.status == "failed"
    assert "If-None-Match" in found.detail


def publish(store: Store, folder: Path, content: str, town_id: int = 25) -> None:
    file = folder / f"{content}.parquet"
    file.write_text(content)
    partition = f"town_id={town_id}"
    files = {"data": StagedFile(file, 1, sha256_of(file))}
    staged = StagedPartition(TABLE, partition, files, content, {}, "1", "test")
    Publisher(store, "run").publish(TABLE, {partition: upload(store, staged)})


def test_doctor_repairs_the_current_copy(here: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    store = open_store(load_settings(leadflow_lake=str(tmp_path / "lake")))
    publish(store, tmp_path, "old")
    (old,) = (tmp_path / "lake" / "_versions").rglob("*.parquet")
    publish(store, tmp_path, "new")
    publish(store, tmp_path, "two", town_id=26)
    current = tmp_path / "lake" / TABLE / "town_id=25" / "parcels.parquet"
    current.unlink()
    current.hardlink_to(old)
    stray = tmp_path / "lake" / TABLE / "town_id=27" / "parcels.parquet"
    stray.parent.mkdir()
    stray.write_text("of a partition that was removed")
    keys = [f"{TABLE}/town_id=25/parcels.parquet", f"{TABLE}/town_id=27/parcels.parquet"]
    assert doctor.stale_copies(store, TABLE) == keys

    monkeypatch.setattr(doctor, "_SETTLE_SECONDS", 0.0)
    found = doctor.check_table(store, TABLE, fix=False)
    assert found.status == "failed"
    assert "--repair" in found.what_to_do
    assert current.read_text() == "old", "looking changes nothing"

    repaired = here("doctor", "--repair", "--json", LEADFLOW_LAKE=str(tmp_path / "lake"))
    assert repaired.returncode == 0, repaired.stdout
    assert "2 files put right" in repaired.stdout
    assert current.read_text() == "new"
    assert not stray.exists()
    assert doctor.check_table(store, TABLE, fix=False).status == "ok"


def test_doctor_names_a_file_that_it_cannot_repair(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    store = open_store(load_settings(leadflow_lake=str(tmp_path / "lake")))
    publish(store, tmp_path, "new")
    (tmp_path / "lake" / TABLE / "town_id=25" / "copy of parcels.parquet").write_text("by hand")
    monkeypatch.setattr(doctor, "_SETTLE_SECONDS", 0.0)
    found = doctor.check_table(store, TABLE, fix=True)
    assert found.status == "failed"
    assert "copy of parcels.parquet" in found.detail
    assert "by hand" in found.what_to_do


def test_doctor_sweeps_what_a_dead_run_left(tmp_path: Path) -> None:
    left = tmp_path / "staging" / "dead-1"
    left.mkdir(parents=True)
    (left / "half.parquet").touch()
    assert doctor.check_staging(tmp_path / "staging", fix=False).status == "warning"
    assert left.exists()
    assert doctor.check_staging(tmp_path / "staging", fix=True).status == "ok"
    assert not left.exists()


BROKEN = """
    import sys, typer
    from leadflow_assets.cli import app, errors
    from leadflow_assets.errors import BudgetReachedError

    broken = typer.Typer()

    @broken.command()
    def defect(json: bool = typer.Option(False, "--json")) -> None:
        raise ValueError("42 Elm Street")

    @broken.command()
    def budget(json: bool = typer.Option(False, "--json")) -> None:
        raise BudgetReachedError("The cap is reached.", "Wait.")

    @broken.command()
    def sleep() -> None:
        import time
        print("ready", flush=True)
        time.sleep(60)

    sys.exit(errors.run(typer.main.get_command(broken), sys.argv[1:]))
"""


def test_a_defect_shows_its_place_and_no_values(tmp_path: Path) -> None:
    script = tmp_path / "broken.py"
    script.write_text(textwrap.dedent(BROKEN))

    def run(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, str(script), *arguments],
            env=clean_environment(**environment),
            capture_output=True,
            text=True,
            timeout=60,
        )

    found = run("defect")
    assert found.returncode == 1
    assert found.stderr.startswith("error: unexpected ValueError at ")
    assert "Elm" not in found.stderr
    assert len(found.stderr.splitlines()) == 2
    assert "Traceback" in run("defect", LEADFLOW_DEBUG="1").stderr
    as_json = json.loads(run("defect", "--json").stdout)
    assert set(as_json) == {"error", "hint", "exit_code"}
    found = run("budget")
    assert (found.returncode, found.stderr) == (4, "error: The cap is reached.\nhint: Wait.\n")


def test_an_interrupt_says_that_it_can_be_run_again(tmp_path: Path) -> None:
    script = tmp_path / "broken.py"
    script.write_text(textwrap.dedent(BROKEN))
    process = subprocess.Popen(
        [sys.executable, str(script), "sleep"],
        env=clean_environment(),
        # A suite that was started in the background of a script inherits an ignored SIGINT.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "ready\n"
    process.send_signal(signal.SIGINT)
    _, said = process.communicate(timeout=30)
    assert process.returncode == 130
    assert said == "interrupted; run the same command again to resume\n"


def test_a_closed_pipe_is_quiet(tmp_path: Path) -> None:
    code = """
        import sys
        from leadflow_assets.cli import errors
        from leadflow_assets.cli.output import emit_rows
        import typer
        app = typer.Typer()
        @app.command()
        def many(json: bool = False) -> None:
            emit_rows(({"n": n, "text": "x" * 100} for n in range(3_000)), ["n", "text"], json)
        sys.exit(errors.run(typer.main.get_command(app), sys.argv[1:]))
    """
    for flag in ([], ["--json"]):
        process = subprocess.Popen(
            [sys.executable, "-c", textwrap.dedent(code), *flag],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env=clean_environment(),
        )
        assert process.stdout is not None and process.stderr is not None
        process.stdout.readline()
        process.stdout.close()
        assert process.wait(60) == 141
        assert process.stderr.read() == b""
        process.stderr.close()


def test_a_narrow_table_loses_nothing_of_a_cell(tmp_path: Path) -> None:
    found = in_process(
        tmp_path,
        """
        from leadflow_assets.cli.output import Column, emit_rows
        row = {"points": 40.0, "what": "Foreclosure: auction scheduled", "day": "2026-11-29",
               "left": 1.0, "sure": 1.0, "from": "ATTOM PREFORECLOSURE\\n2026-11-02"}
        emit_rows([row], [Column("points", number_format=".2f"), Column("what", min_width=20),
                  Column("day", wrap=False), Column("left", number_format=".3f"),
                  Column("sure", number_format=".2f"),
                  Column("from", "source, its day, record", min_width=19)], False)
        """,
        COLUMNS="80",
    )
    lines = found.stdout.splitlines()
    assert max(map(len, lines)) <= 80
    for word in ("Foreclosure:", "scheduled", "ATTOM", "PREFORECLOSURE", "2026-11-02", "40.00"):
        assert word in found.stdout


def test_rows_with_too_many_columns_for_the_window_are_told_line_by_line(tmp_path: Path) -> None:
    found = in_process(
        tmp_path,
        """
        from leadflow_assets.cli.output import emit_rows
        row = {f"column_{n}": 1_000_000 + n for n in range(20)}
        emit_rows([row], list(row), False)
        """,
        COLUMNS="80",
    )
    told = [line.split() for line in found.stdout.splitlines()]
    assert told == [["column", str(n), str(1_000_000 + n)] for n in range(20)]


def test_tables_align_numbers_and_json_is_valid(tmp_path: Path) -> None:
    found = in_process(
        tmp_path,
        """
        import math
        from datetime import UTC, date, datetime
        from leadflow_assets.cli.output import Column, emit_document, emit_rows
        rows = [
            {"name": "a\\x1b[31m", "rows": 7, "when": datetime(2026, 1, 2, 3, tzinfo=UTC), "ratio": math.nan},
            {"name": "b", "rows": 1234567, "when": None, "ratio": 0.5},
        ]
        emit_rows(rows, ["name", Column("rows", number_format=","), "when"], False)
        emit_rows(rows, [], True)
        emit_document({"day": date(2026, 1, 2)})
        """,
    )
    lines = found.stdout.splitlines()
    assert lines[0].split() == ["name", "rows", "when"]
    assert lines[2].index("7") == lines[3].index("1,234,567") + len("1,234,567") - 1
    assert "\x1b" not in found.stdout
    assert "2026-01-02 03:00 UTC" in lines[2]
    first = json.loads(lines[4])
    assert (first["ratio"], first["when"]) == (None, "2026-01-02T03:00:00+00:00")
    assert json.loads("\n".join(lines[6:])) == {"day": "2026-01-02"}


def test_progress_off_a_terminal_is_a_line_now_and_then(tmp_path: Path) -> None:
    found = in_process(
        tmp_path,
        """
        from leadflow_assets.cli import output
        output._PLAIN_SECONDS = 0.0
        with output.progress("Refreshing", total=2) as step:
            step.advance(note="Bellingham")
            step.advance()
        """,
    )
    assert found.stdout == ""
    assert found.stderr.splitlines() == ["Refreshing: 1 of 2, Bellingham", "Refreshing: 2 of 2"]


def test_tables_and_progress_on_a_terminal(tmp_path: Path) -> None:
    """A real pseudo-terminal of 60 columns: nothing is wider, and the bar is drawn."""
    pty = pytest.importorskip("pty")
    termios = pytest.importorskip("termios")
    main, side = pty.openpty()
    termios.tcsetwinsize(side, (24, 60))
    process = subprocess.Popen(
        [sys.executable, "-m", "leadflow_assets.cli", "config"],
        cwd=tmp_path,
        env=clean_environment(TERM="xterm-256color"),
        stdout=side,
        stderr=side,
    )
    os.close(side)
    shown = b""
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        try:
            piece = os.read(main, 65536)
        except OSError:
            break
        if not piece:
            break
        shown += piece
    assert process.wait(30) == 0
    os.close(main)
    plain = re.sub(r"\x1b\[[0-9;]*m", "", shown.decode())
    assert "\x1b[" in shown.decode(), "colours on a terminal"
    assert max(len(line.rstrip("\r")) for line in plain.split("\n")) <= 60
