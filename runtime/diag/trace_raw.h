// The execution trace as it is recorded: what trace.cpp writes while the program runs and trace_json.cpp reads at its end.
//
// Owns: the layout of a buffer, in memory and in the raw file, where buffers lie one behind the other, each cut behind its
// last record. A record is two words, so that an event costs two stores and a look at the clock:
//
//   head   ticks since the buffer's base (40 bits, some minutes) | id of the M (16) | event (8)
//   goid   the goroutine, modulo 2^32
//   arg    as traceevents.h says; code and texts as their distance from runtime.text
#pragma once

#include "runtime/base/stubs.h"

namespace runtime {

struct traceRec {
  std::uint64_t head;
  std::uint32_t goid, arg;

  std::uint64_t ticks() const { return head >> 24; }
  std::uint32_t mid() const { return static_cast<std::uint32_t>(head >> 8) & 0xffff; }
  int ev() const { return static_cast<int>(head & 0xff); }
};

constexpr std::uint64_t kTraceMaxTicks = std::uint64_t{1} << 40;
constexpr uintptr kTraceBufBytes = 64 * 1024;

struct traceBuf {
  std::uint64_t base;  // owner
  std::int32_t pid;    // init: whose; -1: of Ms without a P
  std::uint32_t n;     // owner
  traceBuf* link;      // lock: next on the queue, or free; when read from the file: next of the same P
  traceBuf* all;       // init: next of all buffers
  bool queued;         // lock
  traceRec rec[(kTraceBufBytes - 64) / sizeof(traceRec)];

  static constexpr std::uint32_t kRecs = (kTraceBufBytes - 64) / sizeof(traceRec);
};
static_assert(sizeof(traceRec) == 16 && sizeof(traceBuf) <= kTraceBufBytes);

// Where the file's time begins, and what a tick is worth.
struct traceClock {
  std::uint64_t tsc0;
  std::uint64_t nsPerTick;  // 32 bits before the point, 32 behind it
};

// Writes JSON to fd from size bytes of raw buffers, which it may change. Allocates nothing: it runs in a crash, too.
void traceWriteJSON(std::int32_t fd, char* raw, uintptr size, const traceClock& clock, std::uint64_t dropped);

// What record arguments that are addresses count from.
extern const char traceText[] __asm__("runtime.text");

}  // namespace runtime
