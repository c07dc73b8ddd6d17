"""An owner's text made comparable: folded to capital ASCII, cut at "care of", taken apart into words."""

from __future__ import annotations

import re
import string
import unicodedata

# Letters that Unicode does not decompose, and the signs people type for an apostrophe.
_LETTERS = str.maketrans(
    {"Đ": "D", "Ð": "D", "Ø": "O", "Ł": "L", "Æ": "AE", "Œ": "OE", "Þ": "TH", "ẞ": "SS", "Ħ": "H"}
    | dict.fromkeys("\u2018\u2019\u02bc\u02bb\u2032\u00b4")
)
_NOT_WORD = {code: " " for code in range(128) if chr(code) not in string.ascii_uppercase + string.digits}

_CARE_OF = re.compile(
    r"(?<![A-Z0-9])(?:C ?[/\\] ?O(?![A-Z0-9])|CARE OF\b|ATTN\b|ATTENTION(?=:| )|%(?!\s*\d))", re.IGNORECASE
)
_SHARE_BEFORE = re.compile(r"\d[\s.]*$")
# "50%", "1/2 INT": a share of the property, no part of a name.
_SHARES = re.compile(
    r"(?:UND\w* )?(?:(?<![A-Z0-9])\d+\s*%|"
    r"(?<![A-Za-z0-9/])[1-9]\d?/[1-9]\d{0,2}(?=\s*(?:INT|SHARE|[&)+;,]|$)))"
    r"(?:\s*INT(?:EREST)?\b)?",
    re.IGNORECASE,
)
_LIFE_ESTATE_SIGNS = re.compile(r"(?<![A-Z0-9])L ?/ ?E(?![A-Z0-9])|\(\s*(?:LE|L E)\s*\)")
_VESTING_SIGNS = re.compile(r"(?<![A-Z0-9])(?:T/E|J/T(?:/?WROS)?|T/C|H/W|[AFN]/K/A)(?![A-Z0-9])")
_TRUST_SIGNS = re.compile(r"(?<![A-Z0-9])U/(?:D/T|A)(?![A-Z0-9])")


def fold(text: str) -> str:
    """Capital ASCII letters without accents, dots and apostrophes; what has no ASCII form becomes a blank."""
    upper = text.upper()
    if not upper.isascii():
        plain = unicodedata.normalize("NFKD", upper.translate(_LETTERS)).upper()
        upper = "".join(c if c < "\x80" else "" if unicodedata.combining(c) else " " for c in plain)
    if "." in upper or "'" in upper or "`" in upper:
        return upper.replace(".", "").replace("'", "").replace("`", "")
    return upper


def search_words(text: str | None) -> str:
    """Words for a search: ``O'Brien, José`` becomes ``OBRIEN JOSE``; empty for nothing."""
    return " ".join(fold(text).translate(_NOT_WORD).split()) if text else ""


def cut_care_of(text: str) -> tuple[str, str, str]:
    """(what stands before C/O, ATTN or %, the sign itself, the tail); two empty texts without a sign."""
    if "/" not in text and "%" not in text and "\\" not in text:
        upper = text.upper()
        if "ATT" not in upper and "CARE OF" not in upper:
            return text, "", ""
    for found in _CARE_OF.finditer(text):
        head, sign = text[: found.start()], found.group()
        if sign == "%" and _SHARE_BEFORE.search(head):
            continue
        return head.rstrip(" /-,;:("), sign.upper(), text[found.end() :].strip(" :;,-)")
    return text, "", ""


def without_shares(text: str) -> str:
    """The text without percentage shares and fractions of the property."""
    return _SHARES.sub(" ", text) if "%" in text or "/" in text else text


def words_of(folded: str) -> list[str]:
    """Words of a folded text for typing; signs with a slash become words, shares vanish."""
    if "/" in folded or "%" in folded or "(" in folded:
        folded = _LIFE_ESTATE_SIGNS.sub(" LIFE ESTATE ", without_shares(folded))
        folded = _TRUST_SIGNS.sub(" UDT ", _VESTING_SIGNS.sub(" ", folded))
    # The signs that occur, one by one: several times as fast as translating each character.
    words = folded.replace(",", " ").replace("&", " ").replace("+", " ").replace("-", " ").split()
    return words if "".join(words).isalnum() else folded.translate(_NOT_WORD).split()
