"""Why a match is believed: its terms one by one, as they were added up.

``domain.linkage.words`` says them in sentences. A term is one entry of EVIDENCE_TYPE: ``ours`` is what the
court says, ``theirs`` the owner's record; ``share`` is the part of all owners (0 to 1) to whom it applies,
where that made the weight.
"""

from __future__ import annotations

from leadflow_assets.domain.linkage import weights as w


def _term(term: str, outcome: str, ours: str, theirs: str, share: str, bits: str, shown: str = "true") -> str:
    fields = {
        "term": f"'{term}'",
        "outcome": f"({outcome})::VARCHAR",
        "ours": f"({ours})::VARCHAR",
        "theirs": f"({theirs})::VARCHAR",
        "share": f"({share})::DOUBLE",
        "bits": f"round({bits}, 2)",
    }
    struct = "{" + ", ".join(f"'{name}': {value}" for name, value in fields.items()) + "}"
    return f"CASE WHEN {shown} THEN {struct} END"


_UNSAID = f"<> '{w.MISSING}'"
_PERSON_TERMS = (
    _term("surname", "m.surname", "n.last", "p.last", "m.surname_share", "m.surname_bits"),
    _term("given_name", "m.given", "n.first", "p.first", "m.given_share", "m.given_bits"),
    _term(
        "middle_name",
        "m.middle_name",
        "n.middle",
        "p.middle",
        "NULL",
        "m.middle_bits",
        f"m.middle_name {_UNSAID}",
    ),
    _term(
        "suffix", "m.generation", "n.suffix", "p.suffix", "NULL", "m.suffix_bits", f"m.generation {_UNSAID}"
    ),
    _term(
        "full_name",
        "m.bearers || CASE WHEN m.bearers = 1 THEN ' owner' ELSE ' owners' END",
        "NULL",
        "NULL",
        "NULL",
        "m.full_name_bits",
        "abs(m.full_name_bits) >= 0.01",
    ),
    _term("co_owner", "'agree'", "NULL", "NULL", "NULL", "m.co_owner_bits", "m.co_owner_bits > 0"),
    _term(
        "place",
        "m.place",
        "NULL",
        "NULL",
        f"CASE WHEN m.place = '{w.EQUAL}' THEN m.place_share END",
        "m.place_bits",
        "m.place_bits <> 0",
    ),
    _term("address", "m.house", "NULL", "NULL", "NULL", "m.house_bits", f"m.house {_UNSAID}"),
    _term("title", "m.title", "s.filed", "p.bought", "NULL", "log2(m.held)", "m.held < 1"),
)
# SQL over a match m, the party's name n, the owner p and the seeker s.
PERSON_EVIDENCE = f"list_filter([{', '.join(_PERSON_TERMS)}], x -> x IS NOT NULL)"
_FIRM_TERMS = (
    _term(
        "name",
        "m.outcome",
        "array_to_string(n.words || n.numbers || [n.form], ' ')",
        "p.name",
        "NULL",
        "m.name_bits",
    ),
    _term(
        "place",
        "m.place",
        "NULL",
        "NULL",
        f"CASE WHEN m.place = '{w.EQUAL}' THEN m.place_share END",
        "m.place_bits",
        "m.place_bits <> 0",
    ),
    _term("address", "m.house", "NULL", "NULL", "NULL", "m.house_bits", f"m.house {_UNSAID}"),
    _term("title", "m.title", "s.filed", "p.bought", "NULL", "log2(m.held)", "m.held < 1"),
)
FIRM_EVIDENCE = f"list_filter([{', '.join(_FIRM_TERMS)}], x -> x IS NOT NULL)"
