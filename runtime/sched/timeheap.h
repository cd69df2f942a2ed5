// The heap of timers by itself: no lock, no P, so that unit tests can drive it. Who may touch it and when is timeheap.cpp's.
//
// Invariants
//   - h[i].when >= h[(i-1)/4].when for each i > 0.
//   - A timer whose entry does not have kStays knows its place: h[t.idx].t == t.
//
// For timeheap.cpp, which it is a part of; it is one file with it to the compiler.
#pragma once

#include "runtime/sched/time.h"

namespace runtime {

namespace {

constexpr uintptr kStays = 1;  // in timerWhen.t: runs to its end

ALWAYS_INLINE timer* timerOf(timerWhen e) { return reinterpret_cast<timer*>(reinterpret_cast<uintptr>(e.t) & ~kStays); }
ALWAYS_INLINE bool stays(timerWhen e) { return (reinterpret_cast<uintptr>(e.t) & kStays) != 0; }

// ---- the heap: 4-ary, as half the depth of a binary one is worth three more comparisons on the same cache line ----

ALWAYS_INLINE void place(slice<timerWhen>& h, std::int64_t i, timerWhen e) {
  h.array[i] = e;
  if (!stays(e)) e.t->idx = i;
}

// Moves the entry at i up to where its parent is not later; returns its place.
std::int64_t siftupTimer(slice<timerWhen>& h, std::int64_t i) {
  timerWhen e = h.array[i];
  while (i > 0) {
    std::int64_t parent = (i - 1) / 4;
    if (e.when >= h.array[parent].when) break;
    place(h, i, h.array[parent]);
    i = parent;
  }
  place(h, i, e);
  return i;
}

void siftdownTimer(slice<timerWhen>& h, std::int64_t i) {
  timerWhen e = h.array[i];
  for (;;) {
    std::int64_t child = i * 4 + 1;
    if (child >= h.len) break;
    std::int64_t end = child + 4 < h.len ? child + 4 : h.len;
    std::int64_t least = child;
    for (std::int64_t c = child + 1; c < end; c++)
      if (h.array[c].when < h.array[least].when) least = c;
    if (e.when <= h.array[least].when) break;
    place(h, i, h.array[least]);
    i = least;
  }
  place(h, i, e);
}

// Puts e behind the last entry, for which there is room, and lets it rise; returns its place.
[[maybe_unused]] ALWAYS_INLINE std::int64_t heapPush(slice<timerWhen>& h, timerWhen e) {
  h.array[h.len] = e;
  h.len++;
  return siftupTimer(h, h.len - 1);
}

// Takes out the entry at i.
[[maybe_unused]] ALWAYS_INLINE void heapRemove(slice<timerWhen>& h, std::int64_t i) {
  h.len--;
  timerWhen last = h.array[h.len];
  h.array[h.len] = {0, nullptr};  // no stale pointer for the collector to find
  if (i == h.len) return;
  place(h, i, last);
  if (siftupTimer(h, i) == i) siftdownTimer(h, i);
}

// The entry at i has another time.
[[maybe_unused]] ALWAYS_INLINE void heapMoved(slice<timerWhen>& h, std::int64_t i) {
  if (siftupTimer(h, i) == i) siftdownTimer(h, i);
}

// When a timer that fires each period ns and was due at `when` fires after now, which is not before that. Times that were
// missed are not made up for: the next one is the first of its row after now.
[[maybe_unused]] ALWAYS_INLINE std::int64_t nextPeriod(std::int64_t when, std::int64_t period, std::int64_t now) {
  std::int64_t missed = (now - when) / period, next;
  if (__builtin_mul_overflow(period, missed + 1, &next) || __builtin_add_overflow(when, next, &next)) return maxWhen;
  return next;
}

}  // namespace

}  // namespace runtime
