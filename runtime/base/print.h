// Printing from inside the runtime: fmt's format strings, checked at compile time, into a buffer on the stack, out by
// one write(2) to descriptor 2.
//
// Invariant: nothing here allocates, takes a lock or needs a P, so it works from the first C++ line of the start to the
// last line of a crash, in signal handlers too. A line longer than the buffer goes out in pieces.
#pragma once

#include <cstddef>
#include <string_view>

#include <fmt/core.h>

namespace runtime {

constexpr std::size_t kPrintBuf = 512;

// Writes all n bytes to descriptor 2, through partial writes; errors are dropped, there is nobody left to tell.
void writeErr(const void* p, std::size_t n) __asm__("runtime.writeErr");

// Where else the runtime's reports shall go (hosted mode sends them to spdlog); null: descriptor 2 only.
extern void (*writeErrHook)(const char* p, std::size_t n);

void vprintf(fmt::string_view f, fmt::format_args args);

// Formats into buf, cut at n bytes; returns the length. For texts that outlive the call.
std::size_t vsnprint(char* buf, std::size_t n, fmt::string_view f, fmt::format_args args);

template <class... A>
inline void printf(fmt::format_string<A...> f, A&&... a) {
  vprintf(f, fmt::make_format_args(a...));
}
template <class... A>
inline std::size_t snprint(char* buf, std::size_t n, fmt::format_string<A...> f, A&&... a) {
  return vsnprint(buf, n, f, fmt::make_format_args(a...));
}

}  // namespace runtime
