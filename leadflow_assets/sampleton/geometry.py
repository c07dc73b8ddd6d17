"""The fictional town's ground plan: bent streets, blocks of lots, lanes, a railway, ponds.

A plan is drawn on a straight grid (u, v) and then bent: x gets a shift that is piecewise linear in v, and
y one that is piecewise linear in u, with the corners of the bends in the middle of streets. Within a block
the bend is affine, so straight lot lines stay straight and lots tile the block without gaps.
All lengths are metres, all coordinates EPSG:26986.
"""

from __future__ import annotations

import math
from bisect import bisect_right
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Literal

import numpy as np

from leadflow_assets.sampleton.schema import Point, Ring, Shape

Zone = Literal["house", "shop", "works", "farm", "other"]

_GRAIN = 2.0**20  # coordinates are rounded, so that they compress
STREET_HALF = 7.0
BLOCK_PITCH = 374.0
ROW_PITCH = 98.0
RAIL_PITCH = 34.0
LANE_HALF = 3.5
LOTS_PER_BLOCK = 21
BLOCKS_PER_DISTRICT = 60
SMALLEST, LARGEST = 20, 62_000  # more would not fit into a cell
CELL_WIDTH, CELL_HEIGHT, CELL_COLUMNS = 11_000.0, 13_071.0, 27
GRID_X, GRID_Y = 33_000.0, 777_000.0
# The grid's middle row is for fictional towns; column 22 of it is open water in Cape Cod Bay.
FICTIONAL_ROW, FICTIONAL_SHIFT = 7, 22
HIGHEST_REAL_TOWN = 351


def default_origin(town_id: int) -> Point:
    """Lower-left corner of the town's own cell (11 km x 13 km); the cells of real town ids never overlap."""
    if town_id > HIGHEST_REAL_TOWN:
        row, column = FICTIONAL_ROW, (town_id + FICTIONAL_SHIFT) % CELL_COLUMNS
    else:
        row, column = divmod(town_id - 1, CELL_COLUMNS)
        row += row >= FICTIONAL_ROW
    return GRID_X + column * CELL_WIDTH, GRID_Y + row * CELL_HEIGHT


@dataclass(frozen=True, slots=True)
class Lot:
    """One polygon of the plan. ``inside`` is a point well inside; ``street`` and ``number`` its frontage."""

    rings: Shape
    inside: Point
    poly_type: str
    zone: Zone
    sheet: int = 0
    street: int = 0
    number: int = 0


@dataclass
class Plan:
    """``lots`` are the taxable parcels, ``others`` the ways and waters between them."""

    lots: list[Lot] = field(default_factory=list)
    others: list[Lot] = field(default_factory=list)
    streets: int = 0


@dataclass(frozen=True)
class _Grid:
    """Where streets run and how they bend."""

    columns: int
    centres: tuple[float, ...]  # v of the middle of each east-west street
    bend_x: tuple[float, ...]  # shift of x at each of these
    bend_y: tuple[float, ...]  # shift of y at the middle of each north-south street
    origin: Point
    rail_row: int

    @property
    def rows(self) -> int:
        return len(self.centres) - 1

    def place(self, u: float, v: float) -> Point:
        """The bent position of a grid position, to the micrometre (2**-20 m)."""
        column = min(max(int(u // BLOCK_PITCH), 0), self.columns - 1)
        row = min(max(bisect_right(self.centres, v) - 1, 0), self.rows - 1)
        across = u / BLOCK_PITCH - column
        up = (v - self.centres[row]) / (self.centres[row + 1] - self.centres[row])
        x = self.origin[0] + u + self.bend_x[row] * (1 - up) + self.bend_x[row + 1] * up
        y = self.origin[1] + v + self.bend_y[column] * (1 - across) + self.bend_y[column + 1] * across
        return round(x * _GRAIN) / _GRAIN, round(y * _GRAIN) / _GRAIN

    def ring(self, points: list[Point]) -> Ring:
        """A closed, bent ring of grid positions."""
        placed = [self.place(u, v) for u, v in points]
        return (*placed, placed[0])

    def quad(self, left: float, bottom: float, right: float, top: float) -> Ring:
        """A bent rectangle, clockwise from its lower-left corner: [0] and [3] lie on the bottom line."""
        return self.ring([(left, bottom), (left, top), (right, top), (right, bottom)])


def middle(ring: Ring) -> Point:
    """Mean of a ring's corners (inside, for the convex rings of this plan)."""
    corners = ring[:-1]
    return sum(p[0] for p in corners) / len(corners), sum(p[1] for p in corners) / len(corners)


def strips(ring: Ring, count: int) -> list[Ring]:
    """A four-cornered lot cut into ``count`` strips side by side, clockwise like the lot."""
    (lower_left, upper_left, upper_right, lower_right) = ring[:4]

    def along(start: Point, end: Point, share: float) -> Point:
        return start[0] + (end[0] - start[0]) * share, start[1] + (end[1] - start[1]) * share

    low = [along(lower_left, lower_right, k / count) for k in range(count + 1)]
    high = [along(upper_left, upper_right, k / count) for k in range(count + 1)]
    return [(low[k], high[k], high[k + 1], low[k + 1], low[k]) for k in range(count)]


def ring_measures(ring: Ring) -> tuple[float, float]:
    """Length, and signed area (positive for clockwise rings), of a closed ring."""
    x0, y0 = ring[0]
    length = area = 0.0
    for (ax, ay), (bx, by) in pairwise(ring):
        length += math.hypot(bx - ax, by - ay)
        area += (bx - x0) * (ay - y0) - (ax - x0) * (by - y0)
    return length, area / 2


def draw_plan(parcels: int, origin: Point, rng: np.random.Generator) -> Plan:
    """A town with exactly ``parcels`` lots.

    Raises:
        ValueError: fewer than 20 or more than 62,000 parcels.
    """
    if not SMALLEST <= parcels <= LARGEST:
        raise ValueError(f"A town has {SMALLEST} to {LARGEST} parcels, not {parcels}.")
    grid = _lay_grid(math.ceil(parcels / LOTS_PER_BLOCK), origin, rng)
    plan = Plan(streets=grid.rows + 1)
    blocks = [
        (row, column) for row in range(grid.rows) if row != grid.rail_row for column in range(grid.columns)
    ]
    zones, counts = _share_out(parcels, len(blocks), rng)
    drawn = _Drawing(grid, plan, rng)
    for sheet, ((row, column), zone, count) in enumerate(zip(blocks, zones, counts, strict=True)):
        drawn.block(row, column, sheet, zone, count)
    if grid.rail_row >= 0:
        drawn.railway()
    drawn.streets()
    return plan


def _lay_grid(blocks: int, origin: Point, rng: np.random.Generator) -> _Grid:
    columns = max(1, round(math.sqrt(blocks * ROW_PITCH / BLOCK_PITCH)))
    rows = math.ceil(blocks / columns)
    rail_row = rows // 2 if rows >= 4 else -1
    pitches = [ROW_PITCH] * rows
    if rail_row >= 0:
        pitches.insert(rail_row, RAIL_PITCH)
    centres = (0.0, *(float(v) for v in np.cumsum(pitches)))
    # Bends stay within +-60 m, and the corner of the town 200 m inside its cell.
    bend_x = np.clip(np.cumsum(rng.uniform(-9, 9, len(centres))), -60, 60)
    bend_y = np.clip(np.cumsum(rng.uniform(-28, 28, columns + 1)), -60, 60)
    corner = (origin[0] + 200, origin[1] + 200)
    return _Grid(columns, centres, tuple(bend_x.tolist()), tuple(bend_y.tolist()), corner, rail_row)


def _share_out(parcels: int, blocks: int, rng: np.random.Generator) -> tuple[list[Zone], list[int]]:
    """A zone and a number of lots for each block; the numbers add up to ``parcels``."""
    names: list[Zone] = ["house", "shop", "works", "farm"]
    zones = [names[k] for k in rng.choice(4, blocks, p=[0.86, 0.05, 0.03, 0.06])]
    if blocks >= 12:  # whatever the seed: some of each, and farms for the pond and for the lane
        zones[1::40] = ["farm"] * len(zones[1::40])
        zones[6::40] = ["farm"] * len(zones[6::40])
        zones[4] = "shop"
        zones[8] = "works"
    elif "house" not in zones:
        zones[0] = "house"
    mean = {"house": 24.0, "shop": 6.0, "works": 4.0, "farm": 0.0}
    weights = np.array([mean[zone] for zone in zones]) * rng.uniform(0.8, 1.2, blocks)
    farms = zones.count("farm")
    ends = np.rint(np.cumsum(weights) * (parcels - farms) / weights.sum()).astype(int)
    counts = np.diff(ends, prepend=0).tolist()
    return zones, [1 if zone == "farm" else count for zone, count in zip(zones, counts, strict=True)]


class _Drawing:
    """Draws blocks, railway and streets of one grid into a plan."""

    def __init__(self, grid: _Grid, plan: Plan, rng: np.random.Generator) -> None:
        self.grid, self.plan, self.rng = grid, plan, rng
        self.holes: dict[int, list[Ring]] = {}  # row -> outlines of its blocks, to be cut out of the streets

    def block(self, row: int, column: int, sheet: int, zone: Zone, count: int) -> None:
        """Draw one block of ``count`` lots; with none it stays part of the street (a green)."""
        if count == 0:
            return
        left, right = column * BLOCK_PITCH + STREET_HALF, (column + 1) * BLOCK_PITCH - STREET_HALF
        bottom, top = self.grid.centres[row] + STREET_HALF, self.grid.centres[row + 1] - STREET_HALF
        centre = (left + right) / 2
        if zone == "farm":
            low, high = self._farm(row, sheet, left, bottom, right, top)
        elif zone == "house" and sheet % 12 == 3 and count >= 8:
            lane = self.grid.quad(centre - LANE_HALF, bottom, centre + LANE_HALF, top)
            self.plan.others.append(Lot((lane,), middle(lane), "PRIV_ROW", "other", sheet))
            low, high = self._lots(row, sheet, zone, count // 2, left, centre - LANE_HALF)
            more_low, more_high = self._lots(row, sheet, zone, count - count // 2, centre + LANE_HALF, right)
            low, high = low + more_low, high + more_high
        else:
            low, high = self._lots(row, sheet, zone, count, left, right)
        outline = [(u, bottom) for u in _dense(low)] + [(u, top) for u in reversed(_dense(high))]
        self.holes.setdefault(row, []).append(self.grid.ring(outline))

    def _lots(
        self, row: int, sheet: int, zone: Zone, count: int, left: float, right: float
    ) -> tuple[list[float], list[float]]:
        """Lots back to back between two streets; returns where lot lines meet either street."""
        bottom, top = self.grid.centres[row] + STREET_HALF, self.grid.centres[row + 1] - STREET_HALF
        if count == 1:
            self._lot(row, sheet, zone, left, bottom, right, top, row)
            return [left, right], [left, right]
        centre = (bottom + top) / 2
        low = self._cuts((count + 1) // 2, left, right)
        high = self._cuts(count // 2, left, right)
        for start, end in pairwise(low):
            self._lot(row, sheet, zone, start, bottom, end, centre, row)
        for start, end in pairwise(high):
            self._lot(row, sheet, zone, start, centre, end, top, row + 1)
        return low, high

    def _cuts(self, count: int, left: float, right: float) -> list[float]:
        ends = np.cumsum(self.rng.uniform(0.75, 1.3, count))
        return [left, *(left + ends[:-1] * (right - left) / ends[-1]).tolist(), right]

    def _lot(
        self,
        row: int,
        sheet: int,
        zone: Zone,
        left: float,
        bottom: float,
        right: float,
        top: float,
        street: int,
    ) -> None:
        ring = self.grid.quad(left, bottom, right, top)
        self.plan.lots.append(
            Lot((ring,), middle(ring), "FEE", zone, sheet, street, _number(left, right, street != row))
        )

    def _farm(
        self, row: int, sheet: int, left: float, bottom: float, right: float, top: float
    ) -> tuple[list[float], list[float]]:
        """One lot over the whole block: around a pond, cut in two by a lane, or whole."""
        grid, centre = self.grid, (left + right) / 2
        outer = grid.quad(left, bottom, right, top)
        inside = grid.place(left + 40, bottom + 30)
        rings: Shape = (outer,)
        edge = [left, right]
        if sheet % 40 == 1:
            angles = [math.tau * k / 24 for k in range(24)]
            shore = [
                (centre + (48 + 9 * math.sin(3 * a)) * math.cos(a), (bottom + top) / 2 - 30 * math.sin(a))
                for a in angles
            ]
            pond = grid.ring(shore)
            self.plan.others.append(Lot((pond,), middle(pond), "WATER", "other", sheet))
            rings = (outer, tuple(reversed(pond)))
        elif sheet % 40 == 6:
            lane = grid.quad(centre - LANE_HALF, bottom, centre + LANE_HALF, top)
            self.plan.others.append(Lot((lane,), middle(lane), "PRIV_ROW", "other", sheet))
            rings = (
                grid.quad(left, bottom, centre - LANE_HALF, top),
                grid.quad(centre + LANE_HALF, bottom, right, top),
            )
            edge = [left, centre - LANE_HALF, centre + LANE_HALF, right]
        self.plan.lots.append(Lot(rings, inside, "FEE", "farm", sheet, row, _number(left, right, False)))
        return edge, edge

    def railway(self) -> None:
        """A strip between two streets, interrupted where north-south streets cross it."""
        row = self.grid.rail_row
        bottom, top = self.grid.centres[row] + STREET_HALF, self.grid.centres[row + 1] - STREET_HALF
        for column in range(self.grid.columns):
            left, right = column * BLOCK_PITCH + STREET_HALF, (column + 1) * BLOCK_PITCH - STREET_HALF
            ring = self.grid.quad(left, bottom, right, top)
            self.plan.others.append(Lot((ring,), middle(ring), "RAIL_ROW", "other"))
            self.holes.setdefault(row, []).append(tuple(reversed(ring)))

    def streets(self) -> None:
        """One ROW polygon per district: the district's outline with a hole for every block."""
        grid = self.grid
        step = max(1, round(BLOCKS_PER_DISTRICT / grid.columns))
        starts = list(range(0, grid.rows, step))
        for start, end in pairwise([*starts, grid.rows]):
            levels = list(grid.centres[start : end + 1])
            levels[0] -= STREET_HALF if start == 0 else 0.0
            levels[-1] += STREET_HALF if end == grid.rows else 0.0
            across = [
                -STREET_HALF,
                *(c * BLOCK_PITCH for c in range(1, grid.columns)),
                grid.columns * BLOCK_PITCH + 7,
            ]
            outline = [(across[0], v) for v in levels] + [(u, levels[-1]) for u in across[1:]]
            outline += [(across[-1], v) for v in reversed(levels[:-1])] + [
                (u, levels[0]) for u in reversed(across[1:-1])
            ]
            holes = [hole for row in range(start, end) for hole in self.holes.get(row, [])]
            # A crossing in the district's middle; with one row of blocks, the north-south street beside it.
            inside = grid.place(0.0, (grid.centres[start] + grid.centres[start + 1]) / 2)
            self.plan.others.append(Lot((grid.ring(outline), *holes), inside, "ROW", "other"))


def _number(left: float, right: float, odd: bool) -> int:
    """House number from the position along the street: 2 for every 10 m; odd on the south side."""
    return 2 * int((left + right) / 20) + (1 if odd else 2)


def _dense(cuts: list[float]) -> list[float]:
    """Street line with two more vertices on each frontage, as traced from a plan."""
    points = [start + (end - start) * share for start, end in pairwise(cuts) for share in (0, 1 / 3, 2 / 3)]
    return [*points, cuts[-1]]
