"""The routes over real HTTP, and bad requests one by one."""

from __future__ import annotations

import json
import socket
from typing import Any

import numpy as np
import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.serving.conftest import DATATYPES, ROW, Server, body, flights

from towpath.formats.golden import check_golden
from towpath.formats.package import unpack
from towpath.verdict import Answer

INFER = "/v2/models/flights/infer"


def test_the_pages_of_the_protocol(shared: Server) -> None:
    assert shared.ask("GET", "/v2") == (200, {"name": "towpath", "version": "2", "extensions": ["labels", "metrics"]})
    assert shared.ask("GET", "/v2/health/live") == (200, {"live": True})
    for path in ("/v2/health/ready", "/v2/models/flights/ready", "/v2/models/flights/versions/1/ready"):
        assert shared.ask("GET", path) == (200, {"ready": True})
    status, page = shared.ask("GET", "/v2/models/flights")
    assert (status, page["versions"], page["inputs"][1]) == (200, ["1"], {"name": "distance", "datatype": "INT64", "shape": [-1]})
    assert [output["name"] for output in page["outputs"]] == ["label", "probability"]


def test_an_answer_names_its_version_and_the_prediction_id(shared: Server) -> None:
    status, answer = shared.infer(body(id="mine"))
    assert (status, answer["id"], answer["model_name"], answer["model_version"]) == (200, "mine", "flights", "1")
    label, probability = answer["outputs"]
    assert (label["name"], label["datatype"], label["shape"]) == ("label", "BOOL", [1])
    assert (probability["shape"], probability["parameters"]) == ([1, 2], {"classes": [False, True]})
    assert sum(probability["data"]) == pytest.approx(1)
    assert label["data"][0] == (probability["data"][1] > 0.5)
    without = shared.infer()[1]["id"]
    assert without != shared.infer()[1]["id"]


def test_the_golden_rows_are_answered_over_http_as_in_training(shared: Server) -> None:
    golden = unpack(shared.packages.store, shared.packages.versions[1]).golden()

    def over_http(columns: Any) -> np.ndarray[Any, Any]:
        rows = len(columns["hour"])
        inputs = [{"name": n, "shape": [rows, 1], "datatype": DATATYPES[n], "data": [[v] for v in values]} for n, values in columns.items()]
        status, answer = shared.infer({"inputs": inputs})
        assert status == 200, answer
        return np.array(answer["outputs"][1]["data"]).reshape(rows, 2)

    assert check_golden(over_http, golden).answer is Answer.PASS


def test_many_rows_are_answered_as_one_by_one_and_have_an_id_each(shared: Server) -> None:
    rows = flights(20).drop("late").with_columns(pl.col("departure").dt.strftime("%Y-%m-%dT%H:%M:%SZ")).to_dicts()
    columns = [{"name": n, "shape": [20], "datatype": DATATYPES[n], "data": [row[n] for row in rows]} for n in ROW]
    status, together = shared.infer({"id": "many", "inputs": columns})
    assert status == 200
    apart = [shared.infer(body(row))[1]["outputs"][1]["data"][1] for row in rows]
    assert together["outputs"][1]["data"][1::2] == pytest.approx(apart)
    there = {row["id"]: row for row in shared.rows()}
    assert [json.loads(there[f"many/{k}"]["row"]) for k in range(20)] == rows


def change(column: str, **changes: Any) -> dict[str, Any]:
    request = body()
    for tensor in request["inputs"]:
        if tensor["name"] == column:
            tensor.update(changes)
    return request


BAD: dict[str, tuple[Any, str]] = {
    "broken JSON": (b'{"inputs": [', "no JSON"),
    "no UTF-8": (b'{"inputs": [], "id": "\xff"}', "no JSON"),
    "half a surrogate": (b'{"inputs": [], "id": "\\ud800"}', "no JSON"),
    "nested beyond reason": (b'{"inputs": [{"name": "hour", "data": ' + b"[" * 40_000, "no JSON"),
    "empty body": (b"", "no JSON"),
    "no object": ([], "expected `object`, got `array`"),
    "no inputs": ({}, "`inputs`"),
    "inputs no list": ({"inputs": {}}, "$.inputs"),
    "input without data": ({"inputs": [{"name": "hour", "shape": [1], "datatype": "INT64"}]}, "`data`"),
    "id no text": ({**body(), "id": 3}, "$.id"),
    "id too long": (body(id="x" * 300), "id has 300 characters"),
    "missing column": (body({name: value for name, value in ROW.items() if name != "hour"}), "'hour': it is missing"),
    "unknown column": (body(distanse=3.0), "did you mean 'distance'"),
    "column twice": ({"inputs": [*body()["inputs"], body()["inputs"][0]]}, "'carrier': it is there twice"),
    "wrong datatype": (change("carrier", datatype="FP64"), "'carrier': datatype 'FP64'"),
    "unknown datatype": (change("wind", datatype="COMPLEX"), "'wind': datatype 'COMPLEX'"),
    "text for a number": (change("wind", data=["strong"]), "'wind': row 0 is 'strong'"),
    "boolean for a number": (change("wind", data=[True]), "'wind': row 0 is True"),
    "number for a boolean": (change("holiday", data=[1]), "'holiday': row 0 is 1"),
    "number for a text": (change("carrier", data=[7]), "'carrier': row 0 is 7"),
    "fraction for an integer": (change("hour", data=[17.5]), "'hour': row 0 is 17.5"),
    "fraction sent as FP64 for an integer": (change("hour", data=[17.5], datatype="FP64"), "'hour': row 0 is 17.5"),
    "integer over 64 bits": (change("hour", data=[2**70]), "'hour': row 0 is 1180591620717411303424"),
    "null where training saw none": (change("hour", data=[None]), "'hour': row 0 is null"),
    "no time": (change("departure", data=["yesterday"]), "'departure': row 0 is 'yesterday'"),
    "list for a value": (change("wind", data=[[1.0, 2.0]]), "'wind'"),
    "wrong shape": (change("wind", shape=[2]), "'wind': shape [2] with 1 values"),
    "shape of a matrix": (change("wind", shape=[1, 2], data=[1.0, 2.0]), "'wind': shape [1, 2]"),
    "no shape": (change("wind", shape=[]), "'wind': shape []"),
    "negative shape": (change("wind", shape=[-1]), "'wind': shape [-1]"),
    "ragged": (change("wind", shape=[2], data=[1.0, 2.0]), "'wind': it has 2 values"),
    "no rows": ({"inputs": [{**tensor, "shape": [0], "data": []} for tensor in body()["inputs"]]}, "no rows"),
}


@pytest.mark.parametrize(("request_body", "said"), BAD.values(), ids=BAD.keys())
def test_a_bad_request_is_a_400_that_names_the_field(shared: Server, request_body: Any, said: str) -> None:
    status, answer = shared.infer(request_body)
    assert status == 400
    assert said.lower() in answer["error"].lower()
    assert list(answer) == ["error"]


@pytest.mark.parametrize(
    "request_body",
    [
        change("wind", data=[None]),
        change("wind", data=[4], datatype="INT32"),
        change("hour", data=[17.0], datatype="FP32"),
        change("wind", shape=[1, 1]),
    ],
    ids=["null", "integer for a number", "whole FP32 for an integer", "shape [n, 1]"],
)
def test_what_is_allowed_is_taken(shared: Server, request_body: Any) -> None:
    assert shared.infer(request_body)[0] == 200


@pytest.mark.parametrize(
    ("method", "path", "status", "said"),
    [
        ("POST", "/v2/models/trains/infer", 404, "no model here called 'trains'"),
        ("GET", "/v2/models/trains", 404, "trains"),
        ("POST", "/v2/models/flights/versions/9/infer", 404, "no version here called '9'"),
        ("GET", "/v2/models/flights/versions/x", 404, "'x'"),
        ("GET", "/nowhere", 404, "/nowhere"),
        ("GET", "/v2/", 404, "/v2/"),
        ("GET", INFER, 405, "takes POST, not GET"),
        ("DELETE", "/labels", 405, "takes POST"),
        ("POST", "/metrics", 405, "takes GET"),
        ("GET", "/towpath/status?position=x", 400, "position 'x'"),
    ],
)
def test_a_route_that_is_not_there(shared: Server, method: str, path: str, status: int, said: str) -> None:
    found, answer = shared.ask(method, path, body() if method == "POST" else None)
    assert (found, said in answer["error"]) == (status, True), answer


def raw(server: Server, request: bytes) -> bytes:
    with socket.create_connection(("127.0.0.1", server.port), timeout=20) as connection:
        connection.sendall(request)
        return connection.recv(65536)


def test_a_body_over_the_limit_is_a_413_however_it_is_sent(shared: Server) -> None:
    status, answer = shared.infer(b" " * 100_001)
    assert (status, "larger than 100000 bytes" in answer["error"]) == (413, True)
    head = f"POST {INFER} HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n".encode()
    assert b" 413 " in raw(shared, head + b"20000\r\n" + b" " * 0x20000 + b"\r\n0\r\n\r\n").split(b"\r\n")[0]


def test_a_chunked_body_is_read(shared: Server) -> None:
    data = json.dumps(body(id="chunked")).encode()
    head = f"POST {INFER} HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n".encode()
    assert b" 200 " in raw(shared, head + b"%x\r\n%s\r\n0\r\n\r\n" % (len(data), data)).split(b"\r\n")[0]


junk = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5) | st.sampled_from(["hour", "INT64", "BYTES"]),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["name", "shape", "datatype", "data", "inputs", "id"]), inner)
    ),
    max_leaves=12,
)


@given(
    st.one_of(st.binary(max_size=60), junk.map(lambda j: json.dumps({"inputs": j}).encode()), st.tuples(st.sampled_from(list(ROW)), junk))
)
@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_no_junk_is_a_server_error(shared: Server, sent: Any) -> None:
    content = change(sent[0], data=[sent[1]]) if isinstance(sent, tuple) else sent
    status, answer = shared.infer(content)
    assert status in (200, 400), answer


def test_labels_are_taken_one_by_one_and_together(shared: Server) -> None:
    assert shared.ask("POST", "/labels", {"id": "mine", "label": True}) == (200, {"accepted": 1})
    assert shared.ask("POST", "/labels", [{"id": "mine", "label": False}, {"id": "other", "label": None}]) == (200, {"accepted": 2})
    assert shared.ask("POST", "/labels", []) == (200, {"accepted": 0})
    for bad, said in (
        ({"id": "mine"}, "`label`"),
        ([{"id": 3, "label": 1}], "$[0].id"),
        (b"{", "no JSON"),
        ([{"id": "a", "label": [1]}], "label"),
    ):
        status, answer = shared.ask("POST", "/labels", bad)
        assert (status, said in answer["error"]) == (400, True), answer
    shared.committed()
    assert shared.journal.labels().frame["value"].to_list()[:3] == ["true", "false", "null"]


def test_metrics_count_by_version_and_never_name_a_request(shared: Server) -> None:
    shared.infer(body(id="never-in-metrics"))
    status, text = shared.ask("GET", "/metrics")
    assert status == 200
    assert 'model_infer_request_success_total{model="flights",variant="champion",version="1"}' in text
    assert 'rest_server_requests_total{path="/v2/models/{m}/infer",status_code="200"}' in text
    assert "rest_server_requests_in_progress 1.0" in text  # the one for the metrics themselves
    assert "never-in-metrics" not in text


def test_what_a_row_of_the_journal_says(shared: Server) -> None:
    shared.infer(body(id="told", wind=None))
    row = next(row for row in shared.rows() if row["id"] == "told")
    assert (row["environment"], row["version"], row["arm"], row["role"], row["answered_by"]) == ("production", 1, "champion", "answer", 1)
    assert (row["release"], row["stage"], row["share"], row["outcome"]) == (0, 0, 0.0, "ok")
    assert json.loads(row["row"]) == {**ROW, "wind": None}
    assert 0 < row["latency_s"] < 1
    assert row["prediction"] == ("true" if row["score"] > 0.5 else "false")


def test_a_web_page_may_not_post_to_a_server_without_tokens(shared: Server) -> None:
    status, answer = shared.ask("POST", "/labels", [], {"Origin": "http://example.org"})
    assert (status, "web page" in answer["error"]) == (403, True)
    assert shared.ask("GET", "/towpath/status", None, {"Origin": "http://example.org"})[0] == 200
