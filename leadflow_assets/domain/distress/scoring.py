"""The distress score of one property, readable: the reference that the set-based one is compared with.

Source: the project's sheet on the distress score, sections 3 to 6. What the sheet leaves open is decided so:

- A max group is known when its source was asked, or one of its signals counts. A sum group is known factor by
  factor: what is unknown may add ``min(cap - points, most of the unknown factors)``; its part of the coverage
  is the known factors' share of the group's points. Of exclusive factors only the strongest is reckoned with.
- A link under 0.5 leaves its group as it was: a hidden match raises no coverage.
- One signal per factor counts, the strongest; of equal ones the later event, then source and reference in
  alphabetical order. Of equal factors of a max group the first of the table.
- A signal whose event lies ahead (unless it is scheduled), or that has no date to decay from, is refused and
  counted as a fault; one that its source told later than the day asked for is not known yet, and no fault.
- Points of lines have two decimals; a line ``rounding`` carries what rounding the score leaves over.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date

from leadflow_assets.domain.distress import record as words
from leadflow_assets.domain.distress.record import GroupState, Line, ScoreRecord, State
from leadflow_assets.domain.distress.signal import FAULTS, Signal, confidence, decay, refusal
from leadflow_assets.domain.distress.table import HIGHEST, Factor, Group, ScoreTable, load_table
from leadflow_assets.errors import UsageError


@dataclass(frozen=True, slots=True)
class _Weighed:
    """A signal with what it is worth; ``value`` 0 when refused. ``if_linked``: were its link certain."""

    signal: Signal
    factor: Factor
    confidence: float
    decay: float
    value: float
    if_linked: float
    refused: str | None


@dataclass(frozen=True, slots=True)
class _Summed:
    """A group's points before and after the cap, the factors that count, and what is unknown of it."""

    raw: float
    points: float
    counted: tuple[str, ...]
    room: float


def score(
    signals: Iterable[Signal],
    asof: date,
    known: Iterable[str] = (),
    *,
    table: ScoreTable | None = None,
    not_applicable: str | None = None,
) -> ScoreRecord:
    """Score a property at ``asof``.

    ``known`` names the groups, or single factors of them, whose source was asked and is fresh at ``asof``.
    ``not_applicable`` says why the score does not apply (bank-owned and the like): there is none then.
    The order of signals does not matter.

    Raises:
        UsageError: a signal or ``known`` names what the table has not, or a probability is none.
    """
    table = table or load_table()
    asked = known_factors(known, table)
    weighed = sorted((_weigh(signal, table, asof) for signal in signals), key=_strongest_first(table))
    best: dict[str, _Weighed] = {}
    for one in weighed:
        if one.refused is None:
            best.setdefault(one.factor.name, one)
    present = frozenset(best)
    values = {name: one.value for name, one in best.items()}
    linked: dict[str, float] = {}
    for one in weighed:
        linked[one.factor.name] = max(linked.get(one.factor.name, 0.0), one.if_linked)
    told = [_known(group, asked, present) for group in table.groups]
    groups = [(g, _sum_up(g, values, present, known)) for g, known in zip(table.groups, told, strict=True)]
    certain = [(g, _sum_up(g, linked, present, known)) for g, known in zip(table.groups, told, strict=True)]
    lines = _signal_lines(weighed, best, {name for _, summed in groups for name in summed.counted})
    applies = not_applicable is None
    total = _total(groups)
    known_caps = sum(
        (g.cap * (g.most(known) / g.most_of_all) for g, known in zip(table.groups, told, strict=True)), 0.0
    )
    status = words.SCORED if known_caps > 0 else words.UNKNOWN
    return ScoreRecord(
        table.version,
        table.hash,
        asof,
        status if applies else words.NOT_APPLICABLE,
        not_applicable,
        total if applies else None,
        round(known_caps / table.caps, 2) if applies else None,
        _highest(groups) if applies else None,
        _total(certain) if applies else None,
        _highest(certain) if applies else None,
        tuple(_group_state(*pair, known) for pair, known in zip(groups, told, strict=True))
        if applies
        else (),
        _adding_up(lines, groups, total) if applies else _not_counted(lines),
        sum(one.refused in FAULTS for one in weighed),
    )


def known_factors(known: Iterable[str], table: ScoreTable) -> frozenset[str]:
    """The factors behind names of groups and factors.

    Raises:
        UsageError: the table has neither such a group nor such a factor.
    """
    of_group = {group.name: [factor.name for factor in group.factors] for group in table.groups}
    names = tuple(known)
    wrong = sorted({name for name in names if name not in of_group and name not in table.by_name})
    if wrong:
        raise UsageError(
            f"{table.version} has no group or factor {', '.join(wrong)}.",
            f"Its groups are {', '.join(of_group)}.",
        )
    return frozenset(factor for name in names for factor in of_group.get(name, [name]))


def _weigh(signal: Signal, table: ScoreTable, asof: date) -> _Weighed:
    factor = table.by_name.get(signal.factor)
    if factor is None:
        raise UsageError(f"{table.version} has no factor {signal.factor!r}.", "Name one of its factors.")
    if not 0 <= signal.probability <= 1:
        raise UsageError(
            f"The probability of a signal ({signal.factor}) is {signal.probability!r}.", "Give 0 to 1."
        )
    refused = refusal(signal, factor, asof)
    sure = confidence(signal.probability)
    left = decay(factor, signal.event_date, asof)
    value = 0.0 if refused else factor.points * sure * left
    if_linked = 0.0 if refused else factor.points * left
    return _Weighed(signal, factor, sure, left, value, if_linked, refused)


_Key = tuple[int, bool, float, int, str, str]


def _strongest_first(table: ScoreTable) -> Callable[[_Weighed], _Key]:
    places = {factor.name: place for place, factor in enumerate(table.factors)}

    def key(one: _Weighed) -> _Key:
        event = one.signal.event_date
        return (
            places[one.factor.name],
            one.refused is not None,
            -one.value,
            -event.toordinal() if event else 0,
            one.signal.source,
            one.signal.reference,
        )

    return key


def _sum_up(
    group: Group, values: Mapping[str, float], present: frozenset[str], known: frozenset[str]
) -> _Summed:
    """Combine the best value of each factor of a group; ``present`` are the factors with a signal.

    What is not ``known`` may still turn up.
    """
    found = [(factor, values[factor.name]) for factor in group.factors if factor.name in present]
    if group.combine == "max":
        counted = [max(found, key=lambda pair: pair[1])] if found else []
    else:
        counted = _one_of_each_kind(found)
    raw = sum((value for _, value in counted), 0.0)
    points = min(group.cap, raw)
    unknown = group.names - known
    room = min(group.cap - points, group.most(unknown)) if unknown else 0.0
    return _Summed(raw, points, tuple(factor.name for factor, _ in counted), room)


def _one_of_each_kind(found: Sequence[tuple[Factor, float]]) -> list[tuple[Factor, float]]:
    """Of exclusive factors the strongest; the first of the table where they are equal."""
    best: dict[str, tuple[Factor, float]] = {}
    for factor, value in found:
        slot = factor.exclusive or f"={factor.name}"
        if slot not in best or value > best[slot][1]:
            best[slot] = (factor, value)
    kept = {factor.name for factor, _ in best.values()}
    return [pair for pair in found if pair[0].name in kept]


def _known(group: Group, asked: frozenset[str], present: frozenset[str]) -> frozenset[str]:
    """The factors of a group that were asked for or found; of exclusive ones a find tells of all.

    A max group counts as known when all of it was asked for, or anything of it was found.
    """
    if group.combine == "max":
        return group.names if group.names <= asked or group.names & present else frozenset()
    told = [names for names in group.kinds.values() if names & present]
    return group.names & asked.union(present, *told)


def _total(groups: Sequence[tuple[Group, _Summed]]) -> float:
    return round(min(HIGHEST, sum(summed.points for _, summed in groups)), 1)


def _highest(groups: Sequence[tuple[Group, _Summed]]) -> float:
    points = sum(summed.points for _, summed in groups)
    return round(min(HIGHEST, points + sum(summed.room for _, summed in groups)), 1)


def _group_state(group: Group, summed: _Summed, known: frozenset[str]) -> GroupState:
    state: State
    if summed.counted:
        state = words.PRESENT
    elif not known:
        state = words.NOT_KNOWN
    else:
        state = words.ABSENT if len(known) == len(group.factors) else words.PARTLY_KNOWN
    return GroupState(group.name, state, round(summed.points, 2), group.cap, round(summed.room, 2))


def _signal_lines(weighed: Sequence[_Weighed], best: Mapping[str, _Weighed], counted: set[str]) -> list[Line]:
    lines = []
    for one in weighed:
        counts = best.get(one.factor.name) is one and one.factor.name in counted
        lines.append(
            Line(
                words.SIGNAL,
                round(one.value, 2),
                counts,
                one.factor.group,
                one.factor.name,
                one.confidence,
                round(one.decay, 3),
                None if counts else one.refused or words.WEAKER,
                one.signal.event_date,
                one.signal.source,
                one.signal.source_date,
                one.signal.reference,
                one.signal.cleared or one.signal.note,
            )
        )
    return lines


def _adding_up(
    lines: Sequence[Line], groups: Sequence[tuple[Group, _Summed]], total: float
) -> tuple[Line, ...]:
    """The lines with those for caps, the clip at 100 and rounding: the counted ones give the score."""
    result: list[Line] = []
    for group, summed in groups:
        mine = [line for line in lines if line.group == group.name]
        result += mine
        if summed.raw > group.cap:
            over = round(group.cap - sum(line.points for line in mine if line.counted), 2)
            result += [Line(words.GROUP_CAP, over, True, group.name)] if over else []
    left = round(total - sum(line.points for line in result if line.counted), 2)
    if left:
        clipped = sum(summed.points for _, summed in groups) > HIGHEST
        result.append(Line(words.CLIP if clipped else words.ROUNDING, left, True))
    return tuple(result)


def _not_counted(lines: Sequence[Line]) -> tuple[Line, ...]:
    """The lines of a property that the score does not apply to: shown, and none of them counted."""
    return tuple(replace(line, counted=False, why_not=line.why_not or words.NOT_APPLICABLE) for line in lines)
