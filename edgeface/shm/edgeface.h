/* edgeface.h - read face frames from shared memory, ABI 1.0.
 *
 * C99 for GCC or Clang on little-endian Linux; no dependency; header only.
 * Define _GNU_SOURCE or _POSIX_C_SOURCE >= 200809L before the first include.
 *
 *     edgeface_reader r = {0};
 *     edgeface_frame f;
 *     for (;;) {
 *         int got = edgeface_read(&r, "edgeface", &f);
 *         if (got == EDGEFACE_LOST) draw_neutral_face();
 *         else if (got == EDGEFACE_NEW) draw(f.landmarks, f.blendshapes);
 *         wait_for_next_refresh();
 *     }
 *
 * Landmarks: iBUG-68 order, origin between the eyes (27), unit = distance of
 * the outer eye corners, x to the viewer's right, y up, z towards the viewer.
 * Blendshapes: the 52 ARKit names in Apple's order, 0..1.
 *
 * Licence: Apache-2.0.
 */
#ifndef EDGEFACE_H
#define EDGEFACE_H

#include <fcntl.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define EDGEFACE_MAGIC 0x48534645u
#define EDGEFACE_ABI_MAJOR 1
#define EDGEFACE_TIMEOUT_NS 500000000ull
#define EDGEFACE_RETRY_NS 250000000ull

enum { EDGEFACE_STARTING, EDGEFACE_RUNNING, EDGEFACE_WAITING, EDGEFACE_DEGRADED, EDGEFACE_STOPPED };
enum {
    EDGEFACE_SPEECH = 1,
    EDGEFACE_NEUTRAL = 2,
    EDGEFACE_DISCONTINUITY = 4,
    EDGEFACE_WARMING_UP = 8,
    EDGEFACE_BLINKING = 16,
    EDGEFACE_PLAYBACK = 32
};
enum { EDGEFACE_LOST = -1, EDGEFACE_OLD = 0, EDGEFACE_NEW = 1 }; /* results of edgeface_read */

typedef struct {
    uint64_t seq, frame_index, audio_sample, audio_ns, publish_ns;
    uint32_t flags, crc32;
    float level_dbfs, f0_hz, reserved_f;
    uint32_t reserved;
    float landmarks[68][3];
    float blendshapes[52];
} edgeface_frame;

typedef struct {
    uint32_t magic;
    uint16_t abi_major, abi_minor;
    uint32_t header_size, slot_stride, slot_count, points, dims, blendshapes;
    uint64_t instance_id, start_ns;
    uint32_t pid, frame_rate_mhz, model_crc32, header_crc32;
    uint64_t latest, heartbeat_ns, state;
    uint64_t dropped_samples, source_restarts, late_frames, inference_errors;
    uint64_t latency_ns;
    uint64_t reserved[16];
} edgeface_header;

typedef struct {
    int file; /* descriptor + 1; 0 while there is no writer */
    edgeface_header header; /* as last read */
    uint64_t instance_id, seen, next_try_ns, rejected, attached;
    uint32_t crc_table[256];
} edgeface_reader;

static inline uint64_t edgeface_now_ns(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000000000ull + (uint64_t)t.tv_nsec;
}

static inline uint32_t edgeface_crc32(edgeface_reader *r, uint32_t crc, const void *data, size_t n) {
    const uint8_t *p = (const uint8_t *)data;
    if (!r->crc_table[1])
        for (uint32_t i = 0; i < 256; i++) {
            uint32_t c = i;
            for (int k = 0; k < 8; k++) c = c & 1 ? 0xEDB88320u ^ (c >> 1) : c >> 1;
            r->crc_table[i] = c;
        }
    crc = ~crc;
    while (n--) crc = r->crc_table[(crc ^ *p++) & 255] ^ (crc >> 8);
    return ~crc;
}

static inline void edgeface_detach(edgeface_reader *r) {
    if (r->file) close(r->file - 1);
    r->file = 0;
}

/* Reads a part of the segment; returns whether it was all there. Not mapped: a segment that its
 * owner cuts short is an error here, not a SIGBUS. */
static inline int edgeface_copy(const edgeface_reader *r, void *to, size_t n, uint64_t from) {
    return pread(r->file - 1, to, n, (off_t)from) == (ssize_t)n;
}

/* Reads the header again; returns whether its writer lives. */
static inline int edgeface_fresh(edgeface_reader *r) {
    edgeface_header *h = &r->header;
    if (!edgeface_copy(r, h, sizeof *h, 0)) return 0;
    uint64_t now = edgeface_now_ns();
    return (now < h->heartbeat_ns || now - h->heartbeat_ns < EDGEFACE_TIMEOUT_NS) &&
           h->state != EDGEFACE_STOPPED;
}

/* Opens the segment if a writer of this ABI is there; returns whether it is. Later minor versions
 * may have a longer header and longer slots. */
static inline int edgeface_attach(edgeface_reader *r, const char *name) {
    char path[256];
    struct stat st;
    if (snprintf(path, sizeof path, "/dev/shm/%s", name) >= (int)sizeof path) return 0;
    /* a named pipe in its place must not block */
    int fd = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC | O_NOFOLLOW);
    if (fd < 0) return 0;
    r->file = fd + 1;
    const edgeface_header *h = &r->header;
    if (fstat(fd, &st) != 0 || !S_ISREG(st.st_mode) || !edgeface_fresh(r) || h->magic != EDGEFACE_MAGIC ||
        h->abi_major != EDGEFACE_ABI_MAJOR || h->header_size < sizeof(edgeface_header) ||
        h->slot_stride < sizeof(edgeface_frame) || h->slot_count == 0 || h->header_size % 8 != 0 ||
        h->slot_stride % 8 != 0 || h->points != 68 || h->dims != 3 || h->blendshapes != 52 ||
        h->header_crc32 != edgeface_crc32(r, 0, h, offsetof(edgeface_header, header_crc32)) ||
        (uint64_t)st.st_size < h->header_size + (uint64_t)h->slot_stride * h->slot_count) {
        edgeface_detach(r);
        return 0;
    }
    if (h->instance_id != r->instance_id) r->attached++, r->seen = 0;
    r->instance_id = h->instance_id;
    return 1;
}

/* Copies the newest whole frame. Returns EDGEFACE_NEW, EDGEFACE_OLD (nothing newer than the last
 * one; *out untouched), or EDGEFACE_LOST (no live writer: show the neutral face and call again).
 * Never blocks, never loops for long; one reader per thread. */
static inline int edgeface_read(edgeface_reader *r, const char *name, edgeface_frame *out) {
    if (r->file && !edgeface_fresh(r)) edgeface_detach(r);
    if (!r->file) {
        uint64_t now = edgeface_now_ns();
        if (now < r->next_try_ns) return EDGEFACE_LOST;
        if (!edgeface_attach(r, name)) {
            r->next_try_ns = now + EDGEFACE_RETRY_NS;
            return EDGEFACE_LOST;
        }
    }
    for (int i = 0; i < 3; i++) {
        uint64_t n = r->header.latest, after = 0;
        if (n == 0 || n == r->seen) return EDGEFACE_OLD;
        uint64_t start = r->header.header_size + (n - 1) % r->header.slot_count * r->header.slot_stride;
        edgeface_frame copy;
        const uint8_t *b = (const uint8_t *)&copy;
        if (edgeface_copy(r, &copy, sizeof copy, start) && edgeface_copy(r, &after, sizeof after, start) &&
            copy.seq == 2 * n && after == copy.seq && copy.frame_index == n &&
            copy.crc32 == edgeface_crc32(r, edgeface_crc32(r, 0, b + 8, 36), b + 48, sizeof copy - 48)) {
            *out = copy;
            r->seen = n;
            return EDGEFACE_NEW;
        }
        r->rejected++;
        if (!edgeface_fresh(r)) return EDGEFACE_OLD;
    }
    return EDGEFACE_OLD;
}

#endif
