// The pacer's arithmetic by itself, so that unit tests can ask it for anything; mgcpacer.cpp says what the numbers are.
#pragma once

#include <cstdint>

namespace runtime {

constexpr std::uint64_t kHeapMinimum = 4 << 20, kHeadroom = 1 << 20, kNever = ~std::uint64_t{0};

// The goal by GOGC, for what is marked and the roots besides it. It does not wrap: what is beyond all memory is never.
inline std::uint64_t percentGoal(std::uint64_t marked, std::uint64_t roots, std::uint32_t percent) {
  using wide = unsigned __int128;
  wide goal = marked + (wide{marked} + roots) * percent / 100, least = wide{kHeapMinimum} * percent / 100;
  if (goal < least) goal = least;
  return goal < kNever ? static_cast<std::uint64_t>(goal) : kNever;
}

// The heap's books, each number read by itself while others change: together they may say what never was.
struct heapBooks {
  std::uint64_t mapped;         // of the kernel's memory, heap and all else
  std::uint64_t inuse, manual;  // in spans; of those, not of objects
  std::uint64_t sys, released;  // of the heap: asked for, given back
};

// What the limit leaves for objects, at least what is marked.
inline std::uint64_t limitGoal(const heapBooks& b, std::uint64_t limit, std::uint64_t marked) {
  auto less = [](std::uint64_t a, std::uint64_t c) { return a > c ? a - c : 0; };
  std::uint64_t free = less(less(b.sys, b.released), b.inuse);  // ours, in no span
  std::uint64_t objects = less(b.inuse, b.manual);              // spans of objects, their free slots counted too
  std::uint64_t other = less(less(b.mapped, free), objects), over = less(b.mapped, limit);
  std::uint64_t goal = less(less(limit, other), over);
  if (goal == 0) return marked;
  goal = goal < 2 * kHeadroom ? kHeadroom : goal - kHeadroom;
  return goal < marked ? marked : goal;
}

// The bucket of the limiter after a cycle that took cpu ns, `since` ns of processor time after the last one's end: collecting
// fills it, the rest of the time drains it.
inline std::int64_t fillAfter(std::int64_t fill, std::int64_t since, std::int64_t cpu, std::int64_t cap) {
  fill += cpu - (since > cpu ? since - cpu : 0);
  return fill < 0 ? 0 : fill > cap ? cap : fill;
}

}  // namespace runtime
