"""What the tests of purging share: a lake with all that can name a person, and a search of every byte.

All people are made up. The owner who is purged is one of Sampleton's; court cases are made for that owner.
"""

from __future__ import annotations

import gzip
import hashlib
import io
import json
import zipfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from leadflow_assets.domain.courts.combine import combine
from leadflow_assets.domain.courts.model import CourtCase, CourtParty
from leadflow_assets.domain.courts.rows import IMPORT, RawDocket, settle, to_body
from leadflow_assets.domain.towns import SAMPLETON
from leadflow_assets.enrich.attom_cache import archive_key
from leadflow_assets.enrich.batches.delivery_archive import ArchivedFile, Receipt, store_delivery
from leadflow_assets.enrich.court_answers import CourtAnswers
from leadflow_assets.enrich.court_rows import to_rows
from leadflow_assets.enrich.unified.merge import merge
from leadflow_assets.lake import tables
from leadflow_assets.lake.lake import Lake
from leadflow_assets.lake.publish import Publisher, sha256_of, upload
from leadflow_assets.lake.snapshots import PartitionEntry
from leadflow_assets.refresh.plan import RefreshOptions
from leadflow_assets.refresh.run import refresh_towns
from leadflow_assets.refresh.stage import stage
from leadflow_assets.search.criteria import SearchCriteria
from leadflow_assets.search.engine import open_searcher
from leadflow_assets.search.exports.search import export_search
from leadflow_assets.search.index import build_index
from leadflow_assets.search.lists.service import SavedLists
from leadflow_assets.settings import Settings
from leadflow_assets.sources.attom.record import AttomProperty, Sale
from leadflow_assets.sources.courtlistener.answers import About, Answer
from leadflow_assets.sources.courtlistener.parse import parse_rows
from leadflow_assets.sources.courtlistener.raw import raw_dockets
from leadflow_assets.sources.imports.cases import parse_imports
from leadflow_assets.state import database, property_reviews
from leadflow_assets.state.property_reviews import PropertyReview
from leadflow_assets_tests.integration.unified_helpers import publish_answers, publish_batch
from leadflow_assets_tests.vendors.courtlistener_cases import SampleCase, SampleParty, hit, party

NOON = datetime(2026, 11, 2, 12, tzinfo=UTC)
FILED = date(2026, 10, 5)
MONTH = {"court": "mab", "filed_month": "2026-10"}
SPOUSE = "Zenobia Q. Farthingale"
STRANGER = "Ambrose Wicklow"
ATTOM_ID = 700_001
_MOST_DECODED = 400


@dataclass(frozen=True)
class Owner:
    """An owner of Sampleton whose name only that owner bears."""

    property_id: str
    first: str
    last: str
    site_address: str
    zip: str
    address_key: str
    records: int

    @property
    def name(self) -> str:
        """In natural order, with a middle initial that the roll does not have."""
        return f"{self.first.title()} {self.last.title()}"

    @property
    def needles(self) -> list[str]:
        """Every form in which the name stands somewhere."""
        first, last = self.first.lower(), self.last.lower()
        return [
            f"{first} {last}",
            f"{last}, {first}",
            f"{last} {first}",
            f"{first}-{last}",
            f"{first} q {last}",
        ]


@dataclass
class Planted:
    """A lake with one owner in all places."""

    settings: Settings
    owner: Owner
    cases: dict[str, SampleCase] = field(default_factory=dict)

    @property
    def lake(self) -> Lake:
        """The lake, opened anew."""
        return Lake(self.settings)


def find_owner(settings: Settings) -> Owner:
    """A person of Sampleton with a simple name, whose address no other record has."""
    columns = ("property_id", "owner_name", "owner_type", "owner_count", "owner_key", "site_address", "zip",
               "address_key", "unit")  # fmt: skip
    with open_searcher(settings, engine="parquet") as searcher:
        criteria = SearchCriteria(towns=(SAMPLETON.town_id,))
        with searcher.stream(criteria, columns=columns) as batches:
            rows = [row for batch in batches for row in batch.to_pylist()]
    keys = [row["address_key"] for row in rows]
    names = " | ".join(str(row["owner_name"]) for row in rows)
    for row in rows:
        words = (row["owner_key"] or "").split()
        if row["owner_type"] != "person" or row["owner_count"] != 1 or len(words) != 2 or row["unit"]:
            continue
        if not row["zip"] or not row["address_key"] or keys.count(row["address_key"]) > 1:
            continue
        # The pair must be rare, so that whoever is found by the name is the owner.
        if names.count(words[0]) <= 3 and row["site_address"].split()[0].isdigit():
            count = len([other for other in rows if other["owner_key"] == row["owner_key"]])
            return Owner(
                row["property_id"],
                words[1],
                words[0],
                row["site_address"],
                row["zip"],
                row["address_key"],
                count,
            )
    raise AssertionError("Sampleton has no such owner any more")


def refresh_sampleton(settings: Settings, package: Path | None, **options: Any) -> str:
    """Refresh from the package, or from the lake; returns the status."""
    wanted = RefreshOptions(source=str(package) if package else None, **options)
    (report,) = refresh_towns(settings, [SAMPLETON], wanted)
    assert report.error is None, report.error
    return report.status


def plant(settings: Settings, package: Path) -> Planted:
    """Two versions of the town, cases, matches, ATTOM, answers, files, lists, exports, an index."""
    refresh_sampleton(settings, package)
    planted = Planted(settings, find_owner(settings))
    plant_cases(planted)
    plant_attom(planted)
    refresh_sampleton(settings, package, force=True)
    plant_matches(planted)
    plant_answers(planted)
    plant_files(planted)
    plant_state(planted)
    plant_exports(planted)
    return planted


def _debtor(owner: Owner, role: str = "Debtor") -> SampleParty:
    return SampleParty(owner.name, role, f"{owner.site_address.title()}\nSampleton, MA {owner.zip}", (2,))


def sample_cases(owner: Owner) -> dict[str, SampleCase]:
    """A case of the owner with the spouse, one of the owner alone, and one of a stranger."""
    official = SampleParty("Percival Sorrelby", "Trustee", "P. O. Box 7\nWorcester, MA 01601")
    spouse = SampleParty(SPOUSE, "Joint Debtor", f"{owner.site_address.title()}\nSampleton, MA {owner.zip}")
    stranger = SampleParty(STRANGER, "Debtor", "9 Foundry Street\nHolden, MA 01520", (2,))

    def case(docket_id: int, number: str, name: str, *parties: SampleParty) -> SampleCase:
        return SampleCase(
            docket_id, "mab", number, name, FILED, chapter="13", trustee="Percival Sorrelby",
            parties=(*parties, official),
        )  # fmt: skip

    return {
        "joint": case(71_000_001, "26-40101", f"{owner.name} and {SPOUSE}", _debtor(owner), spouse),
        "alone": case(71_000_002, "26-40102", owner.name, _debtor(owner)),
        "stranger": case(71_000_003, "26-40103", STRANGER, stranger),
        "sealed": case(
            71_000_004, "26-40104", "Barnaby Thistlewood", SampleParty("Barnaby Thistlewood", "Debtor")
        ),
    }


def search_answer(cases: Sequence[SampleCase], at: datetime = NOON) -> Answer:
    """A search that finds these cases."""
    body = json.dumps({"count": len(cases), "next": None, "results": [hit(case) for case in cases]})
    return Answer("search", f"search-{len(cases)}-{at:%H%M%S}", 200, at, body)


def parties_answer(case: SampleCase, at: datetime = NOON) -> Answer:
    """The parties of a docket."""
    listed = [party(case, place, "https://x", nested_filtered=True) for place, _ in enumerate(case.parties)]
    body = json.dumps({"count": len(listed), "next": None, "results": listed})
    about = About(case.court_id, case.docket_id, case.date_filed)
    return Answer("parties", f"parties-{case.docket_id}", 200, at, body, about)


def docket_rows(cases: Sequence[SampleCase], at: datetime = NOON) -> list[RawDocket]:
    """The kept rows of a search and of the parties of each case."""
    answers = [search_answer(cases, at), *(parties_answer(case, at) for case in cases)]
    return settle(row for answer in answers for row in raw_dockets(answer))


def imported_row(owner: Owner) -> RawDocket:
    """A row of a file of tax lien cases that names the owner at the property."""
    values = {
        "docket_number": "26 TL 000987",
        "address": owner.site_address,
        "city": "Sampleton",
        "zip": owner.zip,
        "date_filed": FILED.isoformat(),
        "parties": [
            ["plaintiff", "Town of Sampleton"],
            ["owner", f"{owner.last.upper()}, {owner.first.upper()}"],
        ],
    }
    return RawDocket(
        record_id="imported-1", court="masslandct", endpoint=IMPORT, source="land_court_tax_lien",
        fetched_at=NOON,
        body=to_body(values), date_filed=FILED, stated_source="a person", source_file="cases.csv",
        source_sha256="0" * 64, row_number=1,
    )  # fmt: skip


def publish_rows(lake: Lake, table: tables.Table, partition: str, rows: pa.Table, **inputs: str) -> None:
    """Publish one partition."""
    folder = lake.staging / "planted"
    folder.mkdir(parents=True, exist_ok=True)
    entry: PartitionEntry = upload(lake.store, stage(table, rows, partition, inputs, {}, folder))
    Publisher(lake.store, "test").publish(table.name, {partition: entry})


def publish_dockets(lake: Lake, rows: Sequence[RawDocket]) -> None:
    """Publish rows of one month in all three tables, as landing does."""
    month = {"court": rows[0].court, "filed_month": rows[0].filed_month}
    partition = tables.COURT_DOCKETS.partition(*month.values())
    publish_rows(lake, tables.COURT_DOCKETS, partition, to_rows(rows, RawDocket))
    told = parse_rows(row for row in rows if row.endpoint != IMPORT)
    imported = parse_imports(rows)
    both = combine((*told.cases, *imported.cases), (*told.parties, *imported.parties))
    publish_rows(lake, tables.COURT_CASES, partition, to_rows(both.cases, CourtCase))
    publish_rows(lake, tables.COURT_PARTIES, partition, to_rows(both.parties, CourtParty))


def plant_cases(planted: Planted) -> None:
    """Dockets in two versions, cases and parties; a row of an imported file."""
    planted.cases = sample_cases(planted.owner)
    every = list(planted.cases.values())
    publish_dockets(planted.lake, docket_rows(every[:2]))
    publish_dockets(planted.lake, docket_rows(every, NOON + timedelta(days=1)))
    publish_dockets(planted.lake, [imported_row(planted.owner)])


def court_rows(lake: Lake, table: tables.Table, court: str = "mab") -> list[dict[str, Any]]:
    """The current rows of a court."""
    entry = lake.snapshot(table).partitions.get(table.partition(court, "2026-10"))
    return [] if entry is None else read_version(lake, entry.data.path).to_pylist()


def read_version(lake: Lake, key: str) -> pa.Table:
    """One immutable file."""
    return pq.ParquetFile(io.BytesIO(lake.store.read(key))).read()


def plant_matches(planted: Planted) -> None:
    """Matches of both cases of the owner with the property, and one of the stranger."""
    lake, owner = planted.lake, planted.owner
    parties = [
        row for row in court_rows(lake, tables.COURT_PARTIES) if row["role"] in ("debtor", "joint_debtor")
    ]
    rows = []
    for number, found in enumerate(parties):
        is_owner = found["name"] == owner.name
        evidence = [
            {"term": "surname", "outcome": "equal", "ours": found["name"].split()[-1].upper(),
             "theirs": owner.last.upper() if is_owner else "WICKLOW", "share": 0.001, "bits": 9.0},
            {"term": "given_name", "outcome": "equal", "ours": found["name"].split()[0].upper(),
             "theirs": owner.first.upper() if is_owner else "AMBROSE", "share": 0.001, "bits": 6.0},
        ]  # fmt: skip
        rows.append(
            {
                "match_id": f"match-{number}", "town_id": SAMPLETON.town_id,
                "property_id": owner.property_id if is_owner else "999-nobody",
                "case_id": found["case_id"], "source": found["source"], "court": found["court"],
                "filed_month": found["filed_month"], "docket_id": found["docket_id"],
                "case_name": found["name"], "case_type": "bankruptcy_petition", "fetched_at": NOON,
                "party_id": found["party_id"], "party_name": found["name"], "party_role": found["role"],
                "method": "name", "title": "held", "model_probability": 0.97, "probability": 0.97,
                "tier": "confirmed", "evidence": evidence,
            }
        )  # fmt: skip
    schema = tables.CASE_MATCHES.schema
    partition = tables.CASE_MATCHES.partition(SAMPLETON.town_id)
    for some in (rows[:1], rows):
        publish_rows(lake, tables.CASE_MATCHES, partition, pa.Table.from_pylist(some, schema=schema))


def attom_body(owner: Owner) -> str:
    """An answer of ATTOM about the property."""
    return json.dumps(
        {
            "status": {"msg": "SuccessWithResult", "total": 1},
            "property": [
                {
                    "identifier": {"attomId": ATTOM_ID},
                    "address": {"line1": owner.site_address, "locality": "SAMPLETON", "postal1": owner.zip},
                    "assessment": {
                        "owner": {
                            "owner1": {"fullName": f"{owner.last} {owner.first} ", "lastName": owner.last},
                            "mailingAddressOneLine": f"{owner.site_address}, SAMPLETON, MA {owner.zip}",
                        }
                    },
                    "sale": {"sellerName": STRANGER.upper(), "buyerName": f"{owner.first} {owner.last}"},
                }
            ],
        }
    )


def plant_attom(planted: Planted) -> None:
    """A batch of ATTOM: as answered, as read, merged into the properties; the answer in the archive."""
    settings, owner, store = planted.settings, planted.owner, planted.lake.store
    when = date(2026, 9, 15)
    sale = {"sale_date": when, "price": 1, "seller": STRANGER.upper(), "buyer": f"{owner.first} {owner.last}"}
    nothing = dict.fromkeys(("recording_date", "kind", "document_number", "is_estimated", "is_nominal"))
    record = AttomProperty(
        attom_id=ATTOM_ID, property_id=owner.property_id, site_address=owner.site_address, site_zip=owner.zip,
        municipality="SAMPLETON", property_source="expandedprofile", property_source_date=when,
        property_fetched_at=NOON, owner_1=f"{owner.last} {owner.first}", owner_2=SPOUSE.upper(),
        mailing_address=owner.site_address, owner_source="expandedprofile", owner_source_date=when,
        owner_fetched_at=NOON, last_sale_date=when, last_buyer=f"{owner.first} {owner.last}",
        last_seller=STRANGER.upper(), sale_source="expandedprofile", sale_source_date=when,
        sale_fetched_at=NOON,
    )  # fmt: skip
    publish_batch(settings, "b-1", [replace(record, sale_history=(Sale(**(nothing | sale)),))])
    answer = {
        "property_id": owner.property_id, "endpoint": "expandedprofile", "outcome": "returned",
        "attom_id": ATTOM_ID, "request_id": "ab12", "body": attom_body(owner),
    }  # fmt: skip
    publish_answers(settings, "b-1", [answer])
    merge(settings)
    head = json.dumps({"request_id": "ab12", "endpoint": "expandedprofile", "identity": f"attom:{ATTOM_ID}"})
    store.put_new(archive_key("ab12"), gzip.compress(f"{head}\n{attom_body(owner)}".encode(), mtime=0))


def plant_answers(planted: Planted) -> None:
    """Answers of CourtListener that nobody has landed yet."""
    answers = CourtAnswers(planted.lake.store)
    every = list(planted.cases.values())
    answers.keep(search_answer(every, NOON + timedelta(days=2)))
    answers.keep(parties_answer(planted.cases["joint"], NOON + timedelta(days=2)))


def plant_files(planted: Planted) -> None:
    """A user's upload, and a delivery of ATTOM with its receipt."""
    settings, owner, lake = planted.settings, planted.owner, planted.lake
    upload_key = f"{settings.batch_upload_dir}/b-1/mine.csv"
    text = f"Address,Zip,First,Last,Note\n{owner.site_address},{owner.zip},{owner.first},{owner.last},call\n"
    lake.store.put_new(upload_key, (text + f"9 Foundry Street,01520,Ambrose,Wicklow,{owner.name}\n").encode())
    columns = ("[ATTOM ID]", "PropertyAddressFull", "PropertyAddressZIP", "PartyOwner1NameFull",
               "ContactOwnerMailAddressFull", "TaxAssessedValueTotal", "StatusOwnerOccupiedFlag")  # fmt: skip
    mine = (
        ATTOM_ID,
        owner.site_address,
        owner.zip,
        f"{owner.last} {owner.first}",
        owner.site_address,
        1,
        "Y",
    )
    other = (700_002, "9 FOUNDRY ST", "01520", STRANGER.upper(), "9 FOUNDRY ST", 1, "Y")
    lines = ["\t".join(map(str, cells)) for cells in (columns, mine, other)]
    folder = lake.staging / "delivery"
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "TAXASSESSOR_0001.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr(
            zipfile.ZipInfo("TAXASSESSOR_0001.txt", (2026, 10, 1, 0, 0, 0)), "\n".join(lines) + "\n"
        )
    key = f"{settings.batch_results_dir}/d-1/001/TAXASSESSOR_0001.zip"
    file = ArchivedFile(path.name, "elsewhere", key, path.stat().st_size, sha256_of(path), NOON)
    receipt = Receipt("d-1", "TAX_ASSESSOR", NOON, 3, (file,))
    store_delivery(lake.store, f"{settings.batch_results_dir}/d-1/receipt.json", receipt, [path])
    path.unlink()


def plant_state(planted: Planted) -> None:
    """Lists with the property, one of which searches for the owner; a review that quotes the name."""
    owner = planted.owner
    with SavedLists(planted.settings) as lists:
        lists.save_dynamic(
            "mailing", SearchCriteria(towns=(SAMPLETON.town_id,), property_ids=(owner.property_id,))
        )
        lists.save_dynamic(
            "by owner", SearchCriteria(towns=(SAMPLETON.town_id,), owner=f"{owner.last} {owner.first}")
        )
    review = PropertyReview(
        "ATTOM", "5", None, "pat", NOON, f"spoke to {owner.name}, not theirs; see mab:26-40104"
    )
    with database.session(planted.settings) as session:
        property_reviews.record(session, review)
        session.commit()


def plant_exports(planted: Planted) -> None:
    """Exports below the data folder that show the owner, one that does not, and the search index."""
    folder = planted.settings.data_dir / "exports"
    folder.mkdir(parents=True, exist_ok=True)
    town = (SAMPLETON.town_id,)
    mine = SearchCriteria(towns=town, owner=f"{planted.owner.last} {planted.owner.first}")
    with open_searcher(planted.settings, engine="parquet") as searcher:
        for ending in ("csv", "xlsx", "geojson", "geoparquet"):
            suffix = "parquet" if ending == "geoparquet" else ending
            export_search(searcher, SearchCriteria(towns=town), folder / f"town.{suffix}", ending)
        export_search(
            searcher, SearchCriteria(towns=town, categories=("exempt",)), folder / "exempt.csv", "csv"
        )
        export_search(searcher, mine, folder / "nobody.csv", "csv", offset=10_000)
    build_index(planted.lake, force=True)


def everything(planted: Planted) -> Iterator[tuple[str, bytes]]:
    """Every file of the data folder and every object of the lake but the state's package, decoded."""
    base = planted.settings.data_dir
    for path in sorted(base.rglob("*")):
        name = path.relative_to(base).as_posix()
        if path.is_file() and not _is_package(name):
            yield name, _decoded(name, path.read_bytes())
    if planted.settings.lake_uri.startswith("s3://"):
        for key in planted.lake.store.list(""):
            if not _is_package(key):
                yield key, _decoded(key, planted.lake.store.read(key))


def _is_package(name: str) -> bool:
    return "raw/massgis_packages" in name


# Most files are the same in the copies that tests take.
_DECODED: dict[tuple[bool, bytes], bytes] = {}


def _decoded(name: str, content: bytes) -> bytes:
    known = (name.endswith(".gz"), hashlib.sha256(content).digest())
    if known not in _DECODED:
        if len(_DECODED) > _MOST_DECODED:
            _DECODED.clear()
        _DECODED[known] = _decode(name, content)
    return _DECODED[known]


def _decode(name: str, content: bytes) -> bytes:
    if name.endswith(".gz"):
        return gzip.decompress(content)
    if content[:4] == b"PAR1":
        rows = pq.ParquetFile(io.BytesIO(content)).read()
        plain = [n for n in rows.column_names if n not in ("geometry", "bbox")]
        # Uncompressed and without dictionaries every text stands in it as it is.
        bare = io.BytesIO()
        pq.write_table(rows.select(plain), bare, compression="none", use_dictionary=False)
        return bare.getvalue() + content[-4096:]
    if zipfile.is_zipfile(io.BytesIO(content)):
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            return b"\n".join(archive.read(one) for one in archive.namelist())
    return content


def places_that_say(planted: Planted, needles: Sequence[str]) -> list[str]:
    """Where one of these texts stands, in any case."""
    wanted = [needle.lower().encode() for needle in needles]
    found = ((name, content.lower()) for name, content in everything(planted))
    return [name for name, content in found if any(one in content for one in wanted)]
