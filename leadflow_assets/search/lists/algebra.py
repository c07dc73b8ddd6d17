"""Set algebra on lists: ``A and B or C not D``, from left to right, in any case."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence

from leadflow_assets.errors import UsageError
from leadflow_assets.state.saved_lists import OPERATORS

_HINT = 'Write NAME and NAME, NAME or NAME, NAME not NAME; quote names with blanks: "hot leads" not sold.'
Step = tuple[str, str]


def parse_expression(words: Sequence[str], is_list: Callable[[str], bool]) -> list[Step]:
    """Operators and names of lists in order; the first operator is ``or``.

    Names with blanks may stand as one word or as several; ``and not`` is ``not``. One word that is no list
    (``is_list``) may hold the whole expression.

    Raises:
        UsageError: no lists, or a word where none belongs.
    """
    if len(words) == 1 and not is_list(words[0]):
        words = words[0].split()
    steps: list[Step] = []
    operator = "or"
    name: list[str] = []
    for word in (*words, ""):
        folded = word.casefold()
        if word and folded not in OPERATORS:
            name.append(word)
            continue
        if name:
            steps.append((operator, " ".join(name)))
            operator, name = folded, []
        elif folded == "not" and operator == "and" and steps:
            operator = "not"
        else:
            where = f"before {word!r}" if word else "at the end"
            raise UsageError(f"The name of a list is missing {where}.", _HINT)
    return steps


def combined_ids(steps: Sequence[tuple[str, Collection[str]]]) -> set[str]:
    """The ids that an expression gives, from left to right."""
    result: set[str] = set()
    for operator, ids in steps:
        if operator == "and":
            result &= set(ids)
        elif operator == "not":
            result -= set(ids)
        else:
            result |= set(ids)
    return result
