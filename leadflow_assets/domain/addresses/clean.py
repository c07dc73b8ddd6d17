"""Any text as upper-case words: one spelling of signs, blanks, dashes, fractions and letters."""

from __future__ import annotations

import re
import unicodedata

# Longer texts are notes, not addresses (MassGIS allows 80 characters); it also bounds the patterns' work.
LONGEST = 400

# Hyphens and dashes; apostrophes and quotation marks; fractions; the numero sign.
_SIGNS = str.maketrans(
    {
        **dict.fromkeys("\u2010\u2011\u2012\u2013\u2014\u2015\u2212\ufe58\ufe63\uff0d", "-"),
        **dict.fromkeys("\u2019\u2018\u201b\u2032\u00b4\u02bc\uff07\u201c\u201d\u2033'\"`", ""),
        "\u00bd": " 1/2",
        "\u00bc": " 1/4",
        "\u00be": " 3/4",
        "\u2044": "/",
        "\u2116": "#",
    }
)
_DECIMAL_ZERO = re.compile(r"^(\s*[0-9]+)\.0+(?=\s|$)")
_DECIMAL_HALF = re.compile(r"(?<=[0-9])\.5(?![0-9])")
# N.MAIN is two words, P.O. one.
_DOT_BETWEEN = re.compile(r"\.(?=[A-Z]{2})|(?<=[A-Z])(?<!\bNO)\.(?=[0-9])|(?<=[0-9])\.(?=[0-9])")
_PARENTHESES = re.compile(r"\(([^()]*)\)")
_FRACTION = re.compile(r"(?<=[0-9])[ -]+1/2(?![0-9])")
_SEPARATOR = r"(?:\s*[-/&+,]\s*|\s+(?:AND|TO|THRU|THROUGH)\s+)"
_NUMBER = r"[0-9]{1,6}[A-Z]?"
_LEADING_NUMBERS = re.compile(rf"^{_NUMBER}(?:{_SEPARATOR}{_NUMBER}(?![A-Z0-9/]))+")
_SEPARATORS = re.compile(_SEPARATOR)
_REAR_OF = re.compile(r"(?<![A-Z0-9])R/O(?![A-Z0-9])")
_DASH_AT_WORD = re.compile(r"(?<=[A-Z]{2})-|-(?=[A-Z]{2})|(?<![A-Z0-9])-|-(?![A-Z0-9])")


def clean(text: str) -> str:
    """The text in upper case, without dots and apostrophes, words one blank apart.

    Letters lose their accents; text in parentheses moves to the end; leading numbers that belong together
    are joined by hyphens (``12 & 14`` is ``12-14``, ``12 1/2`` is ``12H``). Empty when nothing is left or the
    text is too long to be an address.
    """
    if len(text) > LONGEST:
        return ""
    s = text.translate(_SIGNS).upper()
    if not s.isascii():
        s = _fold(s)
    if "." in s:
        s = _DECIMAL_HALF.sub(" 1/2", _DECIMAL_ZERO.sub(r"\1", s))
        s = _DOT_BETWEEN.sub(" ", s).replace(".", "")
    if "(" in s:
        moved = " ".join(_PARENTHESES.findall(s))
        s = f"{_PARENTHESES.sub(' ', s)} {moved}"
    s = _words(s).lstrip("# ")
    s = _FRACTION.sub("H", s)
    leading = _LEADING_NUMBERS.match(s)
    if leading:
        s = _SEPARATORS.sub("-", leading[0]) + s[leading.end() :]
    if "/" in s:
        s = _REAR_OF.sub("REAR", s)
    if "-" in s:
        s = _DASH_AT_WORD.sub(" ", s)
    return " ".join(s.replace(",", " ").split())


def _words(s: str) -> str:
    """Only letters, digits and the signs that mean something in an address."""
    if not s.replace(" ", "").isalnum():
        s = "".join([c if c.isalnum() or c in "#&+-/," else " " for c in s])
    return " ".join(s.split())


def _fold(s: str) -> str:
    """Plain letters: accents off, full-width and ligatures written out. Other scripts stay."""
    for _ in range(3):  # upper case can make new composed letters
        plain = "".join([c for c in unicodedata.normalize("NFKD", s) if not unicodedata.combining(c)]).upper()
        plain = plain.translate(_SIGNS)
        if plain == s:
            break
        s = plain
    return s
