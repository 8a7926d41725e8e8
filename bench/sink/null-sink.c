/*
 * A Kafka broker that acknowledges everything and keeps nothing, so that the client is what is measured.
 *
 *     null-sink PARTITIONS      prints its port, then, for each line on stdin, {"records":N,"bytes":N}; ends with stdin
 *
 * Every topic exists, with that many partitions. It speaks versions that are not flexible, and of ApiVersions and Metadata
 * the flexible ones without which some peer does not work. It believes the headers of batches: what is in one, it does not
 * look at.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "wire.h"

#define PRODUCE 0
#define FETCH 1
#define METADATA 3
#define FIND_COORDINATOR 10
#define API_VERSIONS 18
#define INIT_PRODUCER_ID 22
#define UNSUPPORTED_VERSION 35
#define MAX_FRAME (256u << 20)
#define BATCH_COUNT_AT 57
#define BATCH_HEADER 61

/*
 * Key, oldest and newest version. Fetch and FindCoordinator are never asked: librdkafka takes them for signs that the
 * broker knows the newer record format, and compression.
 */
static const int16_t apis[][3] = {{PRODUCE, 3, 8},       {FETCH, 0, 11},      {METADATA, 1, 9},
                                  {FIND_COORDINATOR, 0, 0}, {API_VERSIONS, 0, 3}, {INIT_PRODUCER_ID, 0, 1}};
#define API_COUNT ((int)(sizeof apis / sizeof apis[0]))

struct peer {
    int socket;
    struct bytes in, out;
    size_t sent;
};

static int32_t partitions;
static int64_t *offsets;
static int64_t records, batch_bytes;
static int64_t next_producer_id = 1000;
static uint16_t port;

/* Whoever asks for more than version 3 gets version 0, with which it can ask again. */
static void answer_api_versions(int16_t version, struct bytes *out) {
    int is_known = version <= 3, is_flexible = version == 3;
    put16(out, is_known ? 0 : UNSUPPORTED_VERSION);
    if (is_flexible) put8(out, API_COUNT + 1);
    else put32(out, API_COUNT);
    for (int i = 0; i < API_COUNT; i++) {
        for (int j = 0; j < 3; j++) put16(out, apis[i][j]);
        if (is_flexible) put8(out, 0); /* no tagged fields */
    }
    if (is_known && version >= 1) put32(out, 0); /* throttleTimeMs */
    if (is_flexible) put8(out, 0);
}

static void put_broker(int16_t version, struct bytes *out) {
    int is_flexible = version >= 9;
    put_length(out, is_flexible, 1);
    put32(out, 1); /* the only broker: node 1 */
    put_name(out, is_flexible, "127.0.0.1", 9);
    put32(out, port);
    put_name(out, is_flexible, "", -1); /* rack */
    put_tags(out, is_flexible);
    if (version >= 2) put_name(out, is_flexible, "null-sink", 9);
    put32(out, 1); /* controller */
}

static void put_node(struct bytes *out, int is_flexible) {
    put_length(out, is_flexible, 1);
    put32(out, 1);
}

static void put_partitions(int16_t version, struct bytes *out) {
    int is_flexible = version >= 9;
    put_length(out, is_flexible, partitions);
    for (int32_t partition = 0; partition < partitions; partition++) {
        put16(out, 0);
        put32(out, partition);
        put32(out, 1);
        if (version >= 7) put32(out, 0); /* leaderEpoch */
        put_node(out, is_flexible);      /* replicas */
        put_node(out, is_flexible);      /* in sync */
        if (version >= 5) put_length(out, is_flexible, 0); /* offline */
        put_tags(out, is_flexible);
    }
}

static void answer_metadata(int16_t version, struct cursor *in, struct bytes *out) {
    int is_flexible = version >= 9;
    int32_t topics = is_flexible ? (int32_t)take_uvarint(in) - 1 : take32(in);
    if (version >= 3) put32(out, 0); /* throttleTimeMs */
    put_broker(version, out);
    put_length(out, is_flexible, topics > 0 ? topics : 0);
    for (int32_t i = 0; i < topics && in->ok; i++) {
        int16_t size;
        const char *name = take_name(in, is_flexible, &size);
        put16(out, 0);
        put_name(out, is_flexible, name, size);
        put8(out, 0); /* isInternal */
        put_partitions(version, out);
        if (version >= 8) put32(out, 0); /* authorizedOperations */
        put_tags(out, is_flexible);
    }
    if (version >= 8) put32(out, 0);
    put_tags(out, is_flexible);
}

static void answer_init_producer_id(struct bytes *out) {
    put32(out, 0);
    put16(out, 0);
    put64(out, next_producer_id++);
    put16(out, 0);
}

static int64_t keep_batch(int32_t partition, struct cursor *in) {
    int32_t size = take32(in);
    if (size < BATCH_HEADER || partition < 0 || partition >= partitions) {
        in->ok = 0;
        return -1;
    }
    const char *batch = take(in, (size_t)size);
    if (!in->ok) return -1;
    uint32_t big;
    memcpy(&big, batch + BATCH_COUNT_AT, 4);
    int64_t base = offsets[partition], count = be32toh(big);
    offsets[partition] += count;
    records += count;
    batch_bytes += size;
    return base;
}

/* Returns whether there is an answer. */
static int answer_produce(int16_t version, struct cursor *in, struct bytes *out) {
    int16_t size;
    take_text(in, &size); /* transactionalId */
    int16_t acks = take16(in);
    take32(in); /* timeoutMs */
    int32_t topics = take32(in);
    put32(out, topics);
    for (int32_t i = 0; i < topics && in->ok; i++) {
        const char *name = take_text(in, &size);
        int32_t count = take32(in);
        put_name(out, 0, name, size);
        put32(out, count);
        for (int32_t j = 0; j < count && in->ok; j++) {
            int32_t partition = take32(in);
            put32(out, partition);
            put16(out, 0);
            put64(out, keep_batch(partition, in));
            put64(out, -1); /* logAppendTimeMs */
            if (version >= 5) put64(out, 0);                  /* logStartOffset */
            if (version >= 8) put32(out, 0), put16(out, -1); /* recordErrors, errorMessage */
        }
    }
    put32(out, 0); /* throttleTimeMs */
    return acks != 0;
}

/* Returns whether the peer made sense. */
static int answer(struct cursor *in, struct bytes *out) {
    int16_t key = take16(in), version = take16(in), size;
    int32_t correlation = take32(in);
    take_text(in, &size); /* clientId */
    size_t frame = out->size;
    int is_answered = 1, is_flexible = key == METADATA && version >= 9;
    put32(out, 0);
    put32(out, correlation);
    if (is_flexible) {
        take(in, take_uvarint(in) == 0 ? 0 : SIZE_MAX);
        put_tags(out, 1);
    }
    if (key == API_VERSIONS) answer_api_versions(version, out);
    else if (key == METADATA) answer_metadata(version, in, out);
    else if (key == INIT_PRODUCER_ID) answer_init_producer_id(out);
    else if (key == PRODUCE) is_answered = answer_produce(version, in, out);
    else in->ok = 0;
    if (!in->ok) {
        fprintf(stderr, "null-sink: a request that it does not understand: api %d version %d\n", key, version);
        return 0;
    }
    if (!is_answered) {
        out->size = frame;
        return 1;
    }
    uint32_t length = htobe32((uint32_t)(out->size - frame - 4));
    memcpy(out->data + frame, &length, 4);
    return 1;
}

static int answer_frames(struct peer *peer) {
    size_t at = 0;
    while (peer->in.size - at >= 4) {
        uint32_t length;
        memcpy(&length, peer->in.data + at, 4);
        length = be32toh(length);
        if (length > MAX_FRAME) return 0;
        if (peer->in.size - at < 4 + (size_t)length) break;
        struct cursor cursor = {peer->in.data + at + 4, peer->in.data + at + 4 + length, 1};
        if (!answer(&cursor, &peer->out)) return 0;
        at += 4 + (size_t)length;
    }
    memmove(peer->in.data, peer->in.data + at, peer->in.size - at);
    peer->in.size -= at;
    return 1;
}

static int flush_answers(struct peer *peer) {
    while (peer->sent < peer->out.size) {
        ssize_t size = send(peer->socket, peer->out.data + peer->sent, peer->out.size - peer->sent, MSG_NOSIGNAL);
        if (size < 0) return errno == EAGAIN;
        peer->sent += (size_t)size;
    }
    peer->sent = peer->out.size = 0;
    return 1;
}

/* Returns whether the connection goes on. */
static int serve(struct peer *peer) {
    for (int reads = 0; reads < 4; reads++) {
        reserve(&peer->in, 1 << 20);
        ssize_t size = recv(peer->socket, peer->in.data + peer->in.size, peer->in.capacity - peer->in.size, MSG_DONTWAIT);
        if (size == 0 || (size < 0 && errno != EAGAIN)) return 0;
        if (size < 0) break;
        peer->in.size += (size_t)size;
        if (!answer_frames(peer)) return 0;
    }
    return flush_answers(peer);
}

static int listen_on_loopback(void) {
    int listener = socket(AF_INET, SOCK_STREAM, 0);
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof address;
    if (listener < 0 || bind(listener, (struct sockaddr *)&address, size) < 0 || listen(listener, 64) < 0) fail("listen");
    getsockname(listener, (struct sockaddr *)&address, &size);
    port = ntohs(address.sin_port);
    return listener;
}

static void watch(int epoll, int socket, uint32_t events, void *data) {
    struct epoll_event event = {.events = events, .data.ptr = data};
    if (epoll_ctl(epoll, EPOLL_CTL_ADD, socket, &event) < 0) fail("epoll_ctl");
}

static void accept_peer(int epoll, int listener) {
    struct peer *peer = calloc(1, sizeof *peer);
    int on = 1;
    if (peer == NULL || (peer->socket = accept4(listener, NULL, NULL, SOCK_NONBLOCK)) < 0) fail("accept");
    setsockopt(peer->socket, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    watch(epoll, peer->socket, EPOLLIN, peer);
}

static void drop_peer(struct peer *peer) {
    close(peer->socket);
    free(peer->in.data);
    free(peer->out.data);
    free(peer);
}

static void report(void) {
    char line[256];
    ssize_t size = read(STDIN_FILENO, line, sizeof line);
    if (size <= 0) exit(0);
    printf("{\"records\":%lld,\"bytes\":%lld}\n", (long long)records, (long long)batch_bytes);
    fflush(stdout);
}

int main(int argc, char **argv) {
    partitions = argc > 1 ? atoi(argv[1]) : 1;
    offsets = calloc((size_t)partitions, sizeof *offsets);
    int listener = listen_on_loopback(), epoll = epoll_create1(0);
    static char from_listener, from_stdin;
    watch(epoll, listener, EPOLLIN, &from_listener);
    watch(epoll, STDIN_FILENO, EPOLLIN, &from_stdin);
    printf("%d\n", port);
    fflush(stdout);
    for (;;) {
        struct epoll_event events[64];
        int count = epoll_wait(epoll, events, 64, -1);
        for (int i = 0; i < count; i++) {
            void *data = events[i].data.ptr;
            if (data == &from_listener) accept_peer(epoll, listener);
            else if (data == &from_stdin) report();
            else if (!serve(data)) drop_peer(data);
        }
    }
}
