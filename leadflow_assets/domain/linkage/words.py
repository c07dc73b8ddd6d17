"""The evidence of a match in plain sentences, for whoever reviews it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

_SUBJECTS = {
    "surname": "Surname",
    "given_name": "Given name",
    "middle_name": "Middle name",
    "suffix": "Suffix",
    "full_name": "Full name",
    "co_owner": "Co-owner",
    "place": "Place",
    "address": "Address",
    "title": "Title",
    "name": "Name",
    "site": "Property",
    "owner": "Owner",
}
_OUTCOMES = {
    ("surname", "other"): "differs: {ours} and {theirs}",
    ("surname", "part"): "{ours} and {theirs} share a part",
    ("given_name", "nickname"): "{ours} may be short for {theirs}, or the reverse",
    ("given_name", "initial"): "{ours} fits {theirs} as far as it goes",
    ("middle_name", "agree"): "{ours} agrees with {theirs}",
    ("middle_name", "conflict"): "{ours} contradicts {theirs}",
    ("suffix", "agree"): "{ours} on both sides",
    ("suffix", "conflict"): "{ours} contradicts {theirs}",
    ("co_owner", "agree"): "the property's other owner is a party to the same case",
    ("place", "equal"): "the party lives where the property or its bill is",
    ("place", "other"): "the party lives elsewhere",
    ("address", "equal"): "the party's address is the property's or its bill's",
    ("address", "other"): "the party's address is neither the property's nor its bill's",
    ("title", "unclear"): "a nominal deed of {theirs} came after the filing of {ours}",
    ("title", "bought_later"): "bought on {theirs}, after the filing of {ours}",
    ("title", "by_this_deed"): "the owner's deed of {theirs} goes with the recording on {ours}",
    ("site", "parcel"): "the case names this parcel",
    ("site", "address"): "the case names this address",
    ("site", "range"): "the case names a house number in this property's range",
    ("site", "several"): "the case names {theirs} properties together by their {ours}",
    ("owner", "other"): "the name on record is not that of the case's party",
    ("owner", "not_named"): "none of the case's parties can be the owner by its role",
    ("name", "registered"): "{theirs} is the same name in the register's form",
    ("name", "words_missing"): "{ours} and {theirs} differ by common words only",
}
_SPELLINGS = {"equal": "{theirs} on both sides", "near": "{ours} is nearly {theirs}"}
_SPELLINGS["alike"] = "{ours} resembles {theirs}"


def explain(evidence: Sequence[Mapping[str, Any]]) -> list[str]:
    """One sentence for each term of a match's evidence, with its weight in bits where it has one."""
    return [_sentence(term) for term in evidence]


def _sentence(term: Mapping[str, Any]) -> str:
    name, outcome = term["term"], term["outcome"]
    if name == "full_name":
        bear = "bears" if outcome == "1 owner" else "bear"
        text = f"{outcome} {bear} it, {'more' if term['bits'] < 0 else 'fewer'} than chance expects"
    else:
        pattern = _OUTCOMES.get((name, outcome)) or _SPELLINGS[outcome]
        text = pattern.format(ours=term["ours"], theirs=term["theirs"])
    share = term["share"]
    common = f"; of owners 1 in {max(round(1 / share), 1):,}" if share else ""
    bits = f" ({term['bits']:+.1f} bits)" if term["bits"] is not None else ""
    return f"{_SUBJECTS[name]}: {text}{common}{bits}"
