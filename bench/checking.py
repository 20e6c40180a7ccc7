"""How many visits a second one core checks against their form: `python -m bench.checking [--households 500]`.

A village's day as `bench.fortnight` makes it, its register at hand in memory; only `schemas.check_record` is
timed, in processor time, and the best of five rounds is told.
"""

from __future__ import annotations

import argparse
import time
from collections import Counter
from datetime import date
from typing import Any

from bench.fortnight import Day, Village, records_of
from schemas import CompiledForm, Context, check_record
from tests.server.intake.district import ALPHA, COMPILED, filler, household, settings_doc

ROUNDS = 5


def visits(households: list[dict[str, Any]]) -> list[dict[str, Any]]:
    village = Village(ALPHA, households, [], [], [filler(ALPHA)], ["phone-a"])
    made = records_of(village, Day(date(2020, 2, 10), 0, 1), seed=1)
    return [doc for docs in made.values() for doc in docs]


def evening(households: list[dict[str, Any]]) -> Context:
    register = {entry["household_id"]: entry for entry in households}
    register |= {filler(ALPHA)["filler_id"]: filler(ALPHA)}

    def entry(_list: str, _column: str, key: str) -> dict[str, Any] | None:
        return register.get(key)

    return Context("2020-02-10", "2020-02-10T20:00:00+08:00", settings_doc(), entry)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--households", type=int, default=500)
    entries = [household(ALPHA, number) for number in range(1, parser.parse_args().households + 1)]
    form = CompiledForm.from_dict(next(one for one in COMPILED if one["form_id"] == "household_visit"))
    context, records, took = evening(entries), visits(entries), []
    for _ in range(ROUNDS):
        start = time.process_time()
        reports = [check_record(form, record, context) for record in records]
        took.append(time.process_time() - start)
    found = Counter(problem.rule for report in reports for problem in report.problems)
    print(f"{len(records)} visits, {len(records) / min(took):.0f}/s of one core; complaints: {dict(found)}")


if __name__ == "__main__":
    main()
