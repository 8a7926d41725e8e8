"""Readers that are not ours for the formats of headrace/output: Python's json and csv, and fastavro.

The line protocol of test/support/kafka/line-process.ts; the end of stdin ends it. Values go back with their type:
{"i": digits}, {"f": bits of the double}, {"o": [[name, value], ...]}; strings, booleans, null and lists as they are.
"""

import base64
import csv
import io
import json
import struct
import sys

import fastavro

csv.field_size_limit(2**31 - 1)


def tagged(value):
    if value is None or isinstance(value, (bool, str)):
        return value
    if isinstance(value, int):
        return {"i": str(value)}
    if isinstance(value, float):
        return {"f": struct.pack(">d", value).hex()}
    if isinstance(value, list):
        return [tagged(item) for item in value]
    if isinstance(value, Members):
        return {"o": [[name, tagged(item)] for name, item in value.pairs]}
    return {"o": [[name, tagged(item)] for name, item in value.items()]}


class Members:
    def __init__(self, pairs):
        self.pairs = pairs


def parse(text):
    return json.loads(text, object_pairs_hook=Members)


def json_lines(request):
    return [tagged(parse(line)) for line in decode(request).decode().split("\n")]


def json_array(request):
    return tagged(parse(decode(request).decode()))


def csv_rows(request):
    text = io.StringIO(decode(request).decode(), newline="")
    return list(csv.reader(text, delimiter=request["delimiter"], strict=True))


def avro_container(request):
    reader = fastavro.reader(io.BytesIO(decode(request)))
    return {"rows": [tagged(row) for row in reader], "codec": reader.codec}


def avro_raw(request):
    stream = io.BytesIO(decode(request))
    row = fastavro.schemaless_reader(stream, json.loads(request["schema"]), None)
    if stream.read():
        raise ValueError("bytes are left")
    return [tagged(row)]


def decode(request):
    return base64.b64decode(request["base64"])


operations = {it.__name__: it for it in (json_lines, json_array, csv_rows, avro_container, avro_raw)}
for line in sys.stdin:
    asked = json.loads(line)
    answer = {"id": asked["id"]}
    try:
        answer["result"] = operations[asked["op"]](asked)
    except Exception as error:
        answer["error"] = f"{type(error).__name__}: {error}"
    print(json.dumps(answer), flush=True)
