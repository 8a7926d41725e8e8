/*
 * Kafka's primitive types, out and in: big-endian numbers, texts and arrays in their old and flexible forms.
 */
#ifndef WIRE_H
#define WIRE_H

#include <endian.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct bytes {
    char *data;
    size_t size, capacity;
};

static void fail(const char *what) {
    perror(what);
    exit(1);
}

static void reserve(struct bytes *bytes, size_t more) {
    if (bytes->size + more <= bytes->capacity) return;
    while (bytes->size + more > bytes->capacity) bytes->capacity = bytes->capacity ? bytes->capacity * 2 : 1 << 16;
    bytes->data = realloc(bytes->data, bytes->capacity);
    if (bytes->data == NULL) fail("realloc");
}

static void put(struct bytes *out, const void *data, size_t size) {
    reserve(out, size);
    memcpy(out->data + out->size, data, size);
    out->size += size;
}

static void put8(struct bytes *out, int8_t value) {
    put(out, &value, 1);
}

static void put16(struct bytes *out, int16_t value) {
    uint16_t big = htobe16((uint16_t)value);
    put(out, &big, 2);
}

static void put32(struct bytes *out, int32_t value) {
    uint32_t big = htobe32((uint32_t)value);
    put(out, &big, 4);
}

static void put64(struct bytes *out, int64_t value) {
    uint64_t big = htobe64((uint64_t)value);
    put(out, &big, 8);
}

static void put_uvarint(struct bytes *out, uint32_t value) {
    for (; value >= 0x80; value >>= 7) put8(out, (int8_t)(value | 0x80));
    put8(out, (int8_t)value);
}

/* Of arrays and texts in flexible versions one more than the length is written. */
static void put_length(struct bytes *out, int is_flexible, int32_t length) {
    if (is_flexible) put_uvarint(out, (uint32_t)length + 1);
    else put32(out, length);
}

static void put_name(struct bytes *out, int is_flexible, const char *text, int16_t size) {
    if (is_flexible) put_uvarint(out, (uint32_t)size + 1);
    else put16(out, size);
    if (size > 0) put(out, text, (size_t)size);
}

static void put_tags(struct bytes *out, int is_flexible) {
    if (is_flexible) put8(out, 0); /* none */
}

/* What a request is read from; a read past its end ends the connection, through `ok`. */
struct cursor {
    const char *at, *end;
    int ok;
};

static const char *take(struct cursor *in, size_t size) {
    static const char zeros[16];
    if (!in->ok || (size_t)(in->end - in->at) < size) {
        in->ok = 0;
        return zeros;
    }
    const char *at = in->at;
    in->at += size;
    return at;
}

static int16_t take16(struct cursor *in) {
    uint16_t big;
    memcpy(&big, take(in, 2), 2);
    return (int16_t)be16toh(big);
}

static int32_t take32(struct cursor *in) {
    uint32_t big;
    memcpy(&big, take(in, 4), 4);
    return (int32_t)be32toh(big);
}

static const char *take_text(struct cursor *in, int16_t *size) {
    *size = take16(in);
    return *size > 0 ? take(in, (size_t)*size) : "";
}

static uint32_t take_uvarint(struct cursor *in) {
    uint32_t value = 0;
    for (int shift = 0; shift < 32; shift += 7) {
        uint8_t byte = (uint8_t)*take(in, 1);
        value |= (uint32_t)(byte & 0x7f) << shift;
        if (byte < 0x80) return value;
    }
    in->ok = 0;
    return 0;
}

static const char *take_name(struct cursor *in, int is_flexible, int16_t *size) {
    if (!is_flexible) return take_text(in, size);
    *size = (int16_t)(take_uvarint(in) - 1);
    const char *name = *size > 0 ? take(in, (size_t)*size) : "";
    take(in, take_uvarint(in) == 0 ? 0 : SIZE_MAX); /* none of them has tagged fields */
    return name;
}

#endif
