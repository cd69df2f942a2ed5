// The execution trace as it is recorded: what trace.cpp writes while the program runs and trace_json.cpp reads at its end.
//
// Owns: the layout of a buffer, in memory and in the raw file, where buffers lie one behind the other, each cut behind its
// last record (and begun at a multiple of 8). What is written has to be copied to the file, which costs as much as the
// recording itself, so records are short: two words of 32 bits, or three.
//
//   ticks since the record before (20 bits) | argument, or how to find it (7) | event (5)
//   the goroutine, modulo 2^32
//   the argument, if it does not fit above: as traceevents.h says; code and texts as their distance from runtime.text
//
// All are of the same M, until a record without an event names another one. That has the full time, too, and stands
// where more than 20 bits of it have passed:
//
//   id of the M (16) | 0 (16)
//   ticks since the buffer's base, low half
//   high half
#pragma once

#include "runtime/base/stubs.h"
#include "runtime/base/traceevents.h"

namespace runtime {

constexpr std::uint32_t kTraceArgWho = 126;  // the goroutine that runs on this P, as far as this buffer tells
constexpr std::uint32_t kTraceArgFar = 127;  // in the third word
constexpr std::uint32_t kTraceMaxTicks = 1 << 20;
constexpr std::uint32_t kTraceMaxWords = 6;  // of one event
constexpr uintptr kTraceBufBytes = 64 * 1024;
static_assert(traceEvCount <= 32);

struct traceBuf {
  std::uint64_t base;  // owner
  std::uint64_t last;  // owner: time of the last record
  std::int32_t pid;    // init: whose; -1: of Ms without a P
  std::uint32_t n;     // owner: words
  std::uint32_t mid;   // owner: the M of the last record
  std::uint32_t who;   // owner: goroutine that began to run last
  traceBuf* link;      // lock: next on the queue, or free; when read from the file: next of the same P
  traceBuf* all;       // init: next of all buffers
  bool queued;         // lock
  alignas(8) std::uint32_t word[(kTraceBufBytes - 64) / 4];

  static constexpr std::uint32_t kWords = (kTraceBufBytes - 64) / 4;
  static constexpr uintptr size(std::uint32_t n);  // in the file, of a buffer with n words
};
static_assert(sizeof(traceBuf) <= kTraceBufBytes);
constexpr uintptr traceBuf::size(std::uint32_t n) { return (__builtin_offsetof(traceBuf, word) + 4 * n + 7) & ~7; }

// Whether ev says that its goroutine runs from now on.
constexpr bool traceStarts(int ev) { return ev == traceEvGoStart || ev == traceEvGoSysExit; }

// A record as it was when it was made.
struct traceRec {
  std::uint64_t tsc;
  std::uint32_t mid, goid, arg;
  int ev;
};

// The M and the full time, for the records behind it.
[[gnu::noinline]] inline void tracePutWhen(traceBuf* b, std::uint64_t now, std::uint32_t mid) {
  std::uint32_t* w = &b->word[b->n];
  w[0] = mid << 16;
  w[1] = static_cast<std::uint32_t>(now - b->base);
  w[2] = static_cast<std::uint32_t>((now - b->base) >> 32);
  b->mid = mid;
  b->last = now;
  b->n += 3;
}

// Adds a record to b, which has room for kTraceMaxWords.
ALWAYS_INLINE void traceAppend(traceBuf* b, std::uint64_t now, std::uint32_t mid, int ev, std::uint32_t goid,
                               std::uint32_t arg) {
  if (UNLIKELY(now - b->last >= kTraceMaxTicks || mid != b->mid)) tracePutWhen(b, now, mid);
  std::uint32_t near = arg < kTraceArgWho ? arg : arg == b->who ? kTraceArgWho : kTraceArgFar;
  std::uint32_t* w = &b->word[b->n];
  w[0] = static_cast<std::uint32_t>(now - b->last) << 12 | near << 5 | static_cast<std::uint32_t>(ev);
  w[1] = goid;
  w[2] = arg;
  b->n += near == kTraceArgFar ? 3 : 2;
  b->last = now;
  if (traceStarts(ev)) b->who = goid;
}

// How far a P's buffers have been read, and the record there.
struct traceCursor {
  traceBuf* b = nullptr;
  std::uint32_t i = 0, who = 0;
  traceRec rec = {};

  constexpr traceCursor() = default;
  explicit traceCursor(traceBuf* b_) { to(b_); }

  void to(traceBuf* b_) {
    b = b_;
    i = who = 0;
    if (b != nullptr) rec.tsc = b->base;
  }
  // Takes the buffer's next record into rec; false if there is none.
  bool step() {
    for (const std::uint32_t* w = b->word; i + 1 < b->n;) {
      std::uint32_t head = w[i], near = head >> 5 & 127;
      if ((head & 31) == traceEvNone) {
        if (i + 2 >= b->n) break;
        rec.mid = head >> 16;
        rec.tsc = b->base + (w[i + 1] | std::uint64_t{w[i + 2]} << 32);
        i += 3;
        continue;
      }
      rec.tsc += head >> 12;
      rec.ev = static_cast<int>(head & 31);
      rec.goid = w[i + 1];
      rec.arg = near == kTraceArgWho ? who : near;
      i += 2;
      if (near == kTraceArgFar) {
        if (i == b->n) break;
        rec.arg = w[i++];
      }
      if (traceStarts(rec.ev)) who = rec.goid;
      return true;
    }
    return false;
  }
  // The same, through all that follow.
  bool next() {
    while (b != nullptr) {
      if (step()) return true;
      to(b->link);
    }
    return false;
  }
};

// Where the file's time begins, and what a tick is worth.
struct traceClock {
  std::uint64_t tsc0;
  std::uint64_t nsPerTick;  // 32 bits before the point, 32 behind it
};

// A trace without events.
constexpr const char* kTraceEmpty = "[\n]\n";

// Writes JSON to fd from size bytes of raw buffers, which it may change. Allocates nothing: it runs in a crash, too.
// 0, or why it could not all be written.
std::int32_t traceWriteJSON(std::int32_t fd, char* raw, uintptr size, const traceClock& clock, std::uint64_t dropped);

// What record arguments that are addresses count from.
extern const char traceText[] __asm__("runtime.text");

}  // namespace runtime
