// Memory in pieces: what moves, sets or reads a gigabyte at one go must not hold up a stop of the world as long.
//
// Runtime text is not preempted, and memmove and its like are runtime text. Where a request to stop is pending, they give
// way between two pieces, but only for callers that could have been stopped at the call itself: the program and the C++
// library. The runtime's own text calls the same names with locks held that one P elides (sync/onep.h).
#pragma once

#include <cstddef>

namespace runtime {

constexpr std::size_t kChunk = 256 << 10;    // Go's, for clearing
constexpr std::size_t kChunkFrom = 1 << 20;  // memmove and memset below this are done at once: CHUNK_FROM in assembly

// For memmove, memcpy and memset from kChunkFrom on; caller is the return address of who asked. Return dst.
void* memmoveChunked(void* dst, const void* src, std::size_t n, const void* caller) __asm__("runtime.memmoveChunked");
void* memsetChunked(void* dst, int c, std::size_t n, const void* caller) __asm__("runtime.memsetChunked");
// Between two pieces.
void pieceDone(const void* caller);

}  // namespace runtime
