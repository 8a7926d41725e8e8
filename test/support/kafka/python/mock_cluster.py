"""librdkafka's mock cluster behind the line protocol of ../line-process.ts. The end of stdin ends it.

confluent-kafka brings librdkafka but no way to the mock cluster's topics: those through librdkafka's public C functions
(rdkafka.h, rdkafka_mock.h). Reading back is librdkafka's own consumer.
"""

import base64
import ctypes
import json
import os
import pathlib
import sys
import threading
import time

import confluent_kafka

CONF_OK, PRODUCER = 0, 0
TIMESTAMP_TYPES = {0: "NoTimestampType", 1: "CreateTime", 2: "LogAppendTime"}
BATCH_MESSAGES = 10_000


def load_librdkafka():
    package = pathlib.Path(confluent_kafka.__file__).parent
    # Linux wheels, then macOS ones.
    for pattern in ("../confluent_kafka.libs/librdkafka*", ".dylibs/librdkafka*"):
        for file in package.glob(pattern):
            return ctypes.CDLL(str(file))
    raise FileNotFoundError(f"no librdkafka beside {package}")


lib = load_librdkafka()
for function in (
    lib.rd_kafka_conf_new,
    lib.rd_kafka_new,
    lib.rd_kafka_handle_mock_cluster,
):
    function.restype = ctypes.c_void_p
lib.rd_kafka_mock_cluster_bootstraps.restype = ctypes.c_char_p
lib.rd_kafka_err2str.restype = ctypes.c_char_p


class MockCluster:
    def __init__(self, nodes):
        conf = ctypes.c_void_p(lib.rd_kafka_conf_new())
        error = ctypes.create_string_buffer(512)
        settings = {"test.mock.num.brokers": str(nodes), "log_level": "0"}
        for name, value in settings.items():
            if lib.rd_kafka_conf_set(conf, name.encode(), value.encode(), error, ctypes.c_size_t(512)) != CONF_OK:
                raise ValueError(error.value.decode())
        self.client = ctypes.c_void_p(lib.rd_kafka_new(PRODUCER, conf, error, ctypes.c_size_t(512)))
        if not self.client:
            raise RuntimeError(error.value.decode())
        self.cluster = ctypes.c_void_p(lib.rd_kafka_handle_mock_cluster(self.client))
        self.nodes = nodes

    def bootstrap(self, _request, _part):
        return lib.rd_kafka_mock_cluster_bootstraps(self.cluster).decode()

    def createTopic(self, request, _part):
        name, partitions = request["topic"].encode(), request["partitions"]
        code = lib.rd_kafka_mock_topic_create(self.cluster, name, partitions, min(self.nodes, 3))
        if code != 0:
            raise RuntimeError(lib.rd_kafka_err2str(code).decode())

    def produce(self, request, _part):
        """librdkafka's own producer; answers where each record went."""
        written = [None] * len(request["records"])
        producer = confluent_kafka.Producer({"bootstrap.servers": self.bootstrap(None, None), "linger.ms": 0})

        def delivered(index):
            def report(error, message):
                written[index] = error or [message.partition(), str(message.offset())]

            return report

        for index, record in enumerate(request["records"]):
            headers = [(name, decode(value)) for name, value in record.get("headers") or []]
            optional = {name: record[name] for name in ("partition", "timestamp") if name in record}
            key, value = decode(record.get("key")), decode(record.get("value"))
            producer.produce(request["topic"], value, key, headers=headers, on_delivery=delivered(index), **optional)
        producer.flush(30)
        for outcome in written:
            if not isinstance(outcome, list):
                raise confluent_kafka.KafkaException(outcome)
        return written

    def read(self, request, part):
        """Everything up to the end offsets of now, or `count` records whenever they come."""
        topic, wanted = request["topic"], request.get("count")
        deadline = time.monotonic() + request["timeoutMs"] / 1000
        consumer = confluent_kafka.Consumer(
            {"bootstrap.servers": self.bootstrap(None, None), "group.id": "readers", "enable.auto.commit": False}
            | {"allow.auto.create.topics": False, "fetch.wait.max.ms": 50, "fetch.error.backoff.ms": 50}
        )
        try:
            partitions = consumer.list_topics(topic, timeout=10).topics[topic].partitions
            if not partitions:
                raise LookupError(f"no topic {topic}")
            ends = {}
            for number in partitions:
                at = confluent_kafka.TopicPartition(topic, number)
                ends[number] = consumer.get_watermark_offsets(at, timeout=10, cached=False)[1]
            missing = sum(ends.values()) if wanted is None else wanted
            consumer.assign([confluent_kafka.TopicPartition(topic, number, 0) for number in partitions])
            while missing > 0:
                if time.monotonic() > deadline:
                    raise TimeoutError(f"{missing} records of {topic} are missing; end offsets at the start: {ends}")
                taken = []
                for message in consumer.consume(min(missing, BATCH_MESSAGES), timeout=0.1):
                    if message.error() is not None:
                        raise confluent_kafka.KafkaException(message.error())
                    if wanted is not None or message.offset() < ends[message.partition()]:
                        taken.append(to_wire(message))
                missing -= len(taken)
                if taken:
                    part(taken)
        finally:
            consumer.close()


def to_wire(message):
    kind, timestamp = message.timestamp()
    headers = [item for name, value in message.headers() or [] for item in (name, encode(value))]
    where = [message.partition(), str(message.offset()), timestamp, TIMESTAMP_TYPES[kind]]
    return [*where, encode(message.key()), encode(message.value()), headers]


def encode(data):
    return None if data is None else base64.b64encode(data).decode()


def decode(text):
    return None if text is None else base64.b64decode(text)


def main():
    cluster = MockCluster(int(sys.argv[1]))
    names = ("bootstrap", "createTopic", "produce", "read")
    operations = {name: getattr(cluster, name) for name in names}
    lock = threading.Lock()

    def write(line):
        with lock:
            print(json.dumps(line), flush=True)

    def answer(request):
        number = request["id"]
        try:
            result = operations[request["op"]](request, lambda part: write({"id": number, "part": part}))
            write({"id": number, "result": result})
        except Exception as error:
            write({"id": number, "error": f"{type(error).__name__}: {error}"})

    for line in sys.stdin:
        threading.Thread(target=answer, args=(json.loads(line),), daemon=True).start()
    # Whatever is still under way: nobody listens any more.
    os._exit(0)


main()
