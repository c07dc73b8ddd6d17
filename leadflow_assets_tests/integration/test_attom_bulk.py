"""Delivered files: every delimiter, encoding and header spelling, broken lines, deletions in their order."""

from __future__ import annotations

import csv
import io
import json
import zipfile
from collections.abc import Sequence
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from leadflow_assets.errors import SourceAnswerError, UsageError
from leadflow_assets.lake.audit import audit_file
from leadflow_assets.lake.tables import ATTOM_PROPERTIES
from leadflow_assets.sources.attom.bulk import BulkLoad, delivery_id, load_delivered
from leadflow_assets.sources.attom.bulk_file import open_delivered
from leadflow_assets.sources.attom.record import arrow_fields

FETCHED = datetime(2026, 10, 1, 12, tzinfo=UTC)
TAX = {
    "[ATTOM ID]": "1001",
    "SitusStateCountyFIPS": "25099",
    "PropertyJurisdictionName": "SAMPLETON",
    "ParcelNumberRaw": "12-34-0",
    "PropertyAddressFull": "12  SAMPLE ST ",
    "PropertyAddressZIP": "01999",
    "PartyOwner1NameFull": "EXAMPLE PAT",
    "CompanyFlag": "",
    "ContactOwnerMailAddressFull": "12 SAMPLE ST",
    "StatusOwnerOccupiedFlag": "O",
    "TaxAssessedValueTotal": "$400,000",
    "TaxBilledAmount": "5120.45",
    "TaxDelinquentYear": "2024",
    "DeedLastSaleDate": "5/28/2021",
    "DeedLastSalePrice": "-1",
    "AssessorLastSaleAmount": "400000",
    "UnitsCount": "0",
    "PropertyLatitude": "42.345678",
    "PropertyLongitude": "-71.234567",
    "BreezewayFlag": "1",
    "PublicationDate": "2026-09-30",
}


def written(
    path: Path,
    rows: Sequence[dict[str, Any]],
    *,
    delimiter: str = "\t",
    encoding: str = "utf-8",
    quoting: int = csv.QUOTE_NONE,
) -> Path:
    """Rows as a text file with a header; all rows have the keys of the first."""
    buffer = io.StringIO(newline="")
    quotechar = None if quoting == csv.QUOTE_NONE else '"'
    writer = csv.writer(
        buffer, delimiter=delimiter, quoting=quoting, quotechar=quotechar, lineterminator="\r\n"
    )
    writer.writerow(rows[0])
    writer.writerows([row[name] for name in rows[0]] for row in rows)
    path.write_bytes(buffer.getvalue().encode(encoding))
    return path


def load(tmp_path: Path, *paths: Path) -> tuple[BulkLoad, list[dict[str, Any]]]:
    scratch = tmp_path / "scratch"
    files = [file for path in paths for file in open_delivered(path, scratch)]
    found = load_delivered(files, tmp_path / "out.parquet", fetched_at=FETCHED, scratch=scratch)
    table = pq.read_table(found.path)
    # DuckDB declares every column nullable; names, order and types are those of a property.
    assert [(f.name, f.type) for f in table.schema] == [(f.name, f.type) for f in arrow_fields()]
    assert table.num_rows == found.properties
    return found, sorted(table.to_pylist(), key=lambda row: row["attom_id"])


def test_a_tax_file_becomes_properties(tmp_path: Path) -> None:
    found, (row,) = load(tmp_path, written(tmp_path / "TAXASSESSOR_0001.txt", [TAX]))
    assert (found.dataset, found.rows, found.properties) == ("TAX_ASSESSOR", 1, 1)
    assert (row["attom_id"], row["site_address"], row["municipality"]) == (1001, "12 SAMPLE ST", "SAMPLETON")
    assert (row["owner_1"], row["owner_occupied"], row["owner_is_company"]) == ("EXAMPLE PAT", True, None)
    assert (row["assessed_total"], row["tax_amount"], row["tax_delinquent_year"]) == (400_000, 5120.45, 2024)
    assert (row["last_sale_date"], row["last_sale_price"]) == (date(2021, 5, 28), 400_000)
    assert row["units"] is None and row["longitude"] == -71.234567
    assert (row["tax_source"], row["tax_source_date"]) == ("TAX_ASSESSOR", date(2026, 9, 30))
    assert row["tax_fetched_at"] == FETCHED
    assert row["mortgage_source"] is row["avm_source"] is row["mortgage_amount"] is None


@pytest.mark.parametrize("delimiter", ["\t", "|", ",", ";"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "latin-1"])
def test_every_delimiter_and_encoding_is_told_by_the_file(
    tmp_path: Path, delimiter: str, encoding: str
) -> None:
    quoting = csv.QUOTE_MINIMAL if delimiter in ",;" else csv.QUOTE_NONE
    many = [TAX | {"[ATTOM ID]": str(n)} for n in range(1, 400)]
    last = TAX | {
        "[ATTOM ID]": "1001",
        "PartyOwner1NameFull": "EXAMPLE RENÉE",
        "PropertyJurisdictionName": "Ñ",
    }
    path = written(
        tmp_path / "file.txt", [*many, last], delimiter=delimiter, encoding=encoding, quoting=quoting
    )
    found, rows = load(tmp_path, path)
    assert found.broken == () and len(rows) == 400
    assert (rows[-1]["owner_1"], rows[-1]["municipality"]) == ("EXAMPLE RENÉE", "Ñ")
    assert rows[0]["assessed_total"] == 400_000


@pytest.mark.parametrize("delimiter", ["|", "\t", ","])
def test_quotes_are_read_where_they_are_used(tmp_path: Path, delimiter: str) -> None:
    name = f'EXAMPLE "SAM"{delimiter} PAT'
    path = written(
        tmp_path / "q.csv", [TAX | {"PartyOwner1NameFull": name}], delimiter=delimiter, quoting=csv.QUOTE_ALL
    )
    _, (row,) = load(tmp_path, path)
    assert row["owner_1"] == " ".join(name.split())


def test_a_stray_quote_in_a_plain_file_is_a_letter(tmp_path: Path) -> None:
    rows = [TAX | {"[ATTOM ID]": n, "PartyOwner1NameFull": f'{n}" PIPE LLC'} for n in ("1", "2")]
    _, found = load(tmp_path, written(tmp_path / "t.txt", rows))
    assert [row["owner_1"] for row in found] == ['1" PIPE LLC', '2" PIPE LLC']


@pytest.mark.parametrize("name", ["ATTOMID", "ATTOM_ID", "attom id", "[ATTOM ID]", "Attom-Id"])
def test_headers_in_any_spelling(tmp_path: Path, name: str) -> None:
    spelled = {key.upper().replace("TAX", "TAX_"): value for key, value in TAX.items() if key != "[ATTOM ID]"}
    _, (row,) = load(tmp_path, written(tmp_path / "t.txt", [{name: "1001"} | spelled]))
    assert (row["attom_id"], row["assessed_total"]) == (1001, 400_000)


def test_unknown_columns_are_kept_as_json_and_named(tmp_path: Path) -> None:
    odd = {'New "Flag"': 'a "b" \\ c', "it's": "1", "Blank": "", "Umlaut Ä": "ü"}
    found, (row,) = load(tmp_path, written(tmp_path / "t.txt", [TAX | odd]))
    assert found.unknown_columns == tuple(odd)
    assert json.loads(row["other_columns"]) == {name: value for name, value in odd.items() if value}
    _, (row,) = load(tmp_path, written(tmp_path / "u.txt", [TAX]))
    assert row["other_columns"] is None, "columns that the vendor documents stay in the file"


@pytest.mark.parametrize("fields", [["2"], ["2"] + ["x"] * 60])
def test_a_broken_line_in_the_middle_is_set_aside_and_the_rest_is_read(
    tmp_path: Path, fields: list[str]
) -> None:
    path = written(tmp_path / "t.txt", [TAX | {"[ATTOM ID]": str(n)} for n in (1, 2, 3)])
    lines = path.read_bytes().split(b"\r\n")
    lines[2] = "\t".join(fields).encode()
    path.write_bytes(b"\r\n".join(lines))
    found, rows = load(tmp_path, path)
    assert [row["attom_id"] for row in rows] == [1, 3]
    (broken,) = found.broken
    assert (broken.file, broken.line, found.rows) == ("t.txt", 3, 2)
    assert "columns" in broken.reason and broken.text.startswith("2")


def test_a_quote_that_is_never_closed_costs_no_more_than_its_line(tmp_path: Path) -> None:
    rows = [TAX | {"[ATTOM ID]": str(n)} for n in range(1, 8)]
    path = written(tmp_path / "t.csv", rows, delimiter=",", quoting=csv.QUOTE_ALL)
    lines = path.read_bytes().split(b"\r\n")
    lines[4] = lines[4].replace(b'"SAMPLETON"', b'"SAMPLETON')
    path.write_bytes(b"\r\n".join(lines))
    found, loaded = load(tmp_path, path)
    assert [row["attom_id"] for row in loaded] == [1, 2, 3, 5, 6, 7]
    assert [broken.line for broken in found.broken] == [5]


def test_rows_without_an_id_and_repeated_rows_are_counted(tmp_path: Path) -> None:
    ids = ["1", "2", "", "0", "x", "1"]
    rows = [TAX | {"[ATTOM ID]": n, "TaxAssessedValueTotal": str(k + 1)} for k, n in enumerate(ids)]
    found, loaded = load(tmp_path, written(tmp_path / "t.txt", rows))
    assert {row["attom_id"]: row["assessed_total"] for row in loaded} == {1: 6, 2: 2}
    assert (found.rows, found.properties, found.replaced, found.without_id) == (6, 2, 1, 3)


def test_deletions_apply_in_the_order_of_the_files(tmp_path: Path) -> None:
    first = written(tmp_path / "a.txt", [TAX | {"[ATTOM ID]": str(n)} for n in (1, 2, 3)])
    deletes = written(tmp_path / "TAXASSESSOR_DELETES.txt", [{"ATTOMID": "1"}, {"ATTOMID": "2"}])
    back = written(tmp_path / "b.txt", [TAX | {"[ATTOM ID]": "2", "TaxAssessedValueTotal": "7"}])
    found, rows = load(tmp_path, first, deletes, back)
    assert {row["attom_id"]: row["assessed_total"] for row in rows} == {2: 7, 3: 400_000}
    assert (found.rows, found.properties, found.replaced, found.deleted) == (4, 2, 1, 1)
    found, rows = load(tmp_path, first, back, deletes)
    assert [row["attom_id"] for row in rows] == [3] and found.deleted == 2
    found, rows = load(tmp_path, deletes, first)
    assert len(rows) == 3 and found.deleted == 0


def test_a_row_may_say_that_it_is_deleted(tmp_path: Path) -> None:
    live = TAX | {"DBDELETEDATE": ""}
    gone = [live | {"[ATTOM ID]": "1"}, live | {"[ATTOM ID]": "2"}]
    gone += [live | {"[ATTOM ID]": "1", "DBDELETEDATE": "2026-09-01 10:00:00"}]
    found, rows = load(tmp_path, written(tmp_path / "t.txt", gone))
    assert [row["attom_id"] for row in rows] == [2]
    assert (found.rows, found.replaced, found.deleted) == (3, 1, 1)


@settings(deadline=None, max_examples=8, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.lists(
        st.tuples(st.booleans(), st.lists(st.integers(1, 4), min_size=1, max_size=4)), min_size=1, max_size=4
    )
)
def test_any_order_of_rows_and_deletions_ends_as_replayed_by_hand(
    tmp_path: Path, steps: list[tuple[bool, list[int]]]
) -> None:
    expected: dict[int, int] = {}
    paths = [written(tmp_path / "0.txt", [TAX | {"[ATTOM ID]": "9"}])]
    for number, (deletes, ids) in enumerate(steps, 1):
        if deletes:
            rows = [{"ATTOMID": str(n)} for n in ids]
            expected = {n: v for n, v in expected.items() if n not in ids}
        else:
            rows = [TAX | {"[ATTOM ID]": str(n), "TaxAssessedValueTotal": str(number)} for n in ids]
            expected |= dict.fromkeys(ids, number)
        paths.append(written(tmp_path / f"{number}-{'deletes' if deletes else 'rows'}.txt", rows))
    found, loaded = load(tmp_path, *paths)
    assert {row["attom_id"]: row["assessed_total"] for row in loaded if row["attom_id"] != 9} == expected
    assert found.rows == found.properties + found.replaced + found.deleted + found.without_id


NOTICE = {
    "TransactionID": "77",
    "ATTOMID": "1001",
    "RecordType": "LIS",
    "BorrowerNameOwner": "EXAMPLE PAT",
    "ForeclosureRecordingDate": "2026-08-14",
    "AuctionDate": "",
    "OriginalLoanLoanNumber": "900001",
    "OriginalLoanAmount": "$300,000",
    "JudgmentAmount": "0",
    "DefaultAmount": "12345",
    "CaseNumber": "26 SM 000001",
    "LenderNameFullStandardized": "SAMPLE SAVINGS BANK",
    "RecordLastUpdated": "2026-08-20 01:02:03",
    "PublicationDate": "2026-09-30",
}


def test_notices_of_a_property_are_gathered_newest_first(tmp_path: Path) -> None:
    older = NOTICE | {"TransactionID": "5", "RecordType": "nod", "ForeclosureRecordingDate": "1/2/2019"}
    association = older | {"TransactionID": "6", "OriginalLoanLoanNumber": "HOA"}
    path = written(tmp_path / "PREFORECLOSURE_0001.txt", [older, NOTICE, association], delimiter="|")
    found, (row,) = load(tmp_path, path)
    assert (found.rows, found.properties, found.replaced) == (3, 1, 0)
    assert (row["foreclosure_stage"], row["foreclosure_creditor_kind"]) == ("lis_pendens", "lender")
    assert (row["foreclosure_recording_date"], row["foreclosure_judgment_amount"]) == (
        date(2026, 8, 14),
        None,
    )
    notices = row["foreclosure_records"]
    assert [notice["stage"] for notice in notices] == ["lis_pendens", "default_notice", "default_notice"]
    assert {notice["creditor_kind"] for notice in notices} == {"lender", "association"}
    assert (row["foreclosure_source"], row["foreclosure_source_date"]) == (
        "PREFORECLOSURE",
        date(2026, 9, 30),
    )


def test_one_notice_is_deleted_and_the_property_stays(tmp_path: Path) -> None:
    both = written(tmp_path / "a.txt", [NOTICE, NOTICE | {"TransactionID": "78", "RecordType": "NFS"}])
    deletes = written(tmp_path / "delete.txt", [{"TransactionID": "78", "ATTOMID": "1001"}])
    found, (row,) = load(tmp_path, both, deletes)
    assert [notice["record_type"] for notice in row["foreclosure_records"]] == ["LIS"]
    assert (found.properties, found.deleted) == (1, 1)


def test_the_help_centres_layout_is_read_too(tmp_path: Path) -> None:
    example = {
        "ATTOM ID": "1001",
        "Recording Date": "06/25/2009",
        "Record Type": "NTS",
        "Original Loan Amount": "$109,831",
        "Lender Name": "SAMPLE SAVINGS BANK",
        "Trustee Name": "SAMPLE TRUSTEES",
        "Auction Date": "4/1/2010",
        "Auction Time": "12:30 PM",
        "Recorded Opening Bid": "$120,500",
    }
    _, (row,) = load(tmp_path, written(tmp_path / "f.csv", [example], delimiter=",", quoting=csv.QUOTE_ALL))
    assert (row["foreclosure_stage"], row["foreclosure_opening_bid"]) == ("sale_notice", 120_500)
    assert (row["foreclosure_recording_date"], row["foreclosure_auction_date"]) == (
        date(2009, 6, 25),
        date(2010, 4, 1),
    )


def test_open_loans_are_original_amounts(tmp_path: Path) -> None:
    loans = {
        "ATTOMID": "1001",
        "CurrentFirstPositionOpenLoanAmount": "300000",
        "CurrentFirstPositionOpenLoanRecordingDate": "2021-06-01",
        "CurrentFirstPositionOpenLoanType": "P",
        "CurrentFirstPositionOpenLoanLenderNameFirst": "SAMPLE SAVINGS BANK",
        "CurrentFirstPositionOpenLoanInterestRate": "0.000",
        "CurrentSecondPositionOpenLoanAmount": "0",
        "CurrentThirdPositionOpenLoanAmount": "-1",
        "LTV": "57.5",
        "AvailableEquity": "-2500",
        "LendableEquity": "0",
        "PublicationDate": "2026-09-30",
    }
    blank = dict.fromkeys(loans, "0") | {"ATTOMID": "1002", "PublicationDate": "2026-09-30"}
    blank |= {"AvailableEquity": "", "LendableEquity": ""}
    _, (row, other) = load(tmp_path, written(tmp_path / "loans.csv", [loans, blank], delimiter=","))
    (loan,) = row["open_loans"]
    assert (loan["position"], loan["original_amount"], loan["rate"]) == (1, 300_000, None)
    assert (row["loan_to_value"], row["available_equity"], row["equity_is_estimate"]) == (57.5, -2500, True)
    assert row["total_loan_balance"] is None, "an amount lent is no balance"
    assert other["open_loans"] is other["equity_source"] is other["equity_is_estimate"] is None


def test_deeds_and_mortgages_of_the_recorder(tmp_path: Path) -> None:
    deed = {
        "TransactionID": "1",
        "ATTOMID": "1001",
        "DocumentTypeCode": "DTWD",
        "InstrumentDate": "2021-05-28",
        "RecordingDate": "",
        "TransferAmount": "400000",
        "QuitclaimFlag": "0",
        "Grantor1NameFull": "SAMPLE SELLER",
        "Grantee1NameFull": "EXAMPLE PAT",
        "Mortgage1Amount": "300000",
        "Mortgage1LenderNameFullStandardized": "SAMPLE SAVINGS BANK",
        "Mortgage1Term": "30",
        "Mortgage1TermType": "YEARS",
        "Mortgage1InterestRate": "3.125",
        "Mortgage2Amount": "-1",
    }
    quitclaim = deed | {
        "TransactionID": "2",
        "InstrumentDate": "2023-01-05",
        "TransferAmount": "0",
        "QuitclaimFlag": "1",
        "Mortgage1Amount": "0",
    }
    _, (row,) = load(tmp_path, written(tmp_path / "RECORDER_0001.csv", [deed, quitclaim], delimiter=","))
    assert [(s["sale_date"], s["price"], s["is_nominal"]) for s in row["sale_history"]] == [
        (date(2023, 1, 5), None, True),
        (date(2021, 5, 28), 400_000, False),
    ]
    assert (row["mortgage_amount"], row["mortgage_term_months"], row["mortgage_rate"]) == (
        300_000,
        360,
        3.125,
    )
    assert row["second_mortgage_amount"] is None and row["mortgage_found"] is True


@pytest.mark.parametrize(
    ("row", "dataset", "expected"),
    [
        (
            {
                "[ATTOM ID]": "1",
                "EstimatedValue": "$520,000",
                "ConfidenceScore": "88",
                "ValuationDate": "09/20/26",
            },
            "AVM",
            {"avm_value": 520_000, "avm_score": 88, "avm_date": date(2026, 9, 20)},
        ),
        (
            {"ATTOM_ID": "1", "Propensity_To_Default_Score": "0", "Propensity_To_Default_Group": "Low"},
            "PROPENSITY",
            {"propensity_score": 0.0, "propensity_group": "Low"},
        ),
        (
            {"ATTOMID": "1", "LienType": "Mechanic", "LienAmount": "$1,200", "LienDate": "2/3/2024"},
            "LIENS",
            {},
        ),
    ],
)
def test_small_files_are_told_by_their_headers(
    tmp_path: Path, row: dict[str, str], dataset: str, expected: dict[str, Any]
) -> None:
    found, (loaded,) = load(tmp_path, written(tmp_path / "x.txt", [row]))
    assert found.dataset == dataset
    assert {name: loaded[name] for name in expected} == expected
    if dataset == "LIENS":
        (lien,) = loaded["lien_records"]
        assert (lien["kind"], lien["amount"], lien["recording_date"]) == ("Mechanic", 1200, date(2024, 2, 3))


def test_a_zip_is_opened_and_the_same_bytes_are_the_same_delivery(tmp_path: Path) -> None:
    plain = written(tmp_path / "TAXASSESSOR_0001.txt", [TAX])
    archive = tmp_path / "delivery.zip"
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as file:
        file.write(plain, "../escape/TAXASSESSOR_0001.txt")
        file.writestr("readme.pdf", "x")
    scratch = tmp_path / "scratch"
    (opened,) = open_delivered(archive, scratch)
    assert opened.delivered_name == "delivery.zip:TAXASSESSOR_0001.txt"
    assert opened.path.parent == scratch and not (tmp_path / "escape").exists()
    found, (row,) = load(tmp_path, archive)
    again, same = load(tmp_path, archive)
    assert found.delivery_id == again.delivery_id == delivery_id([opened]) and same == [row]
    other, _ = load(tmp_path, written(tmp_path / "TAXASSESSOR_0001.txt", [TAX | {"UnitsCount": "2"}]))
    assert other.delivery_id != found.delivery_id


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("t.txt", b"Address,City\n1,2\n", "no column of ATTOM ids"),
        ("t.txt", b"", "no column of ATTOM ids"),
        ("t.txt", b"ATTOMID,Something\n1,2\n", "none of the files known"),
        ("t.zip", b"PK\x03\x04broken PK\x05\x06" + b"\x00" * 18, "holds no text file|broken zip"),
    ],
)
def test_a_file_that_is_none_of_these_is_named(tmp_path: Path, name: str, content: bytes, said: str) -> None:
    path = tmp_path / name
    path.write_bytes(content)
    with pytest.raises(SourceAnswerError, match=said):
        open_delivered(path, tmp_path / "scratch")


def test_files_of_two_kinds_are_not_mixed(tmp_path: Path) -> None:
    paths = [written(tmp_path / "a.txt", [TAX]), written(tmp_path / "b.txt", [NOTICE])]
    with pytest.raises(UsageError, match="PREFORECLOSURE, TAX_ASSESSOR"):
        load(tmp_path, *paths)


def test_the_file_can_be_published_as_it_is(tmp_path: Path) -> None:
    scratch = tmp_path / "scratch"
    found = load_delivered(
        open_delivered(written(tmp_path / "t.txt", [TAX]), scratch),
        tmp_path / "o.parquet",
        fetched_at=FETCHED,
        scratch=scratch,
        batch_id="it's b1",
        metadata={"leadflow.table": "core/attom_properties"},
    )
    file = pq.ParquetFile(found.path)
    assert file.schema_arrow.metadata[b"leadflow.table"] == b"core/attom_properties"
    assert (file.schema_arrow.names[0], file.read()["batch_id"].to_pylist()) == ("batch_id", ["it's b1"])
    report = audit_file(found.path, ATTOM_PROPERTIES)
    assert report.problems == ()


def test_hundreds_of_unknown_columns_still_fit_into_little_memory(tmp_path: Path) -> None:
    wide = TAX | {f"New{n}": f"value {n}" for n in range(250)}
    path = written(tmp_path / "wide.txt", [wide | {"[ATTOM ID]": str(n)} for n in range(1, 3001)])
    scratch = tmp_path / "scratch"
    found = load_delivered(
        open_delivered(path, scratch),
        tmp_path / "o.parquet",
        fetched_at=FETCHED,
        scratch=scratch,
        memory="700MB",
    )
    assert (found.properties, len(found.unknown_columns)) == (3000, 250)
