"""The online geocoder over real sockets: what it answers, how it fails, and when it is asked at all."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from leadflow_assets.errors import SourceAnswerError, SourceUnavailableError, UsageError
from leadflow_assets.search.geocode.geocoder import EXPECTED_ERRORS, Geocoder
from leadflow_assets.search.geocode.places import NotLocatedError
from leadflow_assets.search.statement import to_state_plane
from leadflow_assets.sources.census_geocoder import CensusGeocoder, CensusMatch
from leadflow_assets_tests.unit.test_geocoder import BELLINGHAM, lots, relation
from leadflow_assets_tests.vendors.census import Answer, CensusServer, document, match

POINT = (-71.4746, 42.0868)
FOUND = match("16 ELSEWHERE ST, BELLINGHAM, MA, 02019", *POINT)
UNKNOWN = "16 Elsewhere St, Bellingham"


@pytest.fixture
def census() -> Iterator[CensusServer]:
    with CensusServer() as server:
        yield server


def _client(census: CensusServer, *, timeout: float = 10.0) -> CensusGeocoder:
    return CensusGeocoder(census.base, timeout=timeout, sleep=lambda seconds: None)


def _geocoder(census: CensusServer) -> Geocoder:
    return Geocoder(relation(lots("EXAMPLE ST", [2, 4, 400])), online=_client(census))


# --- The client


def test_a_match_is_read_whole(census: CensusServer) -> None:
    census.matches["16 ELSEWHERE"] = [FOUND]
    (found,) = _client(census).find("16 Elsewhere St, Bellingham & more, MA")
    assert found == CensusMatch(FOUND["matchedAddress"], *POINT, city="BELLINGHAM", state="MA", zip="02019")
    assert census.asked == [
        {
            "address": "16 Elsewhere St, Bellingham & more, MA",
            "benchmark": "Public_AR_Current",
            "format": "json",
        }
    ]


def test_no_match_is_an_answer(census: CensusServer) -> None:
    assert _client(census).find(UNKNOWN) == ()


def test_a_base_with_a_slash_at_its_end_is_the_same(census: CensusServer) -> None:
    assert CensusGeocoder(f"{census.base}/").find(UNKNOWN) == ()


@pytest.mark.parametrize("status", [500, 502, 503, 429])
def test_a_passing_fault_is_asked_again_and_then_named(census: CensusServer, status: int) -> None:
    census.matches["ELSEWHERE"] = [FOUND]
    census.answers.extend([Answer(status)] * 2)
    assert len(_client(census).find(UNKNOWN)) == 1
    census.answers.extend([Answer(status)] * 3)
    with pytest.raises(SourceUnavailableError, match=str(status)) as error:
        _client(census).find(UNKNOWN)
    assert "Elsewhere" not in str(error.value)


def test_silence_is_unavailable(census: CensusServer) -> None:
    census.answers.append(Answer(hang=True))
    with pytest.raises(SourceUnavailableError, match="in time"):
        _client(census, timeout=0.2).find(UNKNOWN)


@pytest.mark.parametrize(
    "answer",
    [
        Answer(400, b'{"errors":["Bad benchmark"],"status":"400"}'),
        Answer(body=b"<html><body>Maintenance</body></html>", content_type="text/html"),
        Answer(body=b""),
        Answer(body=b"{"),
        Answer(body=b"[]"),
        Answer(body=b'{"result": {}}'),
        Answer(body=b'{"result": {"addressMatches": null}}'),
        Answer(body=b'{"result": {"addressMatches": [{}]}}'),
        Answer(body=b'{"result": {"addressMatches": [[]]}}'),
        Answer(body=document("x", FOUND | {"addressComponents": []})),
        Answer(body=document("x", FOUND | {"coordinates": {"x": "east", "y": 42}})),
        Answer(body=document("x", FOUND | {"coordinates": {"x": float("nan"), "y": 42}})),
        Answer(body=b"[" * 100_000),
        Answer(body=b"\xff\xfe\x00"),
        Answer(body=b" " * 1_000_001),
    ],
)
def test_an_answer_of_another_form_is_named_without_the_address(census: CensusServer, answer: Answer) -> None:
    census.answers.append(answer)
    with pytest.raises(SourceAnswerError) as error:
        _client(census).find(UNKNOWN)
    assert "Elsewhere" not in str(error.value)
    assert len(census.asked) == 1


# --- Inside the geocoder


def test_what_the_parcels_know_is_never_asked_online(census: CensusServer) -> None:
    geocoder = _geocoder(census)
    assert geocoder.locate("2 Example St, Bellingham").method == "exact"
    assert geocoder.locate("42.0868,-71.4746").method == "coordinates"
    assert census.asked == []


def test_an_unknown_street_is_asked_online_and_the_answer_says_so(census: CensusServer) -> None:
    census.matches["16 ELSEWHERE"] = [FOUND]
    found = _geocoder(census).locate(UNKNOWN, radius_m=800)
    assert (found.method, found.lon, found.lat) == ("census", *POINT)
    assert (found.x, found.y) == pytest.approx(to_state_plane(*POINT))
    assert (found.expected_error_m, found.worst_error_m) == EXPECTED_ERRORS["census"]
    assert (found.town_id, found.matched) == (BELLINGHAM, FOUND["matchedAddress"])
    assert found.source == "US Census geocoder (Public_AR_Current)"


def test_a_town_without_data_and_a_village_are_asked_online_too(census: CensusServer) -> None:
    census.matches["ELSEWHERE"] = [
        match("16 ELSEWHERE ST, BALDWINVILLE, MA, 01436", *POINT, city="BALDWINVILLE")
    ]
    geocoder = _geocoder(census)
    assert geocoder.locate("16 Elsewhere St, Templeton").town_id is None
    assert geocoder.locate("16 Elsewhere St, Baldwinville, MA").method == "census"
    assert [query["address"].upper() for query in census.asked] == [
        "16 ELSEWHERE ST, TEMPLETON, MA",
        "16 ELSEWHERE ST, BALDWINVILLE, MA",
    ]


def test_the_searchs_one_town_is_added_to_the_question(census: CensusServer) -> None:
    census.matches["BELLINGHAM"] = [FOUND]
    assert _geocoder(census).locate("16 Elsewhere St", towns=[BELLINGHAM]).method == "census"
    assert census.asked[0]["address"].upper() == "16 ELSEWHERE ST, BELLINGHAM, MA"


def test_an_address_without_any_place_is_not_asked_online(census: CensusServer) -> None:
    with pytest.raises(NotLocatedError):
        _geocoder(census).locate("16 Elsewhere St")
    assert census.asked == []


def test_a_question_for_the_person_is_not_asked_online(census: CensusServer) -> None:
    rows = [*lots("SAMPLE RD", [2]), *lots("SAMPLE AVE", [2])]
    geocoder = Geocoder(relation(rows), online=_client(census))
    for text in ("2 Sample, Bellingham", "PO Box 2, Bellingham", "-71.4746,42.0868"):
        with pytest.raises(UsageError):
            geocoder.locate(text)
    assert census.asked == []


def test_online_may_be_good_enough_where_the_parcels_are_too_vague(census: CensusServer) -> None:
    census.matches["200 EXAMPLE"] = [match("200 EXAMPLE ST, BELLINGHAM, MA, 02019", *POINT)]
    geocoder = _geocoder(census)
    assert geocoder.locate("200 Example St, Bellingham").method == "street"
    assert geocoder.locate("200 Example St, Bellingham", radius_m=500).method == "census"
    with pytest.raises(NotLocatedError, match="its street"):
        geocoder.locate("200 Example St, Bellingham", radius_m=100)


def test_nothing_found_online_either_keeps_the_first_reason(census: CensusServer) -> None:
    with pytest.raises(NotLocatedError, match=r"no street ELSEWHERE ST.*Census geocoder found nothing"):
        _geocoder(census).locate(UNKNOWN)


def test_a_point_outside_the_state_is_nothing_found(census: CensusServer) -> None:
    census.matches["ELSEWHERE"] = [
        match("16 ELSEWHERE ST, BELLINGHAM, WA, 98225", -122.48, 48.75, state="WA"),
        match("16 ELSEWHERE ST, NOWHERE, MA, 02019", -80.0, 42.0),
    ]
    with pytest.raises(NotLocatedError, match="found nothing in Massachusetts"):
        _geocoder(census).locate(UNKNOWN)


def test_several_matches_apart_are_asked_about(census: CensusServer) -> None:
    other = match("16 ELSEWHERE RD, BELLINGHAM, MA, 02019", -71.45, 42.1)
    census.matches["ELSEWHERE"] = [FOUND, other]
    with pytest.raises(UsageError, match=r"16 ELSEWHERE ST.*or 16 ELSEWHERE RD"):
        _geocoder(census).locate(UNKNOWN)
    census.matches["ELSEWHERE"] = [FOUND, FOUND]
    assert _geocoder(census).locate(UNKNOWN).method == "census"


def test_a_failing_service_is_named_together_with_the_parcels_reason(census: CensusServer) -> None:
    census.answers.extend([Answer(503)] * 3)
    with pytest.raises(SourceUnavailableError, match=r"no street ELSEWHERE ST.*answered 503") as error:
        _geocoder(census).locate(UNKNOWN)
    assert error.value.retryable
