"""librdkafka's partitioners behind the line protocol of test/support/kafka/line-process.ts. The end of stdin ends it.

`partitions`: the exported C functions, key by key. `produce`: librdkafka's own producer, for what it decides before it
calls them. confluent-kafka brings librdkafka.
"""

import base64
import ctypes
import json
import os
import pathlib
import sys

import confluent_kafka


def load_librdkafka():
    package = pathlib.Path(confluent_kafka.__file__).parent
    # Linux wheels, then macOS ones.
    for pattern in ("../confluent_kafka.libs/librdkafka*", ".dylibs/librdkafka*"):
        for file in package.glob(pattern):
            return ctypes.CDLL(str(file))
    raise FileNotFoundError(f"no librdkafka beside {package}")


lib = load_librdkafka()


def partitions(request):
    """For each key the partition in topics of each of `counts` partitions."""
    function = getattr(lib, f"rd_kafka_msg_partitioner_{request['name']}")
    function.restype = ctypes.c_int32
    none = ctypes.c_void_p(None)

    def place(key, count):
        return function(none, key, ctypes.c_size_t(len(key or b"")), ctypes.c_int32(count), none, none)

    return [[place(decode(key), count) for count in request["counts"]] for key in request["keys"]]


def produce(request):
    """The partition of one record for each key, by librdkafka's producer."""
    keys = request["keys"]
    placed = [None] * len(keys)
    settings = {"bootstrap.servers": request["bootstrap"], "partitioner": request["name"], "linger.ms": 0}
    producer = confluent_kafka.Producer(settings | {"sticky.partitioning.linger.ms": 0})
    # Before that it does not know the partitions, and asks its partitioner again later.
    producer.list_topics(request["topic"], timeout=10)

    def delivered(index):
        def report(error, message):
            placed[index] = error or message.partition()

        return report

    for index, key in enumerate(keys):
        producer.produce(request["topic"], b"v", decode(key), on_delivery=delivered(index))
    producer.flush(30)
    for outcome in placed:
        if not isinstance(outcome, int):
            raise confluent_kafka.KafkaException(outcome)
    return placed


def version(_request):
    return confluent_kafka.libversion()[0]


def decode(text):
    return None if text is None else base64.b64decode(text)


operations = {function.__name__: function for function in (partitions, produce, version)}
for line in sys.stdin:
    asked = json.loads(line)
    answer = {"id": asked["id"]}
    try:
        answer["result"] = operations[asked["op"]](asked)
    except Exception as error:
        answer["error"] = f"{type(error).__name__}: {error}"
    print(json.dumps(answer), flush=True)
# librdkafka's threads would hold the process.
os._exit(0)
