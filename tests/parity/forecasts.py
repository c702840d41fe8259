"""`seasonalNaive` beside its formula, computed by pandas from periods of the calendar."""

import numpy as np
import pandas as pd

from cells import Cell
from series import SERIES
from worker import worker_of

SECTION = "seasonalNaive"
# Of a number: both sides add the same few.
ALLOWED_SHARE = 1e-12
PERIODS = {"hour": "h", "day": "D", "week": "W-SUN", "month": "M", "quarter": "Q", "year": "Y"}


def periods(dates, interval):
    """The number of each date's interval; weeks are from Monday to Sunday."""
    return dates.dt.to_period(PERIODS[interval]).map(lambda period: period.ordinal).astype(int)


def forecast(known, place, season, seasons):
    """What the last observed numbers at the same place of a season come to in the mean; where there is none, the last number.

    `known` has the numbers by their place, in order."""
    same = known[(known.index - place) % season == 0]
    return (same if len(same) else known).tail(seasons if len(same) else 1).mean()


def divide(frame, series):
    """The rows to learn from, and those of the last season, each series by itself."""
    frame = frame.assign(place=periods(frame["date"], series.interval)).sort_values("date", kind="stable")
    keys = frame["series"] if "series" in frame else pd.Series("", index=frame.index)
    last = frame["place"].groupby(keys).transform("max") - series.season
    return frame[frame["place"] <= last], frame[frame["place"] > last]


def parts(wanted):
    """What is compared on its own: a table of series."""
    return [name for name in SERIES if wanted(SECTION) and wanted(name)]


def compare(name, program, seeds, wanted):
    series = SERIES[name]
    known, test = divide(series.load(), series)
    keys = ["series"] if "series" in known else []
    with worker_of(program) as worker:
        worker.put(train=known[["date", *keys, "number"]], test=test[["date", *keys]])
        parameters = {"interval": series.interval, "seasonLength": series.season, "seasons": series.seasons}
        worker.train(SECTION, parameters, "number", more=("--folds", 2))
        ours = worker.score()["predicted_number"].to_numpy()
    of = dict(tuple(known.groupby("series"))) if keys else {None: known}
    numbers = {key: rows.set_index("place")["number"] for key, rows in of.items()}
    rows = zip(test["series"] if keys else [None] * len(test), test["place"])
    theirs = np.array([forecast(numbers[key], place, series.season, series.seasons) for key, place in rows])
    error = np.abs(ours - test["number"].to_numpy()).mean()
    share = np.abs(ours / theirs - 1).max()
    yield Cell(SECTION, "mean absolute error", name, error, share, ALLOWED_SHARE, "{ours:.4g} ({difference:.0e})")
