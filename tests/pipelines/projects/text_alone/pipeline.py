"""Nothing but a note, as one text a row."""

import polars as pl
from sklearn.feature_extraction.text import CountVectorizer
from sklearn.naive_bayes import MultinomialNB
from sklearn.pipeline import Pipeline, make_pipeline


def rows(orders: pl.DataFrame) -> pl.DataFrame:
    return orders.select("note", "late")


def model(train: pl.DataFrame) -> Pipeline:
    return make_pipeline(CountVectorizer(stop_words=["o"]), MultinomialNB()).fit(train["note"].to_list(), train["late"].to_list())
