"""The same work in other programs: peers.py PART PROGRAM OUT, run in the folder with the data."""

import sys


def orders(program, out):
    if program == "polars":
        import polars as pl

        customers = pl.scan_csv("customers.csv")
        result = (
            pl.scan_csv("orders.csv")
            .filter(pl.col("price") > 5)
            .join(customers, on="customer")
            .group_by("region", "product", maintain_order=True)
            .agg(
                pl.len().alias("orders"),
                (pl.col("amount") * pl.col("price")).sum().alias("revenue"),
                pl.col("price").mean(),
            )
            .collect()
        )
        result.write_parquet(out) if out.endswith(".parquet") else result.write_csv(out)
    elif program == "duckdb":
        import duckdb

        query = (
            "SELECT c.region, o.product, count(*) AS orders, sum(o.amount * o.price) AS revenue, avg(o.price) AS price "
            "FROM 'orders.csv' o JOIN 'customers.csv' c ON o.customer = c.customer WHERE o.price > 5 GROUP BY ALL"
        )
        form = "parquet" if out.endswith(".parquet") else "csv, header"
        duckdb.sql(f"COPY ({query}) TO '{out}' (FORMAT {form})")
    else:
        import pandas as pd

        table = pd.read_csv("orders.csv")
        table = table[table.price > 5].merge(pd.read_csv("customers.csv"), on="customer")
        table["revenue"] = table.amount * table.price
        groups = table.groupby(["region", "product"], sort=False)
        result = groups.agg(orders=("id", "count"), revenue=("revenue", "sum"), price=("price", "mean")).reset_index()
        result.to_parquet(out) if out.endswith(".parquet") else result.to_csv(out, index=False)


def score(program, out):
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    model = make_pipeline(StandardScaler(), LogisticRegression())
    if program == "polars":
        import polars as pl

        train, rows = pl.read_csv("train.csv"), pl.read_csv("rows.csv")
        model.fit(train.drop("y").to_numpy(), train["y"].to_numpy())
        found = model.predict_proba(rows.to_numpy())
        names = model.classes_[found.argmax(axis=1)]
        added = [pl.Series("predicted_y", names)]
        added += [pl.Series(f"probability_{name}", found[:, at]) for at, name in enumerate(model.classes_)]
        rows.with_columns(added).write_csv(out)
    else:
        import pandas as pd

        train, rows = pd.read_csv("train.csv"), pd.read_csv("rows.csv")
        model.fit(train.drop(columns="y").to_numpy(), train["y"])
        found = model.predict_proba(rows.to_numpy())
        rows["predicted_y"] = model.classes_[found.argmax(axis=1)]
        for at, name in enumerate(model.classes_):
            rows[f"probability_{name}"] = found[:, at]
        rows.to_csv(out, index=False)


def files(_program, out):
    import duckdb

    duckdb.sql(f"COPY (SELECT * FROM 'tiny/*.csv') TO '{out}' (FORMAT csv, header)")


def post(url, rows_per_request):
    import http.client
    import json
    from urllib.parse import urlsplit

    import pandas as pd

    rows, size = pd.read_csv("post.csv").to_dict("records"), int(rows_per_request)
    connection = http.client.HTTPConnection(urlsplit(url).netloc)
    for first in range(0, len(rows), size):
        batch = rows[first : first + size]
        connection.request("POST", "/", json.dumps(batch[0] if size == 1 else batch), {"Content-Type": "application/json"})
        connection.getresponse().read()


if __name__ == "__main__":
    {"orders": orders, "score": score, "files": files, "post": post}[sys.argv[1]](*sys.argv[2:])
