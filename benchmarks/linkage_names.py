"""Names for the labelled set: real frequencies, tails of names no list holds, and communities.

Nobody real: surnames and given names are drawn apart. What the lists leave out is made up of syllables.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from leadflow_assets.domain.owners.names import given_names, surnames

Strings = np.ndarray
# A third of owners in a real town bear surnames outside the packaged list, a tenth such given names.
_SURNAME_TAIL = 0.30
_GIVEN_TAIL = 0.10
_TAIL_SURNAMES = 150_000
_TAIL_GIVEN = 6_000


def _words(text: str) -> list[str]:
    return text.split()


_STARTS = _words("B BR C CH D DR F FR G GR H J K KR L M N P PR R S SCH SH ST SZ T TR V W Z")
_VOWELS = _words("A E I O U AI EA IE OU EI")
_MIDDLES = _words("B CK D F G K L LL M N NN P R RR S SS T TT V Z NT RD LD")
_ENDS = _words("SKI OV ELLI AUX MAN SON ER IAN ICZ EAU ETTE ANO IDIS ULIS EIRA ENKO AK EK OTT WELL ARD")


@dataclass(frozen=True)
class Community:
    """People whose surnames and given names go together and who live together; ``counties`` weigh double."""

    share: float
    counties: frozenset[str]
    surnames: tuple[str, ...]
    men: tuple[str, ...]
    women: tuple[str, ...]


def _community(share: float, counties: str, last: str, men: str, women: str) -> Community:
    return Community(
        share, frozenset(counties.split()), tuple(last.split()), tuple(men.split()), tuple(women.split())
    )


COMMUNITIES = (
    _community(
        0.06,
        "Bristol Plymouth",
        "SILVA SANTOS COSTA PEREIRA MEDEIROS SOUSA OLIVEIRA FERREIRA RODRIGUES FERNANDES MARTINS CORREIA "
        "AMARAL MELLO CABRAL ARRUDA PACHECO RAPOSO TAVARES FURTADO",
        "JOSE MANUEL ANTONIO JOAO CARLOS PAULO LUIS FRANCISCO JOHN JOSEPH",
        "MARIA ANA FATIMA LUCIA TERESA ISABEL ROSA HELENA MARY LINDA",
    ),
    _community(
        0.14,
        "Suffolk Norfolk Plymouth",
        "SULLIVAN MURPHY OBRIEN KELLY MCCARTHY LYNCH WALSH RYAN DONOVAN MURRAY KENNEDY REILLY DOHERTY BURKE "
        "FITZGERALD COLLINS FLYNN DALY OCONNOR MAHONEY SHEA CONNOLLY",
        "JOHN MICHAEL PATRICK DANIEL KEVIN BRIAN TIMOTHY WILLIAM JAMES THOMAS SEAN FRANCIS",
        "MARY KATHLEEN PATRICIA EILEEN MAUREEN ANN MARGARET COLLEEN ELIZABETH NANCY",
    ),
    _community(
        0.07,
        "Essex Middlesex Suffolk",
        "ROSSI RUSSO MARINO ROMANO GRECO RICCI LOMBARDI COSTA LEONE GALLO CONTI ESPOSITO DELUCA CARUSO "
        "FERRARA PALUMBO MARTINO DAMICO BRUNO SANTORO",
        "ANTHONY JOSEPH JOHN MICHAEL FRANK ROBERT PAUL SALVATORE VINCENT DOMENIC",
        "MARIA ROSE ANGELA LISA DONNA THERESA ANNA CARMELA GINA LORRAINE",
    ),
    _community(
        0.05,
        "Hampden Essex Suffolk",
        "RODRIGUEZ RIVERA ORTIZ SANTIAGO DIAZ TORRES GARCIA MARTINEZ PEREZ GONZALEZ CRUZ RAMOS LOPEZ REYES "
        "VAZQUEZ COLON",
        "JOSE LUIS CARLOS JUAN MIGUEL ANGEL RAFAEL HECTOR VICTOR PEDRO",
        "MARIA CARMEN ANA ROSA LUZ MARISOL IRIS EVELYN SONIA YOLANDA",
    ),
    _community(
        0.04,
        "Norfolk Middlesex Suffolk",
        "NGUYEN TRAN CHEN WANG LI WONG LEE CHAN LAM PHAM HUANG LIU ZHANG LE YANG WU",
        "WEI MINH DAVID JAMES PETER KEVIN TUAN HUNG LONG DUC",
        "LI MEI LAN THUY MARY HONG NGA YING LING ANNA",
    ),
)


@dataclass(frozen=True)
class Pool:
    """Names and, for each, the probability of it or one before it."""

    names: Strings
    bounds: np.ndarray

    def draw(self, random: np.random.Generator, count: int) -> Strings:
        """So many names."""
        return self.names[np.searchsorted(self.bounds, random.random(count))]


def _made_up(random: np.random.Generator, count: int, taken: set[str]) -> list[str]:
    found: dict[str, None] = {}
    while len(found) < count:
        pools = (_STARTS, _VOWELS, _MIDDLES, _VOWELS, _ENDS)
        start, vowel, middle, second, end = (
            np.array(pool)[random.integers(0, len(pool), count)] for pool in pools
        )
        inner = np.where(random.random(count) < 0.4, "", np.char.add(middle, second))
        drawn = np.char.add(np.char.add(start, vowel), np.char.add(inner, end)).tolist()
        found.update((name, None) for name in drawn if name not in taken)
    return [*found][:count]


def _pool(random: np.random.Generator, listed: dict[str, float], tail: float, tail_names: int) -> Pool:
    names = [*listed]
    weights = np.array([*listed.values()])
    weights *= (1 - tail) / weights.sum()
    rare = random.lognormal(0, 1.2, tail_names)
    everything = np.concatenate([weights, rare * tail / rare.sum()])
    bounds = (everything / everything.sum()).cumsum()
    bounds[-1] = 1.0
    return Pool(np.array([*names, *_made_up(random, tail_names, set(names))]), bounds)


@dataclass(frozen=True)
class Names:
    """All pools of one set."""

    last: Pool
    men: Pool
    women: Pool


def make_names(random: np.random.Generator, properties: int) -> Names:
    """The pools; the same for the same state of ``random``. Few properties need few rare names."""
    men = {name: both[0] for name, both in given_names().items() if both[0] > 0}
    women = {name: both[1] for name, both in given_names().items() if both[1] > 0}
    return Names(
        _pool(random, dict(surnames()), _SURNAME_TAIL, min(_TAIL_SURNAMES, properties)),
        _pool(random, men, _GIVEN_TAIL, min(_TAIL_GIVEN, properties)),
        _pool(random, women, _GIVEN_TAIL, min(_TAIL_GIVEN, properties)),
    )
