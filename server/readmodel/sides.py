"""The numbers that a figure is made of, each with the terms that add up to it: a count has one, a share two,
and what is divided into parts one for each part."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from server.readmodel.contributions import Contributions
from server.readmodel.declaration import Declaration, Indicator, Term
from server.readmodel.figures import Sums, scopes_of, total, week_start

VALUE, NUMERATOR, DENOMINATOR = "value", "numerator", "denominator"
SIDES = (VALUE, NUMERATOR, DENOMINATOR)
SPANS = ("day", "week")
WHOLE = ""
FIRST_DAY = ""  # sorts before every day


class NoSuchSide(ValueError):
    """The indicator has no such number: a count has no denominator, what is cumulative no seven days."""


@dataclass(frozen=True)
class Side:
    """One number of a figure at the end of `day`. `span` says over which days daily counts are added. `part`
    is "" for the whole, None for every range of what is counted by range."""

    indicator: Indicator
    of: str
    part: str | None
    terms: tuple[Term, ...]
    day: str
    span: str

    @property
    def components(self) -> list[str]:
        return sorted({term.component for term in self.terms})

    @property
    def daily(self) -> bool:
        return all(term.scope == "day" for term in self.terms)

    @property
    def first_day(self) -> str:
        """Nothing before it counts."""
        if not self.daily:
            return FIRST_DAY
        return self.day if self.span == "day" else week_start(self.day)

    @cached_property
    def _scopes(self) -> dict[str, tuple[str, ...]]:
        return {}

    def _scopes_of(self, on: str) -> tuple[str, ...]:
        if on not in self._scopes:
            self._scopes[on] = scopes_of(on, self.day, week_start(self.day))
        return self._scopes[on]

    def amounts(self, contributions: Contributions) -> dict[str, int]:
        """{part: millionths} that a unit adds to the number; nothing for what adds nothing."""
        found: dict[str, int] = {}
        for term in self.terms:
            scope = self.span if term.scope == "day" else term.scope
            for name, part in self._names(term, contributions):
                added = sum(
                    value for on, value in contributions[name].items() if scope in self._scopes_of(on)
                )
                found[part] = found.get(part, 0) + term.sign * added
        return {part: value for part, value in found.items() if value}

    def _names(self, term: Term, contributions: Contributions) -> list[tuple[str, str]]:
        if self.part is None:
            ranges = [(f"{term.component}|{bound}", str(bound)) for bound in self.indicator.bounds]
            return [(name, part) for name, part in ranges if name in contributions]
        name = f"{term.component}|{self.part}" if self.part else term.component
        return [(name, self.part)] if name in contributions else []

    def of_span(self, figure: Mapping[str, Any]) -> Mapping[str, Any]:
        """Of a whole figure the part that is about the side's days."""
        found: Mapping[str, Any] = figure if self.span == "day" else figure["seven_days"]
        return found

    def told(self, figure: Mapping[str, Any]) -> float | int:
        """The same number where `figures` tells it."""
        told = self.of_span(figure)
        if not self.part:
            return told.get(self.of) or 0
        of_part = told.get("parts", {}).get(self.part, {})
        return of_part.get(VALUE if self.indicator.percentile is not None else self.of) or 0

    def number(self, sums: Sums) -> float | int:
        """What the cells say of it."""
        if self.part is None:
            return sum(total(self.terms, sums, str(bound), self.span) for bound in self.indicator.bounds)
        return total(self.terms, sums, self.part, self.span)


def side(
    indicator: Indicator, day: str, span: str = "day", of: str | None = None, part: str | None = None
) -> Side:
    """Without `of` the number that leads. Raises NoSuchSide."""
    of = of or next(iter(sides_of(indicator, part)), VALUE)
    terms = sides_of(indicator, part).get(of)
    if not terms or (span == "week" and indicator.cumulative):
        raise NoSuchSide(indicator.id)
    if indicator.percentile is not None:
        if part and part not in map(str, indicator.bounds):
            raise NoSuchSide(indicator.id)
        return Side(indicator, of, part or None, terms, day, span)
    return Side(indicator, of, part or WHOLE, terms, day, span)


def sides_of(indicator: Indicator, part: str | None = None) -> Mapping[str, tuple[Term, ...]]:
    """{side: terms}, the leading one first: the whole's, or those of its parts."""
    if indicator.percentile is not None:
        return {DENOMINATOR: indicator.spread}
    if part:
        terms = (indicator.parts_value, indicator.parts_numerator, indicator.parts_denominator)
    else:
        terms = (indicator.value, indicator.numerator, indicator.denominator)
    return {name: each for name, each in zip(SIDES, terms, strict=True) if each}


def speaks_of(side: Side, declaration: Declaration) -> set[str]:
    """The names under which records say what the number counts."""
    return {declaration.components[name].said for name in side.components}
