"""Moments, times of day, spans and ranges; those that end something lie in the future."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from partywall.survey.planting import hints
from partywall.survey.planting.shapes import constant, constants

if TYPE_CHECKING:
    from partywall.catalog.facts import Column
    from partywall.survey.planting.seed import Seed
    from partywall.survey.planting.shapes import Maker

    Makers = tuple[Maker, ...]

PAST, FUTURE = datetime(2016, 1, 1, tzinfo=UTC), datetime(2032, 1, 1, tzinfo=UTC)
SPAN_SECONDS = 7 * 365 * 86_400


def _moments(column: Column, form: Callable[[datetime], str]) -> Makers:
    name = column.name

    def after(start: datetime) -> Maker:
        def make(seed: Seed) -> str:
            micros = seed.number(name, 1, SPAN_SECONDS * 1_000_000)
            return form(start + timedelta(microseconds=micros))

        return make

    starts = (FUTURE, PAST) if hints.ahead(column) else (PAST, FUTURE)
    now = datetime.now(UTC)
    fixed = (datetime(2000, 1, 1, tzinfo=UTC), now, now.replace(day=1, hour=0, minute=0, second=0),
             now + timedelta(days=1), now - timedelta(days=1), datetime(2024, 6, 15, tzinfo=UTC),
             datetime(2025, 6, 15, tzinfo=UTC))  # fmt: skip
    return (*(after(start) for start in starts), *(constant(form(moment)) for moment in fixed))


def _stamp(moment: datetime) -> str:
    text = moment.strftime("%Y-%m-%d %H:%M:%S.%f")
    return text.rstrip("0").rstrip(".")


def _timestamp(column: Column) -> Makers:
    return _moments(column, _stamp)


def _timestamptz(column: Column) -> Makers:
    return _moments(column, lambda moment: _stamp(moment) + "+00")


def _date(column: Column) -> Makers:
    return _moments(column, lambda moment: moment.date().isoformat())


def _time(column: Column) -> Makers:
    name = column.name
    zone = "+00" if column.base == "timetz" else ""
    low, high = (18, 23) if hints.ahead(column) else (1, 12)

    def make(seed: Seed) -> str:
        hour, minute = seed.number(name, low, high), seed.number(f"{name}:", 10, 59)
        return f"{hour:02d}:{minute:02d}:00{zone}"

    return (make, *constants(f"00:00:00{zone}", f"12:00:00{zone}", f"23:59:59{zone}"))


def _range(column: Column) -> Makers:
    inner, width = RANGES[column.base.replace("multirange", "range")]
    shut = "{{{}}}" if "multirange" in column.base else "{}"
    name = column.name

    def make(seed: Seed) -> str:
        if isinstance(inner, str):
            low = seed.number(name, 10_000_000, 1_000_000_000)
            return shut.format(f"[{low},{low + 5})")
        start = PAST + timedelta(minutes=seed.number(name, 1, 30_000_000))
        return shut.format(f'["{inner(start)}","{inner(start + width)}")')

    return (make, *constants(shut.format("(,)"), "{}" if shut != "{}" else "empty"))


def _interval(column: Column) -> Makers:
    name = column.name
    return (lambda seed: f"{seed.number(name, 2, 900)} days", *constants("01:00:00", "1 day", "0"))


RANGES: Mapping[str, tuple[str | Callable[[datetime], str], timedelta]] = {
    "int4range": ("", timedelta()), "int8range": ("", timedelta()), "numrange": ("", timedelta()),
    "tsrange": (_stamp, timedelta(minutes=5)),
    "tstzrange": (lambda moment: _stamp(moment) + "+00", timedelta(minutes=5)),
    "daterange": (lambda moment: moment.date().isoformat(), timedelta(days=1)),
}  # fmt: skip
FAMILIES: Mapping[str, Callable[[Column], Makers]] = {
    **dict.fromkeys((*RANGES, *(name.replace("range", "multirange") for name in RANGES)), _range),
    **dict.fromkeys(("time", "timetz"), _time),
    "interval": _interval, "timestamp": _timestamp, "timestamptz": _timestamptz, "date": _date,
}  # fmt: skip
