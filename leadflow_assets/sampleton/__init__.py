"""Sampleton: schema-true MassGIS L3 shapefile packages of fictional towns, with every known quirk planted.

``write_package`` makes one town, ``next_release`` the same town a year later, ``write_state`` all 351 for
benchmarks, ``write_faulty_package`` packages that must be refused.
``write_deliveries`` adds files as ATTOM delivers them, ``write_court_files`` cases; ``write_history`` makes
years of rolls in which it is known who sells, and why. No name or row is taken from a real record.
"""

from leadflow_assets.sampleton.attom_files import write_deliveries
from leadflow_assets.sampleton.court_files import write_court_files
from leadflow_assets.sampleton.draft import PackageSpec
from leadflow_assets.sampleton.faults import FAULT_KINDS, FaultKind, write_faulty_package
from leadflow_assets.sampleton.history import EFFECTS, History, HistorySpec, write_history
from leadflow_assets.sampleton.package import Planted, next_release, write_package
from leadflow_assets.sampleton.statewide import town_sizes, write_state

__all__ = [
    "EFFECTS",
    "FAULT_KINDS",
    "FaultKind",
    "History",
    "HistorySpec",
    "PackageSpec",
    "Planted",
    "next_release",
    "town_sizes",
    "write_court_files",
    "write_deliveries",
    "write_faulty_package",
    "write_history",
    "write_package",
    "write_state",
]
