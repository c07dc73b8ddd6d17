"""Dockets for the loopback CourtListener: fictional people, real towns and ZIPs, the vendor's real shapes.

The identifiers under the debtors' addresses are made up, and have the form in which courts print them, so
that a test can look for them everywhere.
"""

from __future__ import annotations

import calendar
import random
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

SITE = "https://www.courtlistener.com"
_PACIFIC = ZoneInfo("America/Los_Angeles")
_FIRST = (
    "Ada", "Amos", "Anya", "Basil", "Beatrix", "Caleb", "Cora", "Dario", "Delia", "Edwin", "Elsa", "Ezra",
    "Flora", "Gideon", "Greta", "Harlan", "Ingrid", "Ivo", "Juno", "Leopold", "Linus", "Mabel", "Milo",
    "Nadia", "Odette", "Otis", "Petra", "Quincy", "Rhea", "Rufus", "Selma", "Silas", "Tessa", "Ursula",
    "Wanda", "Xenia", "Yusuf", "Zelda",
)  # fmt: skip
_HEADS = ("Alder", "Bracken", "Cinder", "Dapple", "Fennel", "Gorse", "Kestrel", "Nettle", "Quill", "Umber")
_TAILS = ("cote", "fell", "gate", "holt", "hurst", "mere", "rigg", "shaw", "thorp", "wold")
_STREETS = ("Granite St", "Cider Mill Rd", "Goose Hill Rd", "Old Post Rd", "Kettle Pond Ln", "Foundry Street")
_PLACES = (
    ("Bellingham", "02019"),
    ("Franklin", "02038"),
    ("Worcester", "01604"),
    ("Holden", "01520"),
    ("North Andover", "01845"),
    ("Acton", "01720"),
    ("Springfield", "01109"),
    ("Manchester", "01944"),
)
_FIRMS = ("Copper Newt Cafe, Inc.", "Nine Thimble LLC", "Paper Whale Corp.", "Tin Harbor Builders, LLC")
TRUSTEES = ("Percival Sorrelby", "Minerva Tamarden")


@dataclass(frozen=True)
class SampleParty:
    """One party as the parties endpoint has it. ``attorneys`` are their roles (2 lead, 6 terminated)."""

    name: str
    type: str
    extra_info: str = ""
    attorneys: tuple[int, ...] = ()


@dataclass(frozen=True)
class SampleCase:
    """One docket of the vendor. ``date_filed`` None: born from the court's feed."""

    docket_id: int
    court_id: str
    docket_number: str
    case_name: str
    date_filed: date | None
    chapter: str = ""
    trustee: str = ""
    nature_of_suit: str = ""
    cause: str = ""
    date_terminated: date | None = None
    created: date | None = None
    parties: tuple[SampleParty, ...] = ()

    @property
    def path(self) -> str:
        """The docket's page."""
        slug = "-".join("".join(c if c.isalnum() else " " for c in self.case_name.lower()).split())
        return f"/docket/{self.docket_id}/{slug}/"

    @property
    def made(self) -> datetime:
        """When CourtListener made it."""
        day = self.created or self.date_filed or date(2026, 10, 1)
        return datetime.combine(day, time(6, 30), _PACIFIC)


@dataclass(frozen=True)
class Debtor:
    """Somebody to plant in a month: the name on the docket and the lines of the address."""

    name: str
    lines: tuple[str, ...]
    joint: str | None = None


@dataclass
class _Maker:
    dice: random.Random
    identifiers: list[str] = field(default_factory=list)

    def person(self) -> str:
        surname = self.dice.choice(_HEADS) + self.dice.choice(_TAILS)
        middle = f" {self.dice.choice('ABCDEGHJKLMNPRSTW')}." if self.dice.random() < 0.5 else ""
        return f"{self.dice.choice(_FIRST)}{middle} {surname}"

    def lines(self) -> tuple[str, ...]:
        city, zip_code = self.dice.choice(_PLACES)
        unit = (f"Unit {self.dice.randint(1, 40)}",) if self.dice.random() < 0.15 else ()
        street = f"{self.dice.randint(1, 480)} {self.dice.choice(_STREETS)}"
        if self.dice.random() < 0.04:
            return (street, "Nashua, NH 03060")
        return (street, *unit, f"{city}, MA {zip_code}")

    def social(self) -> str:
        text = f"xxx-xx-{self.dice.randint(1000, 9999)}"
        self.identifiers.append(text)
        return f"SSN / ITIN: {text}"

    def employer(self) -> str:
        text = f"{self.dice.randint(10, 99)}-{self.dice.randint(1000000, 9999999)}"
        self.identifiers.append(text)
        return f"Tax ID / EIN: {text}"

    def debtor(self, planted: Debtor | None) -> tuple[str, tuple[SampleParty, ...]]:
        """The name of the case, and its debtors."""
        attorneys = (2,) if self.dice.random() < 0.85 else ()
        if planted is None and self.dice.random() < 0.06:
            firm = self.dice.choice(_FIRMS)
            extra = "\n".join([*self.lines(), self.employer()])
            return firm, (SampleParty(firm, "Debtor", extra, attorneys),)
        name = planted.name if planted else self.person()
        joint = planted.joint if planted else None
        if planted is None and self.dice.random() < 0.2:
            joint = f"{self.dice.choice(_FIRST)} {name.split()[-1]}"
        lines = planted.lines if planted else self.lines()
        through = ("c/o Quill & Umber, Esq.",) if planted is None and self.dice.random() < 0.03 else ()
        extra = "\n".join([*through, *lines, self.social()])
        debtors = [SampleParty(name, "Debtor", extra, attorneys)]
        if joint:
            debtors.append(SampleParty(joint, "Joint Debtor", "\n".join([*lines, self.social()]), attorneys))
        return f"{name} and {joint}" if joint else name, tuple(debtors)


def sample_month(
    year: int = 2026,
    month: int = 10,
    *,
    count: int = 600,
    court: str = "mab",
    planted: Sequence[Debtor] = (),
    seed: int = 1,
) -> tuple[list[SampleCase], list[str]]:
    """A month of bankruptcy cases with 2 % adversary proceedings and three dockets without a date.

    ``planted`` people are debtors of the first cases. Returns the cases and every identifier that was
    printed under an address.
    """
    maker = _Maker(random.Random(seed))
    days = calendar.monthrange(year, month)[1]
    cases = []
    for number in range(count):
        filed = date(year, month, 1 + number * days // count)
        name, debtors = maker.debtor(planted[number] if number < len(planted) else None)
        chapter = maker.dice.choices(("7", "13", "11"), (60, 36, 4))[0]
        trustee = maker.dice.choice(TRUSTEES)
        officials = (
            SampleParty(trustee, "Trustee", "P. O. Box 7\nWorcester, MA 01601\n508-555-0100"),
            SampleParty("Orla Vesperby", "Assistant U.S. Trustee", "446 Main Street\nWorcester, MA 01608"),
        )
        adversary = number % 50 == 49
        undated = number in (count // 3, count // 2, count - 2)
        if adversary:
            against = maker.dice.choice(("Lantern Cooperative Bank", "City of Nowhere"))
            plaintiff = debtors[0].name
            name = (
                f"{plaintiff} v. {against}" if number % 100 == 49 else f"{plaintiff} - Adversary Proceeding"
            )
            debtors = (SampleParty(plaintiff, "Plaintiff", debtors[0].extra_info, (2,)),
                       SampleParty(against, "Defendant", "1 Beacon St\nBoston, MA 02108"))  # fmt: skip
        cases.append(
            SampleCase(
                docket_id=70_000_000 + number * 7,
                court_id=court,
                docket_number=f"{year % 100}-{1000 + number // 50:05d}"
                if adversary
                else f"{year % 100}-{10000 + number}",
                case_name=name,
                date_filed=None if undated else filed,
                chapter="" if adversary or undated else chapter,
                trustee="" if adversary else trustee,
                nature_of_suit="426 Dischargeability 523" if adversary else "",
                created=filed + timedelta(days=1),
                parties=debtors if adversary else (*debtors, *officials),
            )
        )
    return cases, maker.identifiers


def hit(case: SampleCase, score: float = 1.5) -> dict[str, Any]:
    """A ``type=r`` search hit."""
    return {
        "assignedTo": "Honoria Plover",
        "assigned_to_id": None,
        "attorney": ["Quill Umber"],
        "attorney_id": [8800001],
        "caseName": case.case_name,
        "case_name_full": "",
        "cause": case.cause,
        "chapter": case.chapter,
        "court": "Bankr. D. Massachusetts" if case.court_id == "mab" else "District Court, D. Massachusetts",
        "court_citation_string": "Bankr. D. Mass." if case.court_id == "mab" else "D. Mass.",
        "court_id": case.court_id,
        "dateArgued": None,
        "dateFiled": case.date_filed.isoformat() if case.date_filed else None,
        "dateTerminated": case.date_terminated.isoformat() if case.date_terminated else None,
        "docketNumber": case.docket_number,
        "docket_absolute_url": case.path,
        "docket_id": case.docket_id,
        "firm": [],
        "firm_id": [],
        "jurisdictionType": "",
        "juryDemand": "",
        "meta": {
            "timestamp": case.made.isoformat(),
            "date_created": case.made.isoformat(),
            "score": {"bm25": score},
            "more_docs": False,
        },
        "pacer_case_id": str(case.docket_id - 69_500_000),
        "party": [party.name for party in case.parties],
        "party_id": [case.docket_id * 10 + place for place, _ in enumerate(case.parties)],
        "recap_documents": [
            {
                "id": case.docket_id + 1,
                "docket_entry_id": case.docket_id + 2,
                "description": f"Chapter {case.chapter or '7'} Voluntary Petition. Filed by {case.case_name}",
                "short_description": "Voluntary Petition",
                "entry_number": 1,
                "document_number": 1 if case.docket_id % 2 else "1",
                "is_available": False,
                "pacer_doc_id": "094012345678",
                "snippet": f"{case.parties[0].extra_info if case.parties else ''}",
            }
        ],
        "referredTo": None,
        "referred_to_id": None,
        "suitNature": case.nature_of_suit,
        "trustee_str": case.trustee,
    }


def docket(case: SampleCase, base: str) -> dict[str, Any]:
    """One docket of the database endpoint."""
    information = f"{base}/bankruptcy-information/{case.docket_id}/" if case.chapter else None
    return {
        "resource_uri": f"{base}/dockets/{case.docket_id}/",
        "id": case.docket_id,
        "court": f"{base}/courts/{case.court_id}/",
        "court_id": case.court_id,
        "idb_data": None,
        "bankruptcy_information": information,
        "clusters": [],
        "absolute_url": case.path,
        "date_created": case.made.isoformat(),
        "date_modified": case.made.isoformat(),
        "source": 1,
        "date_filed": case.date_filed.isoformat() if case.date_filed else None,
        "date_terminated": case.date_terminated.isoformat() if case.date_terminated else None,
        "date_last_filing": None,
        "case_name_short": "",
        "case_name": case.case_name,
        "case_name_full": "",
        "docket_number": case.docket_number,
        "docket_number_core": case.docket_number.replace("-", ""),
        "pacer_case_id": str(case.docket_id - 69_500_000),
        "cause": case.cause,
        "nature_of_suit": case.nature_of_suit,
        "jury_demand": "",
        "blocked": False,
        "tags": [],
    }


def bankruptcy_information(case: SampleCase, base: str) -> dict[str, Any]:
    """The bankruptcy side of a docket."""
    return {
        "resource_uri": f"{base}/bankruptcy-information/{case.docket_id}/",
        "id": case.docket_id,
        "date_created": case.made.isoformat(),
        "date_modified": case.made.isoformat(),
        "date_converted": None,
        "date_last_to_file_claims": None,
        "date_last_to_file_govt": None,
        "date_debtor_dismissed": None,
        "chapter": case.chapter,
        "trustee_str": case.trustee,
        "docket": f"{base}/dockets/{case.docket_id}/",
    }


def party(case: SampleCase, place: int, base: str, *, nested_filtered: bool) -> dict[str, Any]:
    """One party; without the filter the nested lists hold another docket of the same party too."""
    sample = case.parties[place]
    dockets = [case.docket_id] if nested_filtered else [case.docket_id, 123]
    return {
        "resource_uri": f"{base}/parties/{case.docket_id * 10 + place}/",
        "id": case.docket_id * 10 + place,
        "attorneys": [
            {
                "attorney": f"{base}/attorneys/{9_000_000 + number}/",
                "attorney_id": 9_000_000 + number,
                "date_action": None,
                "docket": f"{base}/dockets/{docket_id}/",
                "docket_id": docket_id,
                "role": role,
            }
            for docket_id in dockets
            for number, role in enumerate(sample.attorneys)
        ],
        "party_types": [
            {
                "docket": f"{base}/dockets/{docket_id}/",
                "docket_id": docket_id,
                "name": sample.type if docket_id == case.docket_id else "Creditor",
                "date_terminated": None,
                "extra_info": sample.extra_info,
                "highest_offense_level_opening": "",
                "highest_offense_level_terminated": "",
                "criminal_counts": [],
                "criminal_complaints": [],
            }
            for docket_id in dockets
        ],
        "date_created": case.made.isoformat(),
        "date_modified": case.made.isoformat(),
        "name": sample.name,
        "extra_info": "",
    }
