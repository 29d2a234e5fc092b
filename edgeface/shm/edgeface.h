/* edgeface.h - read face frames from shared memory, ABI 1.1.
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
 * Head, since ABI 1.1: pitch (nose down), yaw (to the viewer's right), roll (the
 * crown to the viewer's left) in rad, applied yaw, then pitch, then roll; then x, y, z
 * of its shift, in units of the face. Landmarks do not contain it. Gaze: yaw (to the
 * viewer's right) and pitch (up) of the left eye, then of the right one, in rad
 * within the head. A writer of ABI 1.0 gives zeros.
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
#define EDGEFACE_FRAME_NS 40000000
#define EDGEFACE_HISTORY 8
#define EDGEFACE_SLOT_1_0 1088 /* all that a slot of ABI 1.0 has */

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
    float head[6], gaze[4]; /* since ABI 1.1, 0 from a writer of 1.0 */
    uint32_t reserved_1_1[5];
    uint32_t crc32_1_1;
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
    uint64_t history_of; /* instance id */
    edgeface_frame history[EDGEFACE_HISTORY]; /* of edgeface_read_at; frame_index 0: none */
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

/* Bytes of a slot that this header knows and the writer has. */
static inline size_t edgeface_slot_size(const edgeface_reader *r) {
    return r->header.abi_minor > 0 ? sizeof(edgeface_frame) : EDGEFACE_SLOT_1_0;
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
        h->slot_stride < edgeface_slot_size(r) || h->slot_count == 0 || h->header_size % 8 != 0 ||
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

/* Looks after the connection to the writer; returns whether there is one. */
static inline int edgeface_follow(edgeface_reader *r, const char *name) {
    if (r->file && !edgeface_fresh(r)) edgeface_detach(r);
    if (r->file) return 1;
    uint64_t now = edgeface_now_ns();
    if (now < r->next_try_ns) return 0;
    if (edgeface_attach(r, name)) return 1;
    r->next_try_ns = now + EDGEFACE_RETRY_NS;
    return 0;
}

/* Copies frame n = 1, 2, ...; returns whether it is still there, and whole. */
static inline int edgeface_copy_frame(edgeface_reader *r, uint64_t n, edgeface_frame *copy) {
    uint64_t start = r->header.header_size + (n - 1) % r->header.slot_count * r->header.slot_stride;
    uint64_t after = 0;
    const uint8_t *b = (const uint8_t *)copy;
    size_t size = edgeface_slot_size(r), end = offsetof(edgeface_frame, crc32_1_1);
    memset(copy, 0, sizeof *copy);
    return edgeface_copy(r, copy, size, start) && edgeface_copy(r, &after, sizeof after, start) &&
           copy->seq == 2 * n && after == copy->seq && copy->frame_index == n &&
           copy->crc32 == edgeface_crc32(r, edgeface_crc32(r, 0, b + 8, 36), b + 48, EDGEFACE_SLOT_1_0 - 48) &&
           (size == EDGEFACE_SLOT_1_0 ||
            copy->crc32_1_1 == edgeface_crc32(r, 0, b + EDGEFACE_SLOT_1_0, end - EDGEFACE_SLOT_1_0));
}

/* Copies the newest whole frame. Returns EDGEFACE_NEW, EDGEFACE_OLD (nothing newer than the last
 * one; *out untouched), or EDGEFACE_LOST (no live writer: show the neutral face and call again).
 * Never blocks, never loops for long; one reader per thread. */
static inline int edgeface_read(edgeface_reader *r, const char *name, edgeface_frame *out) {
    if (!edgeface_follow(r, name)) return EDGEFACE_LOST;
    for (int i = 0; i < 3; i++) {
        uint64_t n = r->header.latest;
        if (n == 0 || n == r->seen) return EDGEFACE_OLD;
        edgeface_frame copy;
        if (edgeface_copy_frame(r, n, &copy)) {
            *out = copy;
            r->seen = n;
            return EDGEFACE_NEW;
        }
        r->rejected++;
        if (!edgeface_fresh(r)) return EDGEFACE_OLD;
    }
    return EDGEFACE_OLD;
}

/* Reads what is new of the last eight frames; puts those that are there, by age, into `frames`, and
 * returns their number. */
static inline int edgeface_remember(edgeface_reader *r, const edgeface_frame **frames) {
    uint64_t latest = r->header.latest, kept = EDGEFACE_HISTORY;
    int count = 0;
    if (r->history_of != r->instance_id) memset(r->history, 0, sizeof r->history);
    r->history_of = r->instance_id;
    if (kept > r->header.slot_count) kept = r->header.slot_count;
    if (kept > latest) kept = latest;
    for (uint64_t i = 1; i <= kept; i++) {
        uint64_t n = latest - kept + i;
        edgeface_frame *f = &r->history[n % EDGEFACE_HISTORY];
        if (f->frame_index != n && !edgeface_copy_frame(r, n, f)) f->frame_index = 0;
        else frames[count++] = f;
    }
    return count;
}

/* When frame 1 was due to be published, by the last frames' times. The latest one of them counts,
 * which covers a publisher that jitters regularly, but a single late frame does not, and no more than
 * one frame's time is waited. */
static inline int64_t edgeface_due_ns(const edgeface_frame **frames, int count) {
    int64_t first = INT64_MAX, last = INT64_MIN, second = INT64_MIN;
    for (int i = 0; i < count; i++) {
        int64_t late = (int64_t)(frames[i]->publish_ns - EDGEFACE_FRAME_NS * (frames[i]->frame_index - 1));
        if (late < first) first = late;
        if (late > last) second = last, last = late;
        else if (late > second) second = late;
    }
    if (count < 2) second = last;
    return second < first + EDGEFACE_FRAME_NS ? second : first + EDGEFACE_FRAME_NS;
}

/* The face at a time (CLOCK_MONOTONIC, usually edgeface_now_ns()), for a screen that is faster than
 * 25 Hz: interpolated between frames, never guessed. Shows motion later than edgeface_read: by one
 * frame, 40 ms, and by as much as the publishing jitters, at most one frame more. Landmarks,
 * blendshapes, head and gaze are those of that time, all else is of the last frame reached. Returns
 * EDGEFACE_NEW, EDGEFACE_OLD (no frame yet; *out untouched) or EDGEFACE_LOST, as edgeface_read. */
static inline int edgeface_read_at(edgeface_reader *r, const char *name, uint64_t time_ns,
                                   edgeface_frame *out) {
    const edgeface_frame *frames[EDGEFACE_HISTORY];
    if (!edgeface_follow(r, name)) return EDGEFACE_LOST;
    int count = edgeface_remember(r, frames), i = 0;
    if (count == 0) return EDGEFACE_OLD;
    int64_t at = (int64_t)time_ns - edgeface_due_ns(frames, count) - EDGEFACE_FRAME_NS;
    while (i < count && (int64_t)(EDGEFACE_FRAME_NS * (frames[i]->frame_index - 1)) <= at) i++;
    *out = *frames[i > 0 ? i - 1 : 0];
    if (i == 0 || i == count) return EDGEFACE_NEW;
    uint64_t span = frames[i]->frame_index - out->frame_index;
    double passed = (double)(at - (int64_t)(EDGEFACE_FRAME_NS * (out->frame_index - 1)));
    float share = (float)(passed / (double)(EDGEFACE_FRAME_NS * span));
    for (int k = 0; k < 68; k++)
        for (int d = 0; d < 3; d++)
            out->landmarks[k][d] += share * (frames[i]->landmarks[k][d] - out->landmarks[k][d]);
    for (int k = 0; k < 52; k++)
        out->blendshapes[k] += share * (frames[i]->blendshapes[k] - out->blendshapes[k]);
    for (int k = 0; k < 6; k++) out->head[k] += share * (frames[i]->head[k] - out->head[k]);
    for (int k = 0; k < 4; k++) out->gaze[k] += share * (frames[i]->gaze[k] - out->gaze[k]);
    return EDGEFACE_NEW;
}

#endif
