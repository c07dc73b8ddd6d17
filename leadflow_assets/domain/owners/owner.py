"""An owner's text read whole: type, parties and flags, with the raw text kept."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

from leadflow_assets.domain.owners import keywords as kw
from leadflow_assets.domain.owners.kinds import (
    co_owner_text,
    decide,
    has_life_estate,
    has_tax_title,
    near_cut,
)
from leadflow_assets.domain.owners.order import LAST_FIRST, usual_order
from leadflow_assets.domain.owners.parties import Party, less_sure, organisation
from leadflow_assets.domain.owners.reading import Reading, is_plain, mentions_trustee, only_roles, read
from leadflow_assets.domain.owners.text import cut_care_of, fold, search_words, words_of
from leadflow_assets.domain.owners.truncation import OwnerField, find_pile_up, is_cut

# One spelling for forms that mean the same; INC, CORP and LLC are different forms.
FORMS = {
    "INCORPORATED": "INC",
    "CORPORATION": "CORP",
    "LIMITED": "LTD",
    "COMPANY": "CO",
    "TR": "TRUST",
    "TRT": "TRUST",
    "TRST": "TRUST",
    "RTY": "REALTY",
    "RLTY": "REALTY",
    "FAM": "FAMILY",
    "REV": "REVOCABLE",
    "REVOC": "REVOCABLE",
    "IRREV": "IRREVOCABLE",
    "IRREVOC": "IRREVOCABLE",
    "LIV": "LIVING",
    "LVG": "LIVING",
    "NOM": "NOMINEE",
    "CONDO": "CONDOMINIUM",
    "ASSOCS": "ASSOCIATES",
    "ASSN": "ASSOCIATION",
}
_LLC = re.compile(r"\bL L C\b")


@dataclass(frozen=True, slots=True)
class Owner:
    """One owner's field, read.

    ``type`` is one of :data:`OWNER_TYPES`, ``type_rule`` the rule that decided. ``life_estate`` is set
    whenever the mark occurs, whatever the type. ``care_of`` is the tail after C/O, ATTN or %.
    ``co_owner_missing``: the text ends in & or +, the second owner was cut off. ``truncated``: the text
    fills the field. ``vesting`` is the recorded tenancy in one word (tenants_by_entirety, joint_tenants,
    joint_tenants_with_survivorship, tenants_in_common, husband_and_wife), empty when none is.
    """

    raw: str
    type: str
    type_rule: int
    parties: tuple[Party, ...]
    tax_title: bool
    life_estate: bool
    trustee: bool
    et_al: bool
    care_of: str
    co_owner_missing: bool
    truncated: bool
    vesting: str

    @property
    def key(self) -> str:
        """Identity for grouping one owner's holdings inside a mailing address; empty for an unknown owner.

        ``LAST FIRST`` of each person, sorted, whatever the order in the source; the name alone of an
        organisation, its legal form in one spelling. Namesakes share a key: never a fact by itself.
        """
        owners = [party for party in self.parties if party.role != "care_of"]
        organisations = [party for party in owners if not party.is_person]
        return " & ".join(sorted({_party_key(party) for party in organisations or owners} - {""}))

    @property
    def display(self) -> str:
        """The owners in natural order, in the spelling of the source, as a letter would name them."""
        people = [party for party in self.parties if party.role != "care_of" and party.is_person]
        trusts = [party.name for party in self.parties if party.role != "care_of" and not party.is_person]
        names = " & ".join(party.name for party in people)
        if people and all(party.role == "decedent" for party in people):
            names = f"Estate of {names}"
        if trusts and people and all(party.role == "trustee" for party in people):
            return f"{names}, Trustee{'s' if len(people) > 1 else ''} of {' & '.join(trusts)}"
        return " & ".join([names, *trusts] if names else trusts)


def _party_key(party: Party) -> str:
    if party.is_person and party.last:
        surname = search_words(party.last).replace(" ", "")
        return f"{surname} {search_words(party.first)}".strip()
    words = _LLC.sub("LLC", search_words(party.name)).split()
    if party.is_person:
        return " ".join(sorted(words))
    words = [FORMS.get(word, word) for word in words if word != "AND"]
    while len(words) > 1 and words[0] == "THE":
        words = words[1:]
    while len(words) > 1 and words[-1] == "THE":
        words = words[:-1]
    return " ".join(words)


def parse_owner(text: str | None, co_owner: str | None = None, field: OwnerField | None = None) -> Owner:
    """Read an owner's field and, where the town has one, the co-owner's. Never raises.

    ``field`` is what :func:`learn_owner_field` found in the town's column: where values are cut, and the
    order of names without a comma. The raw text stays as it was.
    """
    raw = text or ""
    head, sign, care_of = cut_care_of(raw)
    folded = fold(head)
    truncated = near = False
    if field is not None:
        truncated, near = is_cut(raw, field), near_cut(raw, field)
    co_folded = co_owner_text(co_owner) if co_owner else ""
    name, rule = decide(folded, co_folded, truncated, near)
    reading = Reading(field.default_order if field else LAST_FIRST)
    plain = rule == 14 and not co_owner
    if plain:
        if is_plain(folded):
            reading.add_persons(head.replace(".", ""), "owner")
        else:
            read(reading, head, name)
        own = len(reading.parties)
    else:
        own = _read_both(reading, head, (name, rule), co_owner or "", co_folded, truncated, near)
    parties = reading.parties
    if truncated and own:
        parties[own - 1] = less_sure(parties[own - 1])
    both = f"{folded} {fold(co_owner)}" if co_owner else folded
    co_sign, co_care_of = cut_care_of(co_owner)[1:] if co_owner else ("", "")
    if not care_of:
        sign, care_of = co_sign, co_care_of
    if care_of and not sign.startswith("ATT"):
        parties = [*parties, *_care_of_parties(care_of, reading.default_order)]
    return Owner(
        raw=raw,
        type=name,
        type_rule=rule,
        parties=tuple(parties),
        tax_title=has_tax_title(both),
        life_estate=not plain
        and (name == "life_estate" or has_life_estate(folded, truncated) or has_life_estate(co_folded)),
        trustee=not plain and mentions_trustee(f"{folded} {co_folded}", name, parties),
        et_al=reading.et_al,
        care_of=care_of,
        co_owner_missing=own == len(reading.parties) and raw.rstrip().endswith(("&", "+")),
        truncated=truncated,
        vesting=reading.vesting,
    )


def _read_both(
    reading: Reading, head: str, both: tuple[str, int], co_owner: str, co_folded: str, cut: bool, near: bool
) -> int:
    """Read the owner and the co-owner; how many of the parties stand in the owner's own field.

    ``both`` is the type and rule of the two together.
    """
    (kind, rule), co_words = both, []
    if co_folded:
        co_words = words_of(co_folded)
        if only_roles(co_words):
            head = f"{head} {cut_care_of(co_owner)[0]}"
            co_words, cut, near = [], False, False
        kind, rule = decide(fold(head), "", cut, near)
    read(reading, head, kind)
    if rule == 13:
        reading.parties = [organisation(party.name, party.role, 0.6) for party in reading.parties]
    own = len(reading.parties)
    if co_words:
        read(reading, cut_care_of(co_owner)[0], decide(co_folded)[0])
    return own


def _care_of_parties(tail: str, default_order: str) -> list[Party]:
    reading = Reading(default_order)
    read(reading, tail, decide(fold(tail))[0], "care_of")
    return [party for party in reading.parties if party.role == "care_of"]


def learn_owner_field(values: Iterable[str | None]) -> OwnerField:
    """What a town's whole owner column tells: where values are cut, and the order without a comma."""
    texts = [value for value in values if value]
    return OwnerField(find_pile_up(texts), usual_order(_plain_names(texts)))


def _plain_names(texts: Iterable[str]) -> Iterable[list[str]]:
    """Folded words of the first name in each text that is a person's and has no comma."""
    for text in texts:
        if "," not in text:
            folded = fold(text)
            if decide(folded) == ("person", 14):
                first = re.split(r"[&+;/]|\bAND\b", folded, maxsplit=1)[0]
                yield [word for word in words_of(first) if word not in kw.SUFFIXES]
