"""Events of a list are told once: by webhook and e-mail, over failures, deaths and several processes."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr

from leadflow_assets.automation.alerts import send_alert
from leadflow_assets.cli.app import main
from leadflow_assets.enrich.changes.email import EmailSettings, send_email
from leadflow_assets.enrich.changes.service import build
from leadflow_assets.enrich.changes.telling import (
    TellReport,
    plan_messages,
    refresh_watched,
    send_messages,
    tell,
)
from leadflow_assets.errors import LeadflowError
from leadflow_assets.search.criteria import SearchCriteria
from leadflow_assets.search.lists.service import SavedLists
from leadflow_assets.settings import Settings
from leadflow_assets.state import change_alerts, database, saved_lists
from leadflow_assets_tests.integration.changes_helpers import (
    events_of,
    match,
    publish_matches,
    publish_release,
    watch_list,
    write_releases,
)
from leadflow_assets_tests.integration.pipeline_helpers import REPOSITORY, settings_for
from leadflow_assets_tests.vendors.smtp import Mailbox, mail_server
from leadflow_assets_tests.vendors.webhook import Hook, webhook_server

EARLY = datetime(2026, 11, 19, 8, tzinfo=UTC)
watch = partial(watch_list, now=EARLY)
NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)


@pytest.fixture
def hook() -> Iterator[Hook]:
    with webhook_server() as running:
        yield running


@pytest.fixture
def mailbox() -> Iterator[Mailbox]:
    with mail_server() as running:
        yield running


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    """Sampleton's first release with two lists, both watched, then the second release and its events."""
    folder = tmp_path_factory.mktemp("alerts")
    (first, _), (second, planted) = write_releases(folder, 2)
    settings = settings_for(folder / "data", leadflow_demo=True)
    publish_release(settings, first)
    sold = [f"999-{case['PROP_ID']}" for case in planted.quirks["sale"]]
    gone = f"999-{planted.quirks['vanished'][0]['PROP_ID']}"
    with SavedLists(settings, clock=lambda: EARLY) as lists:
        lists.save_static("picked", [*sold[:3], gone])
        lists.save_dynamic("recent", SearchCriteria(sold_after="2024-06-01"))
    publish_release(settings, second)
    build(settings, now=NOON)
    return settings


@pytest.fixture
def settings(base: Settings, tmp_path: Path) -> Settings:
    """A copy of that lake and its state."""
    shutil.copytree(base.data_dir, tmp_path / "data")
    return settings_for(tmp_path / "data", leadflow_demo=True)


def email(mailbox: Mailbox, **more: Any) -> EmailSettings:
    known: dict[str, Any] = {
        "host": "127.0.0.1",
        "port": mailbox.port,
        "security": "none",
        "sender": "leads@example.org",
    }
    return EmailSettings(**(known | {"recipients": ("ann@example.org", "bob@example.org")} | more))


def by_hook(settings: Settings, hook: Hook) -> Any:
    known = settings.model_copy(update={"leadflow_alert_webhook_url": SecretStr(hook.url)})
    return lambda payload, key: send_alert(known, payload, key)


def test_a_webhook_gets_each_event_once_and_nothing_personal(settings: Settings, hook: Hook) -> None:
    watch(settings, "picked")
    done = tell(settings, webhook=by_hook(settings, hook), email=None, now=lambda: NOON)
    assert (done.made, done.events, done.sent, done.problems) == (1, 4, 1, ())
    ((key, payload),) = hook.calls
    assert payload["key"] == key and payload["list"] == "picked"
    assert payload["message"] == "picked: 3 sales, 1 vanished"
    kinds = [event["kind"] for event in payload["events"]]
    assert sorted(kinds) == ["sale", "sale", "sale", "vanished"]
    text = json.dumps(hook.calls)
    for row in events_of(settings):
        assert not any(row[name] and row[name] in text for name in ("owner_before", "owner_after"))
    again = tell(settings, webhook=by_hook(settings, hook), email=None, now=lambda: NOON)
    assert (again.made, again.sent, len(hook.calls)) == (0, 0, 1)


def test_a_case_is_no_more_than_a_kind_in_a_webhook(settings: Settings, hook: Hook, mailbox: Mailbox) -> None:
    watch(settings, "picked")
    watch(settings, "picked", "email", kinds=["case_matched"])
    where = next(row["property_id"] for row in events_of(settings) if row["kind"] == "sale")
    with SavedLists(settings) as lists:
        on_list = {member.property_id for member in lists.members("picked")}
    assert where in on_list or lists.add("picked", [where])
    publish_matches(settings, [match(where, "secret-case-7")])
    build(settings, now=NOON)
    tell(settings, webhook=by_hook(settings, hook), email=email(mailbox), now=lambda: NOON)
    (event,) = [e for e in hook.calls[0][1]["events"] if e["kind"] == "case_matched"]
    assert event["event_date"] is None
    assert "secret-case-7" not in json.dumps(hook.calls) and "bankruptcy" not in json.dumps(hook.calls)
    (letter,) = mailbox.messages
    assert "bankruptcy petition" in letter.get_content() and "ASHGROVE" not in letter.as_string()


def test_a_dynamic_list_tells_who_came_and_why(settings: Settings, hook: Hook) -> None:
    watch(settings, "recent", kinds=["list_gained", "list_lost"])
    assert refresh_watched(settings) == ()
    tell(settings, webhook=by_hook(settings, hook), email=None)
    ((_, payload),) = hook.calls
    assert payload["events"] and {event["kind"] for event in payload["events"]} == {"list_gained"}
    refresh_watched(settings)
    tell(settings, webhook=by_hook(settings, hook), email=None)
    assert len(hook.calls) == 1


def test_the_parts_of_a_merger_are_told_of_it(settings: Settings, hook: Hook) -> None:
    (merged,) = [row for row in events_of(settings) if row["kind"] == "merged"]
    (gone,) = set(merged["property_ids_before"]) - {merged["property_id"]}
    now = datetime.now(UTC)
    with database.session(settings) as session:
        list_id = saved_lists.create(session, "neighbours", "static", now=EARLY)
        member = saved_lists.Member(gone, 999, None, None, None, None, None, None, None, "{}", "added", now)
        saved_lists.add_members(session, list_id, [member])
        session.commit()
    watch(settings, "neighbours")
    refresh_watched(settings)
    tell(settings, webhook=by_hook(settings, hook), email=None)
    ((_, payload),) = hook.calls
    assert [event["event_id"] for event in payload["events"]] == [merged["event_id"]]


def test_what_was_seen_before_the_watch_is_not_told(settings: Settings, hook: Hook) -> None:
    watch(settings, "picked", now=NOON + timedelta(hours=1))
    assert tell(settings, webhook=by_hook(settings, hook), email=None).made == 0


def test_an_email_is_readable_and_has_its_key(settings: Settings, mailbox: Mailbox) -> None:
    watch(settings, "picked", "email")
    done = tell(
        settings, webhook=None, email=email(mailbox, user="u", password=SecretStr("p")), now=lambda: NOON
    )
    assert done.sent == 1 and len(mailbox.logins) == 1
    ((sender, recipients),) = mailbox.envelopes
    assert (sender, recipients) == ("leads@example.org", ("ann@example.org", "bob@example.org"))
    (letter,) = mailbox.messages
    assert letter["Subject"] == "picked: 3 sales, 1 vanished"
    assert letter["Idempotency-Key"] in letter["Message-ID"]
    text = letter.get_content()
    assert "sold on 2024-" in text and "not in the new release any more" in text
    owners = {row["owner_after"] for row in events_of(settings)} - {None}
    assert not any(name in text for name in owners)


def test_owners_are_in_an_email_only_where_that_is_wanted(settings: Settings, mailbox: Mailbox) -> None:
    watch(settings, "picked", "email")
    tell(settings, webhook=None, email=email(mailbox, owners=True), now=lambda: NOON)
    assert mailbox.messages[0].get_content().count("owner: ") == 3


def test_a_digest_comes_every_morning_and_ends_with_its_hour(settings: Settings, mailbox: Mailbox) -> None:
    watch(settings, "picked", "email", "daily")

    def tell_at(moment: datetime) -> TellReport:
        return tell(settings, webhook=None, email=email(mailbox), now=lambda: moment)

    # The events were seen at seven in Massachusetts; the digest is made at eight.
    assert tell_at(NOON + timedelta(minutes=59)).made == 0
    assert tell_at(NOON + timedelta(hours=3)).made == 1
    assert mailbox.messages[0]["Subject"] == "Digest of 2026-11-20: picked: 3 sales, 1 vanished"
    with SavedLists(settings, clock=lambda: NOON + timedelta(hours=2)) as lists:
        (more,) = [r["property_id"] for r in events_of(settings) if r["kind"] == "appeared"]
        lists.add("picked", [more])
    # In the evening it is tomorrow in UTC, and in Massachusetts it is not.
    assert tell_at(NOON + timedelta(hours=14)).made == 0
    done = tell_at(NOON + timedelta(days=1, hours=1))
    assert (done.made, done.events) == (1, 2)
    assert mailbox.messages[1]["Subject"] == "Digest of 2026-11-21: picked: 1 appeared, 1 came to the list"


def test_what_cannot_be_delivered_is_tried_again_with_the_same_key(settings: Settings, hook: Hook) -> None:
    watch(settings, "picked")
    hook.status = 503
    send = by_hook(settings, hook)
    done = tell(settings, webhook=send, email=None, now=lambda: NOON)
    assert done.problems == ("picked by webhook: the webhook answered 503",)
    assert tell(settings, webhook=send, email=None, now=lambda: NOON).sent == 0  # not at once
    hook.status = 200
    later = NOON + timedelta(minutes=2)
    assert tell(settings, webhook=send, email=None, now=lambda: later).sent == 1
    assert len(hook.calls) == 2 and hook.calls[0] == hook.calls[1]
    unreachable = by_hook(settings, Hook("http://127.0.0.1:9/secret-hook", []))
    watch(settings, "recent")
    refresh_watched(settings)
    (problem,) = tell(settings, webhook=unreachable, email=None, now=lambda: NOON).problems
    assert problem == "recent by webhook: the webhook cannot be reached: ConnectError"


def test_mail_servers_that_refuse_or_hang_up(settings: Settings, mailbox: Mailbox) -> None:
    watch(settings, "picked", "email")
    mailbox.refuse = "451 later"
    (problem,) = tell(settings, webhook=None, email=email(mailbox), now=lambda: NOON).problems
    assert problem == "picked by email: The mail server answered 451."
    mailbox.refuse, mailbox.drop = "", True
    second = NOON + timedelta(hours=1)
    (problem,) = tell(settings, webhook=None, email=email(mailbox), now=lambda: second).problems
    assert "SMTPServerDisconnected" in problem
    # It had been taken: the second copy has the same key.
    mailbox.drop = False
    assert (
        tell(settings, webhook=None, email=email(mailbox), now=lambda: second + timedelta(hours=1)).sent == 1
    )
    assert len({letter["Message-ID"] for letter in mailbox.messages}) == 1 < len(mailbox.messages)
    from email.message import EmailMessage

    with pytest.raises(LeadflowError) as caught:
        send_email(email(mailbox, port=9), EmailMessage())
    assert "ann@example.org" not in str(caught.value)


def test_a_channel_that_is_not_configured_keeps_its_messages(settings: Settings, mailbox: Mailbox) -> None:
    watch(settings, "picked", "email")
    assert tell(settings, webhook=None, email=None, now=lambda: NOON).problems == (
        "picked by email: email is not configured",
    )
    later = NOON + timedelta(hours=1)
    assert tell(settings, webhook=None, email=email(mailbox), now=lambda: later).sent == 1


def test_many_at_once_tell_each_event_once(settings: Settings, hook: Hook) -> None:
    watch(settings, "picked")
    watch(settings, "recent")
    refresh_watched(settings)
    send = by_hook(settings, hook)
    with ThreadPoolExecutor(8) as pool:
        done = list(pool.map(lambda _: tell(settings, webhook=send, email=None, now=lambda: NOON), range(8)))
    assert sum(report.sent for report in done) == sum(report.made for report in done) == len(hook.calls) == 2
    for name in ("picked", "recent"):
        ids = [
            e["event_id"] for _, payload in hook.calls if payload["list"] == name for e in payload["events"]
        ]
        assert len(ids) == len(set(ids)) > 0


# Sends by a webhook that writes down what it gets, and is killed after the message went out.
_DIES = """
import json, os, signal, sys
from pathlib import Path
from leadflow_assets.enrich.changes.telling import tell
from leadflow_assets_tests.integration.pipeline_helpers import settings_for

def webhook(payload, key):
    with open(sys.argv[2], "a") as wire:
        wire.write(json.dumps([key, [event["event_id"] for event in payload["events"]]]) + "\\n")
    if sys.argv[3] == "die":
        os.kill(os.getpid(), signal.SIGKILL)

tell(settings_for(Path(sys.argv[1]), leadflow_demo=True), webhook=webhook, email=None)
"""


@pytest.mark.slow
def test_killed_between_sending_and_noting(settings: Settings, tmp_path: Path) -> None:
    watch(settings, "picked")
    wire = tmp_path / "wire"
    for what, code in (("die", -9), ("die", -9), ("live", 0), ("live", 0)):
        command = [sys.executable, "-c", _DIES, str(settings.data_dir), str(wire), what]
        found = subprocess.run(command, cwd=REPOSITORY, capture_output=True, text=True, timeout=120)
        assert found.returncode == code, found.stderr
    sent = [json.loads(line) for line in wire.read_text().splitlines()]
    # At least once on the wire, under one key; no second message about any of the events.
    assert len(sent) == 3 and all(line == sent[0] for line in sent)
    assert len(sent[0][1]) == 4


def test_killed_before_sending(settings: Settings, hook: Hook) -> None:
    watch(settings, "picked")
    assert plan_messages(settings, now=NOON) == (1, 4)
    assert plan_messages(settings, now=NOON) == (0, 0)
    done = send_messages(settings, webhook=by_hook(settings, hook), email=None, now=lambda: NOON)
    assert (done.sent, done.problems) == (1, ())
    assert len(hook.calls) == 1


def test_a_watch_that_starts_again_tells_nothing_twice(settings: Settings, hook: Hook) -> None:
    watch(settings, "picked")
    tell(settings, webhook=by_hook(settings, hook), email=None, now=lambda: NOON)
    with database.session(settings) as session:
        list_id = saved_lists.find(session, "picked").id
        assert change_alerts.stop_watches(session, list_id, "webhook", None, now=NOON) == 1
        assert change_alerts.watches(session, active=True) == []
        session.commit()
    watch(settings, "picked")
    assert tell(settings, webhook=by_hook(settings, hook), email=None, now=lambda: NOON).made == 0


def run(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str, str]:
    code = main(["changes", *arguments])
    shown = capsys.readouterr()
    return code, shown.out, shown.err


@pytest.fixture
def command_line(settings: Settings, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Mapping[str, str]:
    monkeypatch.chdir(tmp_path)
    variables = {"LEADFLOW_DATA_DIR": str(settings.data_dir), "LEADFLOW_DEMO": "true"}
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    return variables


def test_the_command_shows_what_happened(
    command_line: Mapping[str, str], capsys: pytest.CaptureFixture[str]
) -> None:
    code, out, err = run(capsys, "--town", "sampleton")
    assert (code, err) == (0, "20 events\n")
    assert "sold on 2024-" in out and "into a trust of the same people" in out
    code, out, _ = run(capsys, "--kind", "split", "--json")
    rows = [json.loads(line) for line in out.splitlines()]
    assert code == 0 and len(rows) == 2 and rows[0]["town"] == "Sampleton"
    assert {"loc_ids_before", "loc_ids_after", "what"} <= rows[0].keys() and "owner_after" not in rows[0]
    assert len(run(capsys, "--list", "picked", "--json")[1].splitlines()) == 4
    assert run(capsys, "--since", "2026-11-21", "--json")[:2] == (0, "")
    assert run(capsys, "--limit", "3")[2] == "20 events; 17 more: --limit\n"
    code, out, _ = run(capsys, "digest", "picked", "--day", "2026-11-20")
    assert code == 0 and out.startswith("List picked: 3 sales, 1 vanished\n\n3 SALES\n")
    code, out, _ = run(capsys, "build", "--json")
    assert code == 0 and json.loads(out)["events"] == 0


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (["--kind", "sold"], 2, "There is no kind of event 'sold'"),
        (["--list", "nothing"], 2, "There is no list 'nothing'"),
        (["--since", "yesterday"], 2, "'yesterday' is not a date"),
        (["--town", "atlantis"], 2, "atlantis"),
        (["watch", "picked", "--by", "pigeon"], 2, "There is no channel 'pigeon'"),
        (["watch", "picked", "--by", "email"], 3, "LEADFLOW_SMTP_HOST"),
        (["watch", "picked", "--by", "webhook"], 3, "LEADFLOW_ALERT_WEBHOOK_URL"),
    ],
)
def test_what_cannot_be_done_is_said(
    command_line: Mapping[str, str],
    capsys: pytest.CaptureFixture[str],
    arguments: list[str],
    code: int,
    said: str,
) -> None:
    found, _, err = run(capsys, *arguments)
    assert found == code and said in err


def test_watching_and_telling_by_command(
    command_line: Mapping[str, str],
    settings: Settings,
    hook: Hook,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setenv("LEADFLOW_ALERT_WEBHOOK_URL", hook.url)
    assert run(capsys, "watches")[2].startswith("No list is watched")
    assert run(capsys, "outbox")[2].startswith("No message")
    assert run(capsys, "watch", "Picked", "--by", "webhook", "--kind", "sale")[0] == 0
    assert json.loads(run(capsys, "watches", "--json")[1])["kinds"] == ["sale"]
    watch(settings, "recent")
    code, out, _ = run(capsys, "tell", "--refresh", "--json")
    assert code == 0 and json.loads(out)["sent"] == 1
    assert "sent" in run(capsys, "outbox")[1]
    hook.status = 500
    with SavedLists(settings) as lists:
        lists.add("picked", [next(r["property_id"] for r in events_of(settings) if r["kind"] == "appeared")])
    watch(settings, "picked", "webhook", "daily")
    code, _, err = run(capsys, "tell")
    assert code == 1 and "could not be delivered" in err and "secret-hook" not in err
    assert json.loads(run(capsys, "unwatch", "picked", "--json")[1]) == {"list": "picked", "stopped": 2}
