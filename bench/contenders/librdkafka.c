/*
 * librdkafka as a contender: reads a job (one line of JSON, see compare/job.ts), warms up, measures, answers in JSON.
 *
 * The values stay where they are (no copy), a delivery report comes for every record, and the application's thread
 * serves the reports while it produces: what librdkafka's own rdkafka_performance does.
 */
#include <rdkafka.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>

#define KEY_COUNT 10000
#define UNBOUNDED 10000
#define SUB_BITS 6
#define SUB_COUNT (1 << SUB_BITS)
#define BUCKETS ((32 - SUB_BITS) * SUB_COUNT + SUB_COUNT)

struct job {
    char brokers[512], topic[256], values[1024], compression[16], load[16];
    long value_count, value_bytes, concurrency, warm_ms, measure_ms;
    double rate;
    int keyed;
};

static char *values;
static char keys[KEY_COUNT][16];
static long acked, sent;
static double schedule_start_us, schedule_us_a_record;
static int records_latency;
static uint32_t latencies[BUCKETS];
static long latency_count, latency_max;

static void fail(const char *format, ...) {
    va_list args;
    va_start(args, format);
    vfprintf(stderr, format, args);
    fputc('\n', stderr);
    exit(1);
}

static double now_us(void) {
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return time.tv_sec * 1e6 + time.tv_nsec / 1e3;
}

static double cpu_us(void) {
    struct rusage usage;
    getrusage(RUSAGE_SELF, &usage);
    return usage.ru_utime.tv_sec * 1e6 + usage.ru_utime.tv_usec + usage.ru_stime.tv_sec * 1e6 + usage.ru_stime.tv_usec;
}

static long rss_bytes(void) {
    struct rusage usage;
    getrusage(RUSAGE_SELF, &usage);
    return usage.ru_maxrss * 1024;
}

/* The job is flat, and its texts have no escapes: a field is found by its quoted name. */
static const char *field(const char *json, const char *name) {
    char quoted[64];
    snprintf(quoted, sizeof quoted, "\"%s\":", name);
    const char *at = strstr(json, quoted);
    if (at == NULL) fail("the job has no %s", name);
    return at + strlen(quoted);
}

static void text(const char *json, const char *name, char *to, size_t size) {
    const char *from = field(json, name) + 1;
    size_t length = strcspn(from, "\"");
    if (length >= size) fail("%s is too long", name);
    memcpy(to, from, length);
    to[length] = 0;
}

static void read_job(struct job *job) {
    static char line[8192];
    if (fgets(line, sizeof line, stdin) == NULL) fail("no job");
    text(line, "brokers", job->brokers, sizeof job->brokers);
    text(line, "topic", job->topic, sizeof job->topic);
    text(line, "values", job->values, sizeof job->values);
    text(line, "compression", job->compression, sizeof job->compression);
    text(line, "load", job->load, sizeof job->load);
    job->value_count = atol(field(line, "valueCount"));
    job->value_bytes = atol(field(line, "valueBytes"));
    job->concurrency = atol(field(line, "concurrency"));
    job->warm_ms = atol(field(line, "warmMs"));
    job->measure_ms = atol(field(line, "measureMs"));
    job->rate = atof(field(line, "ratePerSecond"));
    job->keyed = *field(line, "keyed") == 't';
}

static void read_values(const struct job *job) {
    size_t size = (size_t)job->value_count * (size_t)job->value_bytes;
    FILE *file = fopen(job->values, "rb");
    values = malloc(size);
    if (file == NULL || fread(values, 1, size, file) != size) fail("cannot read %s", job->values);
    fclose(file);
    for (int i = 0; i < KEY_COUNT; i++) snprintf(keys[i], sizeof keys[i], "key-%08d", i);
}

static void record_latency(double us) {
    long value = us < 0 ? 0 : us > INT32_MAX ? INT32_MAX : (long)us;
    int shift = value < 2 * SUB_COUNT ? 0 : 31 - __builtin_clz((unsigned)value) - SUB_BITS;
    latencies[shift * SUB_COUNT + (value >> shift)]++;
    latency_count++;
    if (value > latency_max) latency_max = value;
}

static double quantile(double share) {
    long rank = (long)(share * latency_count + 0.999999), seen = 0;
    if (rank < 1) rank = 1;
    for (int bucket = 0; bucket < BUCKETS; bucket++) {
        seen += latencies[bucket];
        if (seen < rank) continue;
        if (bucket < 2 * SUB_COUNT) return bucket;
        double middle = (SUB_COUNT + (bucket & (SUB_COUNT - 1)) + 0.5) * (1L << ((bucket >> SUB_BITS) - 1));
        return middle < latency_max ? middle : latency_max;
    }
    return latency_max;
}

static void on_delivery(rd_kafka_t *producer, const rd_kafka_message_t *message, void *opaque) {
    (void)producer;
    (void)opaque;
    if (message->err) fail("delivery failed: %s", rd_kafka_err2str(message->err));
    acked++;
    if (records_latency) record_latency(now_us() - schedule_start_us - (double)(intptr_t)message->_private * schedule_us_a_record);
}

static void set(rd_kafka_conf_t *conf, const char *name, const char *value) {
    char error[256];
    if (rd_kafka_conf_set(conf, name, value, error, sizeof error) != RD_KAFKA_CONF_OK) fail("%s", error);
}

static void produce(rd_kafka_t *producer, rd_kafka_topic_t *topic, const struct job *job, long index) {
    char *value = values + (sent % job->value_count) * job->value_bytes;
    const char *key = job->keyed ? keys[sent % KEY_COUNT] : NULL;
    while (rd_kafka_produce(topic, RD_KAFKA_PARTITION_UA, 0, value, (size_t)job->value_bytes, key, key ? 12 : 0,
                            (void *)(intptr_t)index) != 0) {
        if (rd_kafka_last_error() != RD_KAFKA_RESP_ERR__QUEUE_FULL) fail("%s", rd_kafka_err2str(rd_kafka_last_error()));
        rd_kafka_poll(producer, 10);
    }
    sent++;
}

static void settle(rd_kafka_t *producer) {
    while (acked < sent) rd_kafka_poll(producer, 10);
}

/* Returns records a second. */
static double flood(rd_kafka_t *producer, rd_kafka_topic_t *topic, const struct job *job, long ms) {
    double start = now_us(), end = start + ms * 1e3;
    long before = acked;
    long limit = job->concurrency >= UNBOUNDED ? INT64_MAX : job->concurrency;
    for (long i = 0; (i & 63) != 0 || now_us() < end; i++) {
        produce(producer, topic, job, 0);
        if ((i & 63) == 0) rd_kafka_poll(producer, 0);
        while (sent - acked >= limit) rd_kafka_poll(producer, 10);
    }
    settle(producer);
    return (acked - before) / ((now_us() - start) / 1e6);
}

static void at_rate(rd_kafka_t *producer, rd_kafka_topic_t *topic, const struct job *job, double rate, double ms) {
    memset(latencies, 0, sizeof latencies);
    latency_count = latency_max = 0;
    records_latency = 1;
    schedule_us_a_record = 1e6 / rate;
    schedule_start_us = now_us();
    long issued = 0;
    for (double now = schedule_start_us; now < schedule_start_us + ms * 1e3; now = now_us()) {
        long due = (long)((now - schedule_start_us) / schedule_us_a_record) + 1;
        while (issued < due) produce(producer, topic, job, issued++);
        rd_kafka_poll(producer, 1);
    }
    settle(producer);
    records_latency = 0;
}

/* One at a time; the clock starts with each record. */
static void serial(rd_kafka_t *producer, rd_kafka_topic_t *topic, const struct job *job, double ms) {
    memset(latencies, 0, sizeof latencies);
    latency_count = latency_max = 0;
    records_latency = 1;
    schedule_us_a_record = 0;
    double end = now_us() + ms * 1e3;
    while ((schedule_start_us = now_us()) < end) {
        produce(producer, topic, job, 0);
        settle(producer);
    }
    records_latency = 0;
}

int main(void) {
    static struct job job;
    read_job(&job);
    read_values(&job);
    rd_kafka_conf_t *conf = rd_kafka_conf_new();
    set(conf, "bootstrap.servers", job.brokers);
    set(conf, "acks", "all");
    set(conf, "linger.ms", "5");
    set(conf, "compression.codec", job.compression);
    if (job.concurrency == 1) set(conf, "linger.ms", "0");
    rd_kafka_conf_set_dr_msg_cb(conf, on_delivery);
    char error[256];
    rd_kafka_t *producer = rd_kafka_new(RD_KAFKA_PRODUCER, conf, error, sizeof error);
    if (producer == NULL) fail("%s", error);
    rd_kafka_topic_t *topic = rd_kafka_topic_new(producer, job.topic, NULL);

    int is_closed = strcmp(job.load, "closed") == 0, is_serial = strcmp(job.load, "serial") == 0;
    int is_paced = !is_closed && !is_serial;
    if (is_serial) serial(producer, topic, &job, job.warm_ms);
    else flood(producer, topic, &job, job.warm_ms);
    if (strcmp(job.load, "half") == 0) job.rate = flood(producer, topic, &job, job.warm_ms) / 2;
    if (is_paced) at_rate(producer, topic, &job, job.rate, job.warm_ms / 2.0);

    long acked_before = acked;
    double cpu_before = cpu_us(), start = now_us();
    if (is_closed) flood(producer, topic, &job, job.measure_ms);
    else if (is_serial) serial(producer, topic, &job, job.measure_ms);
    else at_rate(producer, topic, &job, job.rate, job.measure_ms);
    double seconds = (now_us() - start) / 1e6, cpu = cpu_us() - cpu_before;

    printf("{\"version\":\"%s\",\"settings\":\"acks=all linger.ms=%d compression.codec=%s enable.idempotence=false (default), "
           "batch.size=1000000 (default), queue.buffering.max.messages=100000 (default)\",",
           rd_kafka_version_str(), job.concurrency == 1 ? 0 : 5, job.compression);
    printf("\"records\":%ld,\"seconds\":%.6f,\"cpuUs\":%.0f,\"rssBytes\":%ld,\"acked\":%ld,\"offeredPerSecond\":%.1f,",
           acked - acked_before, seconds, cpu, rss_bytes(), acked, is_paced ? job.rate : 0);
    if (is_closed) printf("\"latencyUs\":null,");
    else
        printf("\"latencyUs\":{\"p50\":%.1f,\"p99\":%.1f,\"p999\":%.1f,\"max\":%ld},", quantile(0.5), quantile(0.99),
               quantile(0.999), latency_max);
    printf("\"loopDelayP99Us\":null,\"gcShare\":null}\n");
    rd_kafka_topic_destroy(topic);
    rd_kafka_destroy(producer);
    return 0;
}
