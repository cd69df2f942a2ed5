// Memory in pieces; memchunk.h has the rule.
//
// Owns: memmove and memset of large blocks. The point between two pieces is in piecedone.cpp.
//
// Invariant: no piece reaches kChunkFrom, or memmove would come back here.
#include "runtime/cxx/memchunk.h"

namespace runtime {

static_assert(kChunk < kChunkFrom);

void* memmoveChunked(void* dst, const void* src, std::size_t n, const void* caller) {
  auto d = static_cast<char*>(dst);
  auto s = static_cast<const char*>(src);
  if (static_cast<std::size_t>(d - s) >= n) {  // upwards: dst does not lie inside of the source
    for (std::size_t k; n != 0; d += k, s += k, n -= k) {
      k = n < kChunk ? n : kChunk;
      __builtin_memmove(d, s, k);
      pieceDone(caller);
    }
  } else {
    for (std::size_t k; n != 0; n -= k) {
      k = n < kChunk ? n : kChunk;
      __builtin_memmove(d + n - k, s + n - k, k);
      pieceDone(caller);
    }
  }
  return dst;
}

void* memsetChunked(void* dst, int c, std::size_t n, const void* caller) {
  auto d = static_cast<char*>(dst);
  for (std::size_t k; n != 0; d += k, n -= k) {
    k = n < kChunk ? n : kChunk;
    __builtin_memset(d, static_cast<unsigned char>(c), k);
    pieceDone(caller);
  }
  return dst;
}

}  // namespace runtime
