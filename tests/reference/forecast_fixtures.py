"""Writes worker/tests/fixtures/forecasts.json: what pandas makes of the seasonal naive forecast of two tables, and of its back-test.

Run from the root of the repository, with pandas: python tests/reference/forecast_fixtures.py
"""

import json
from pathlib import Path

import numpy as np
import pandas as pd

FIXTURES = Path("worker/tests/fixtures")


def forecast(known, wanted, season, seasons):
    """For each wanted period, the mean of the last observed values at its place in the season; the last value where there is none."""
    last = known.index.max()
    answers = []
    for period in wanted:
        place = known[(known.index - period) % season == 0].sort_index().tail(seasons)
        answers.append(place.mean() if len(place) else known[last])
    return np.array(answers)


def origin(table, newest, back, horizon, season, seasons):
    """The metrics of one point in time: of the forecast, and of the last value of each series."""
    point = newest - back * horizon
    actual, predicted, naive, scales = [], [], [], []
    for _, rows in table.groupby("series"):
        rows = rows.set_index("period")["y"].sort_index()
        known = rows[rows.index <= point]
        after = rows[(rows.index > point) & (rows.index <= point + horizon)]
        if len(known):
            after = after[after.index <= known.index.max() + horizon]
        if not len(known) or not len(after):
            continue
        actual += after.tolist()
        predicted += forecast(known, after.index, season, seasons).tolist()
        naive += [known.iloc[-1]] * len(after)
        scales += [known.diff().abs().mean()] * len(after)
    actual, scales = np.array(actual), np.array(scales)

    def metrics(answers):
        error = np.abs(actual - np.array(answers))
        scaled = scales > 0
        return {
            "mae": error.mean(),
            "rmse": np.sqrt((error**2).mean()),
            "mape": (error / np.maximum(np.abs(actual), np.finfo(float).eps)).mean(),
            "mase": (error[scaled] / scales[scaled]).mean(),
        }

    return metrics(predicted), metrics(naive)


def case(name, table, interval, algorithm, season, seasons, horizon, origins):
    """A table with a column of days, the forecasts of all that it can foresee, and its back-test."""
    count = {"day": lambda day: (day - pd.Timestamp("1970-01-01")).days, "month": lambda day: day.year * 12 + day.month - 1}
    table["period"] = table["day"].map(count[interval])
    newest = table["period"].max()
    folds = [origin(table, newest, back, horizon, season, seasons) for back in range(origins, 0, -1)]
    wanted = []
    for key, rows in table.groupby("series"):
        known = rows.set_index("period")["y"].sort_index()
        last = rows["day"].max()
        step = pd.DateOffset(**{f"{interval}s": 1})
        days = [last + step * (after + 1) for after in range(horizon)]
        periods = [known.index.max() + after + 1 for after in range(horizon)]
        answers = forecast(known, periods, season, seasons)
        wanted += [[str(day.date()), key, answer] for day, answer in zip(days, answers)]
    return {
        "name": name,
        "algorithm": algorithm,
        "folds": origins,
        "rows": [[str(day.date()), key, y] for day, key, y in zip(table["day"], table["series"], table["y"])],
        "forecasts": wanted,
        "metrics": {metric: [fold[0][metric] for fold in folds] for metric in folds[0][0]},
        "naive": {metric: float(np.mean([fold[1][metric] for fold in folds])) for metric in folds[0][1]},
    }


def shops():
    """Days of two shops with a week's season; some days are missing, and one shop opened later."""
    rng, rows = np.random.default_rng(3), []
    for key, start, level in [("north", 0, 50), ("south", 60, 20)]:
        for day in range(start, 150):
            if rng.random() < 0.1:
                continue
            y = level + [0, 2, 4, 3, 9, 20, 15][day % 7] + rng.normal()
            rows.append((pd.Timestamp("2024-01-01") + pd.Timedelta(days=day), key, round(y, 3)))
    rng.shuffle(rows)
    return pd.DataFrame(rows, columns=["day", "series", "y"])


def months():
    """The first days of months of one series."""
    rng = np.random.default_rng(4)
    days = pd.date_range("2015-01-01", periods=96, freq="MS")
    y = [round(100 + month + 30 * np.sin(month / 6 * np.pi) + rng.normal(), 3) for month in range(96)]
    return pd.DataFrame({"day": days, "series": "one", "y": y})


cases = [
    case("shops", shops(), "day", {}, 7, 1, 7, 4),
    case("shops over seasons", shops(), "day", {"interval": "day", "seasons": 3, "horizon": 10}, 7, 3, 10, 3),
    case("months", months(), "month", {}, 12, 1, 12, 3),
    case("months of a short season", months(), "month", {"seasonLength": 6, "horizon": 4}, 6, 1, 4, 5),
]
(FIXTURES / "forecasts.json").write_text(json.dumps(cases, separators=(",", ":")) + "\n")
