"""What lies in the lake beside its tables: answers that wait or are kept, files given to us and to
vendors.
"""

from __future__ import annotations

import gzip
import hashlib
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final

from leadflow_assets.domain.courts.rows import RawDocket
from leadflow_assets.domain.purge_names import REMOVED
from leadflow_assets.domain.purging import NAME, Key, Purged
from leadflow_assets.enrich.attom_cache import FOLDER as ATTOM_ANSWERS
from leadflow_assets.enrich.court_answers import FOLDER as COURT_ANSWERS
from leadflow_assets.enrich.court_answers import CourtAnswers
from leadflow_assets.enrich.purge.attom_tables import clean_body, places_of
from leadflow_assets.enrich.purge.dockets import clean_dockets
from leadflow_assets.enrich.purge.documents import stripped
from leadflow_assets.enrich.purge.tables import replace_object
from leadflow_assets.enrich.purge.text_tables import (
    TEXT_ENDINGS,
    clean_text,
    is_owner_column,
    plain_names,
)
from leadflow_assets.lake.lake import Lake
from leadflow_assets.lake.publish import sha256_of
from leadflow_assets.lake.store import STAGING
from leadflow_assets.sources.courtlistener.answers import Answer
from leadflow_assets.sources.courtlistener.raw import raw_dockets

_TABLES: Final = ("raw/", "core/", "mart/", "_versions/", "_log/", f"{STAGING}/", "_probe/")
# A temporary object of a process that lives is younger.
_LEFT_OVER: Final = timedelta(minutes=10)


@dataclass
class ObjectCounts:
    """Objects that held something, by the folder they lie in."""

    by_folder: dict[str, int] = field(default_factory=dict)

    def add(self, key: str) -> None:
        """Count one."""
        folder = "/".join(key.split("/")[:2])
        self.by_folder[folder] = self.by_folder.get(folder, 0) + 1


def clean_objects(
    lake: Lake, purged: Purged, folder: Path, *, dry_run: bool, prefixes: tuple[str, ...] = ("",)
) -> tuple[ObjectCounts, frozenset[Key]]:
    """Clean everything in the lake that is no table; with the counts come hashes that were learned."""
    counts = ObjectCounts()
    folder.mkdir(parents=True, exist_ok=True)
    learned = _court_answers(lake, purged, counts, dry_run) if "" in prefixes else frozenset()
    for prefix in prefixes:
        for key in list(lake.store.list(prefix)):
            if not key.startswith((*_TABLES, f"{COURT_ANSWERS}/")) and _clean(
                lake, purged, key, folder, dry_run
            ):
                counts.add(key)
    if "" in prefixes and not dry_run:
        _sweep(lake)
    return counts, learned


def _sweep(lake: Lake) -> None:
    """Remove temporary objects of processes that died: they may be anything."""
    for key in list(lake.store.list(f"{STAGING}/")):
        try:
            if lake.store.modified(key) < datetime.now(UTC) - _LEFT_OVER:
                lake.store.delete(key)
        except FileNotFoundError:
            continue


def _clean(lake: Lake, purged: Purged, key: str, folder: Path, dry_run: bool) -> bool:
    try:
        if key.startswith(f"{ATTOM_ANSWERS}/"):
            return _rewritten(lake, key, _attom_answer(purged, lake.store.read(key)), dry_run)
        is_delivery = key.startswith(f"{lake.settings.batch_results_dir}/")
        if key.lower().endswith((*TEXT_ENDINGS, ".zip")):
            return _text_file(lake, purged, key, folder, is_delivery, dry_run)
        if key.endswith(".json"):
            return _rewritten(lake, key, _document(purged, lake.store.read(key)), dry_run)
        if key.endswith(".gz"):
            content = _document(purged, gzip.decompress(lake.store.read(key)))
            packed = gzip.compress(content, compresslevel=6, mtime=0) if content is not None else None
            return _rewritten(lake, key, packed, dry_run)
    except (FileNotFoundError, gzip.BadGzipFile):
        return False  # forgotten meanwhile, or not what its name says
    return False


def _rewritten(lake: Lake, key: str, content: bytes | None, dry_run: bool) -> bool:
    if content is not None and not dry_run:
        replace_object(lake.store, key, content)
    return content is not None


def _attom_answer(purged: Purged, packed: bytes) -> bytes | None:
    head, _, body = gzip.decompress(packed).partition(b"\n")
    text = body.decode("utf-8", errors="replace")
    clean = clean_body(purged, text, {})
    return None if clean == text else gzip.compress(head + b"\n" + clean.encode(), compresslevel=6, mtime=0)


def _document(purged: Purged, content: bytes) -> bytes | None:
    """A JSON document that a person may have written names into; None where it holds none."""
    try:
        before = json.loads(content)
    except ValueError:
        return None
    after = stripped(before, by_name(purged))
    return None if after == before else json.dumps(after, ensure_ascii=False, indent=1).encode()


def by_name(purged: Purged) -> Callable[[str], str]:
    """Takes the names and numbers under way out of a text; what would be empty is marked.

    A filter without its value would find everything, so that something has to stand there.
    """

    def strip(text: str) -> str:
        return purged.without_numbers(purged.without_names(text)) or REMOVED if text else text

    return strip


def _court_answers(lake: Lake, purged: Purged, counts: ObjectCounts, dry_run: bool) -> frozenset[Key]:
    """Clean answers that wait to be landed."""
    waiting = CourtAnswers(lake.store).waiting()
    items = {key: _items(answer) for key, answer in waiting}
    numbered: list[RawDocket] = []
    for key, answer in waiting:
        for place, item in enumerate(items[key]):
            for row in raw_dockets(_with_items(answer, [item])):
                numbered.append(replace(row, record_id=f"{key} {place}"))
    clean = clean_dockets(purged, numbered)
    left = {row.record_id: row for row in clean.rows}
    was = {row.record_id: row for row in numbered}
    for key, answer in waiting:
        kept, changed = [], False
        for place, item in enumerate(items[key]):
            name = f"{key} {place}"
            if name in was and left.get(name) != was[name]:
                changed = True
                kept += [left[name].document] if name in left else []
            else:
                kept.append(item)
        if changed:
            counts.add(key)
            if not dry_run:
                replace_object(lake.store, key, _packed(_with_items(answer, kept)))
    return clean.learned


def _items(answer: Answer) -> list[Any]:
    document = answer.document
    listed = document.get("results") if isinstance(document, dict) else None
    # A page of parties is of one docket: it is an item as a whole.
    return [document] if answer.about is not None or not isinstance(listed, list) else listed


def _with_items(answer: Answer, items: list[Any]) -> Answer:
    document = answer.document
    listed = isinstance(document, dict) and isinstance(document.get("results"), list) and answer.about is None
    made = {**document, "results": items} if listed else (items[0] if items else {"results": []})
    return replace(answer, body=json.dumps(made, ensure_ascii=False, separators=(",", ":")))


def _packed(answer: Answer) -> bytes:
    facts = vars(answer) | {"fetched_at": answer.fetched_at.isoformat()}
    if answer.about is not None:
        filed = answer.about.date_filed
        facts["about"] = vars(answer.about) | {"date_filed": filed.isoformat() if filed else None}
    return gzip.compress(json.dumps(facts, sort_keys=True).encode(), compresslevel=6, mtime=0)


def _text_file(lake: Lake, purged: Purged, key: str, folder: Path, is_delivery: bool, dry_run: bool) -> bool:
    """A file of a vendor (the owner of a purged property goes) or of a user (the name goes)."""
    place = folder / hashlib.sha256(key.encode()).hexdigest()[:16]
    place.mkdir(exist_ok=True)
    source, target = lake.store.fetch(key, place), place / "clean"
    row = vendor_row(purged) if is_delivery else user_row(purged)
    changed = clean_text(source, target, _suspect(purged, is_delivery), row)
    if changed and not dry_run:
        _note_hash(lake, key, target)
        replace_object(lake.store, key, target)
    target.unlink()
    if source.parent == place:
        source.unlink()
    return bool(changed)


def _suspect(purged: Purged, is_delivery: bool) -> Callable[[str], bool]:
    strip = by_name(purged)
    # Without a purge under way there are no names to look for: every row of a vendor is looked at.
    if is_delivery and not purged.of_kind(NAME):
        return lambda line: True
    return (lambda line: purged.mentions_name(line)) if is_delivery else (lambda line: strip(line) != line)


def vendor_row(purged: Purged) -> Callable[[Mapping[str, str]], dict[str, str] | None]:
    """Withholds the owner in a row of a file of ATTOM, where it is one who was purged there."""

    def clean(row: Mapping[str, str]) -> dict[str, str] | None:
        places = purged.places(places_of(_attom_row(row)))
        if not places:
            return None
        is_named = {key: purged.mentions(cell, places) for key, cell in row.items()}
        if not any(is_named.values()):
            return None
        owned = any(named and is_owner_column(key) for key, named in is_named.items())
        return {
            key: "" if owned and is_owner_column(key) else purged.without_people(cell, places)
            for key, cell in row.items()
        }

    return clean


def _attom_row(row: Mapping[str, str]) -> dict[str, Any]:
    plain = plain_names(row)
    attom_id = plain.get("attomid") or plain.get("obpropid") or ""
    return {
        "attom_id": int(attom_id) if attom_id.strip().isdigit() else None,
        "site_address": plain.get("propertyaddressfull"),
        "site_city": plain.get("propertyaddresscity"),
        "municipality": plain.get("propertyjurisdictionname"),
        "site_zip": plain.get("propertyaddresszip"),
    }


def user_row(purged: Purged) -> Callable[[Mapping[str, str]], dict[str, str] | None]:
    """Takes names under way out of a row that a user wrote."""

    def clean(row: Mapping[str, str]) -> dict[str, str] | None:
        made = {
            key: purged.without_numbers(purged.without_names(cell)) if cell else cell
            for key, cell in row.items()
        }
        if purged.mentions_name(" ".join(made.values())):
            # First and last name stand in columns of their own.
            made = {key: "" if purged.is_part_of_name(cell) else cell for key, cell in made.items()}
        return None if made == dict(row) else made

    return clean


def _note_hash(lake: Lake, key: str, clean: Path) -> None:
    """Write down the new bytes before they are there: whoever is killed between does the same again."""
    folder = key.rpartition("/")[0]
    sha256 = sha256_of(clean)
    for receipt in (f"{folder}/received.json", f"{folder.rpartition('/')[0]}/receipt.json"):
        try:
            noted = json.loads(lake.store.read(receipt))
        except (FileNotFoundError, ValueError):
            continue
        if receipt.endswith("/received.json") and key.endswith("/result.csv"):
            noted["sha256"] = sha256
        for file in noted.get("files", ()):
            if file["key"] == key:
                file |= {"sha256": sha256, "size": clean.stat().st_size}
        replace_object(lake.store, receipt, json.dumps(noted, indent=1).encode())
