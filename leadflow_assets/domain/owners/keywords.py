"""The words that make an owner something else than a person, rule by rule.

Words are folded and whole. A phrase is looked for only when one of its trigger words occurs, so that
most owners cost one look into a set. The lists follow the rules measured on labelled assessor strings,
with unmistakable words of congregations, associations and firms added. Surnames stay out where they can.
"""

from __future__ import annotations

import re
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Rule:
    """One test of the ordered list: any of ``words``, or ``phrase`` behind one of its ``triggers``."""

    number: int
    type: str
    words: frozenset[str]
    triggers: frozenset[str] = frozenset()
    phrase: re.Pattern[str] | None = None

    def hits(self, words: set[str], text: str) -> bool:
        """Does the rule hit these words, which ``text`` holds in order with single blanks?"""
        if not self.words.isdisjoint(words):
            return True
        if self.phrase is None or self.triggers.isdisjoint(words):
            return False
        return self.phrase.search(text) is not None


def _set(words: str) -> frozenset[str]:
    return frozenset(words.split())


def _rule(number: int, kind: str, words: str, triggers: str = "", phrase: str = "") -> Rule:
    pattern = re.compile(rf"\b(?:{phrase})\b") if phrase else None
    return Rule(number, kind, _set(words), _set(triggers), pattern)


UNKNOWN_TEXTS = frozenset(
    {"", "UNKNOWN", "OWNER UNKNOWN", "OWNERS UNKNOWN", "UNKNOWN OWNER", "UNKNOWN OWNERS", "N A", "NA"}
    | {"NO OWNER", "VACANT", "NOT AVAILABLE"}
)
LEGAL_FORMS = _set("LLC INC CORP CORPORATION LLP LTD LP PLLC LLLP INCORPORATED")
# Surnames of people do not follow these, names of streets do: CHURCH STREET REALTY TRUST.
STREETS = _set(
    "STREET AVE AVENUE RD ROAD LN LANE DRIVE COURT PLACE SQ SQUARE HILL TERRACE TER BROOK POND "
    "BLVD WAY CIRCLE"
)
FAMILY = _set("FAMILY FAM")
SUFFIXES = _set("JR SR II III IV ESQ MD PHD 2ND 3RD 4TH")

GOVERNMENT = _rule(
    3,
    "government",
    "MBTA MASSDOT INHABITANTS MUNICIPAL MUNICIPALITY SELECTMEN",
    "TOWN CITY COMMONWEALTH COUNTY STATE UNITED USA U US AUTH AUTHORITY DEPT DEPARTMENT COMM COMMISSION "
    "DISTRICT DIST BAY POSTAL SECRETARY TAX PUBLIC HUD MDC AFFAIRS COMMITTEE VILLAGE",
    r"(?:TOWN|CITY|COMMONWEALTH|COUNTY|STATE|VILLAGE) OF|^COMMONWEALTH$|MASS COMMONWEALTH|UNITED STATES|"
    r"^USA|OF (?:THE )?USA|USA$|^U S A|US OF A(?:MERICA)?|^U ?S (?:GOVERNMENT|GOVT|DEPT)|"
    r"(?:HOUSING|REDEVELOPMENT|PORT|TURNPIKE|TRANSIT|DEVELOPMENT|WATER RESOURCES) AUTH(?:ORITY)?|"
    r"(?:WATER|SCHOOL|FIRE|POLICE|SEWER|HIGHWAY|PARK|PARKS|LIGHT|CONSERVATION|RECREATION|HEALTH|PLANNING) "
    r"(?:DEPT|DEPARTMENT|COMM|COMMISSION|COMMITTEE|DISTRICT|DIST)|(?:DEPT|DEPARTMENT) OF|"
    r"MASS(?:ACHUSETTS)? BAY TRANS\w*|POSTAL SERVICE|SECRETARY OF|TAX TITLE|PUBLIC WORKS|VETERANS AFFAIRS|"
    r"^MDC$|MDC (?:PARKS|DEPT)|(?:OF|DEPT|SECY) MDC|^HUD$|OF HUD|HUD$|^HUD (?:DEPT|SECRETARY)",
)
TRUST_COMPANY = _rule(4, "bank", "", "TRUST", r"TRUST (?:CO|COMPANY)")
CONDOMINIUM = _rule(
    5,
    "condominium_association",
    "HOMEOWNERS",
    "CONDO CONDOS CONDOMINIUM CONDOMINIUMS UNIT HOA COMMON OWNERS",
    r"(?:CONDO(?:MINIUM)?S?|HOMEOWNERS|HOME OWNERS|UNIT OWNERS)\b.*\b"
    r"(?:TR|TRS|TRUST|ASSOC\w*|ASSN|ORGANIZATION|INC)|"
    # HOA is a Vietnamese name too: a trustee after it is no association.
    r"(?<!^)HOA\b.*\b(?:TRUST|ASSOC\w*|ASSN|ORGANIZATION|INC)|"
    r"CONDO(?:MINIUM)? (?:MAIN|MASTER)|COMMON AREAS?|UNIT OWNERS|HOME OWNERS|CONDO(?:MINIUM)?S?$",
)
BANK = _rule(
    6,
    "bank",
    "BANK BANKS BANC MORTGAGE MTG MTGE FNMA FHLMC SAVINGS LOANS FINANCIAL FINANCE FUNDING SECURITIES "
    "SECURITIZATION SECURITIZED LENDING SERVICING OCWEN NATIONSTAR PENNYMAC SHELLPOINT BANKUNITED CITIBANK "
    "CITIMORTGAGE HSBC JPMORGAN DEUTSCHE DITECH LOANCARE LOANDEPOT BAYVIEW MERS",
    "N NATIONAL FANNIE FREDDIE FEDERAL CREDIT LOAN PASS ASSET WELLS MORGAN CHASE WILMINGTON",
    r"(?<= )\w+ N A$|NATIONAL ASSOC\w*|FANNIE MAE|FREDDIE MAC|FEDERAL (?:NATIONAL|HOME LOAN)|CREDIT UNION|"
    # LOAN by itself is a Vietnamese name.
    r"LOAN (?:TRUST|ASSOC\w*|ASSN|CORP\w*|CO|COMPANY|INC|LLC|FUND\w*|SERV\w*|ACQ\w*)|(?:HOME|STUDENT) LOAN|"
    r"PASS THROUGH|PASS THRU|ASSET BACKED|WELLS FARGO|J ?P MORGAN|CHASE HOME|^WILMINGTON TRUST NA",
)
NONPROFIT = _rule(
    7,
    "nonprofit",
    "CHURCH PARISH DIOCESE ARCHDIOCESE ARCHBISHOP TEMPLE SYNAGOGUE MOSQUE CONGREGATION CONGREGATIONAL "
    "CONGREGATIONS BAPTIST MINISTRY MINISTRIES FELLOWSHIP SOCIETY FOUNDATION UNIVERSITY "
    "COLLEGE ACADEMY SCHOOL "
    "SCHOOLS INSTITUTE HOSPITAL CEMETERY YMCA YWCA AUDUBON ELKS VFW CLUB CHARITABLE CHARITIES "
    "CATHOLIC METHODIST "
    "LUTHERAN EPISCOPAL PRESBYTERIAN PENTECOSTAL EVANGELICAL ISLAMIC HINDU BIBLE BUDDHIST "
    "CATHEDRAL IGLESIA IGREJA "
    "MUSEUM MASONIC MONASTERY SEMINARY SCOUTS JEHOVAHS",
    "LAND CONSERVATION TRUSTEES HABITAT AMERICAN KNIGHTS COMMUNITY KINGDOM ASSEMBLY SALVATION SONS DAUGHTERS "
    "SISTERS FRIENDS HISTORICAL GUN RED",
    r"LAND TRUST|CONSERVATION TRUST|TRUSTEES OF (?:THE )?RESERVATIONS?|HABITAT FOR|"
    r"AMERICAN LEGION|KNIGHTS OF|"
    r"COMMUNITY DEV\w*|KINGDOM HALL|ASSEMBLY OF GOD|SALVATION ARMY|(?:SONS|DAUGHTERS|SISTERS|FRIENDS) OF|"
    r"HISTORICAL (?:ASSOC\w*|COMM\w*)|(?:ROD AND|ROD) GUN|AMERICAN RED CROSS",
)
LIFE_ESTATE = _rule(
    8,
    "life_estate",
    "",
    "LIFE",
    r"LIFE EST(?:ATES?)?|LIFE TEN(?:ANTS?)?|FOR (?:HIS |HER |THEIR )?LIFE",
)
ESTATE = _rule(
    9,
    "estate",
    "HEIR HEIRS DEVISEE DEVISEES EXECUTOR EXECUTORS EXECUTRIX EXEC ADMINISTRATOR "
    "ADMINISTRATORS ADMINISTRATRIX "
    "DECEASED DECD EST",
    "ESTATE PERSONAL",
    r"ESTATE OF|ESTATE$|PERSONAL REP\w*",
)
NOT_AN_ESTATE = re.compile(r"\b(?:REAL EST(?:ATE)?|ESTATES)\b")
TRUST = _rule(
    11,
    "trust",
    "TRUST TRUSTS TR TRS TRT TRST TRUSTEE TRUSTEES TTEE TTEES REVOCABLE IRREVOCABLE IRREV "
    "REVOC IRREVOC NOMINEE "
    "UDT UTD DTD RLT",
    "REV",
    r"REV (?:LIV|LT|FAM|RLTY|RTY)",
)
COMPANY = _rule(
    12,
    "company",
    "LLC INC CORP CORPORATION LLP LTD LP PLLC LLLP INCORPORATED LIMITED CO COMPANY PARTNERS "
    "PARTNERSHIP ASSOCS "
    "ASSOCIATES ASSOC ASSOCIATION ASSN HOLDING HOLDINGS PROPERTY PROPERTIES REALTY INVESTMENT "
    "INVESTMENTS INVESTOR "
    "INVESTORS DEVELOP DEVELOPMENT DEVELOPERS MANAGEMENT MGMT ENTERPRISE ENTERPRISES GROUP VENTURE VENTURES "
    "CAPITAL BUILDER BUILDERS CONSTRUCTION HOMES RENTAL RENTALS EQUITIES SERVICE SERVICES PC "
    "REIT BROS ESTATES "
    "ASSETS SOLUTIONS SYSTEMS INDUSTRIES REALTORS APARTMENTS ENERGY ELECTRIC TELEPHONE RAILROAD TRUCKING "
    "LANDSCAPING PLUMBING CONTRACTING CONTRACTOR CONTRACTORS PTNSHP PTNSH INTERNATIONAL "
    "ACQUISITION LEASING CONSULTING TECHNOLOGIES "
    "MANUFACTURING MFG",
    "L REAL",
    r"L L C|REAL ESTATE",
)
# Rules 8 to 10 need more than words and stand in kinds.py.
FIRST_RULES = (GOVERNMENT, TRUST_COMPANY, CONDOMINIUM, BANK, NONPROFIT)
ALL_RULES = (*FIRST_RULES, LIFE_ESTATE, ESTATE, TRUST, COMPANY)

# Keywords that stand for a role or a form and are nobody's surname: EST MARY THOMAS is an estate.
_FUNCTION_WORDS = frozenset(
    LEGAL_FORMS | ESTATE.words | _set("TR TRS TRT TRST TRUSTEE TRUSTEES TTEE TTEES UDT UTD DTD REVOC REV RLT")
)
KEYWORDS = frozenset(word for rule in ALL_RULES for word in rule.words)
# Keywords of rules 6 to 12 that may open a person's name.
SURNAME_KEYWORDS = frozenset(
    word for rule in (BANK, NONPROFIT, LIFE_ESTATE, ESTATE, TRUST, COMPANY) for word in rule.words
) | {"LE", "LOAN"}
SURNAME_KEYWORDS -= _FUNCTION_WORDS
# Of these a given name makes a person in either order, and a comma behind them does without any given name.
PLAIN_SURNAMES = _set("BANKS TEMPLE PARISH")
COMMA_SURNAMES = _set("BANKS BANK BIBLE CHURCH CO HOMES LE LOAN PARISH TEMPLE")
# Words that say "trustee", "life tenant" or "estate" behind a person's name.
ROLE_WORDS = frozenset(_set("TR TRS TRUSTEE TRUSTEES TTEE TTEES LIFE ESTATE LE OF THE A") | ESTATE.words)
CONGREGATION_NAMES = _set(
    "BETH ISRAEL EMANUEL EMMANUEL SINAI SHALOM ISAIAH AARON "
    "OF ST SAINT FIRST SECOND THE OUR HOLY SACRED UNITED NEW"
)
ALL_TRIGGERS = (
    KEYWORDS
    | frozenset(word for rule in ALL_RULES for word in rule.triggers)
    | {"LE", "LT", "FT", "RT", "UNKNOWN", "NA", "NO", "VACANT", "NOT"}
)
# Without any of these, and without a spelled-out form at the end (L L C), no rule before 13 can hit.
TRIGGERS = frozenset(word for word in ALL_TRIGGERS if len(word) > 1)
SPELLED_ENDS = frozenset("ACT")
