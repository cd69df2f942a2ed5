// The benchmark program: what its files share. The benchmarks are those of the Go program beside it (peers/go), line for
// line: the same work and the same checks, so that a ratio compares the runtimes and not two programs.
#pragma once

#include <boot/boot.h>

#include <chrono>
#include <cstdint>
#include <map>
#include <string>

namespace bench {

struct result {
  std::int64_t ops = 0;                      // operations done
  std::chrono::nanoseconds took{};           // monotonic time for all of them
  std::map<std::string, double> extra = {};  // further figures
};

inline void check(bool ok) {
  if (!ok) boot::panic("bench: wrong result");
}

std::int64_t statusKB(const char* field);  // a field of /proc/self/status
inline std::int64_t residentBytes() { return statusKB("VmRSS:") * 1024; }
inline double ms(std::chrono::nanoseconds d) { return static_cast<double>(d.count()) / 1e6; }

result yield(std::int64_t n);
result spawn(std::int64_t n);
result parked(std::int64_t n);
result mutex(std::int64_t n);
result sleepers(std::int64_t n);

result pingpong(std::int64_t n);
result buffered(std::int64_t n);
result mpmc(std::int64_t n);
result select(std::int64_t n);
result skynet(std::int64_t n);
result fib_spawn(std::int64_t n);
result sieve(std::int64_t n);

result trees(std::int64_t n);
result alloc16(std::int64_t n);
result alloc64(std::int64_t n);
result alloc256(std::int64_t n);
result allocptr64(std::int64_t n);

result looks(std::int64_t n);  // has no counterpart: the price of the clock, for the trace's test

}  // namespace bench
