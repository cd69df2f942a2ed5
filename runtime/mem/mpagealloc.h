// Which pages of the heap are in use: bitmaps with summaries, address-ordered first fit.
//
// Owns: the arithmetic on bitmaps and summaries, free of state so that unit tests can drive it, and pageAlloc, the list
// of arenas. A set bit is a page in use. A summary says of a stretch of pages how many are free at its start, at its
// end, and in the longest run inside; two neighbours' summaries combine to their union's. Three levels: 512 pages (a
// chunk, 4 MB), an arena (16 chunks, 64 MB), and the row of all arenas in address order.
//
// Why first fit by address: the heap's upper end empties by itself, so the scavenger finds whole stretches to give back.
// Way not taken: Go's radix tree over the whole address space, for which it reserves some 600 MB of addresses. A row
// of one word for each 64 MB is walked in 100 ns for a heap of 24 GB, and a program under `ulimit -v` lives longer.
#pragma once

#include <cstddef>
#include <cstdint>

namespace runtime {

constexpr std::uint32_t pagesPerChunk = 512;
constexpr std::uint32_t chunkWords = pagesPerChunk / 64;
constexpr std::uint32_t chunksPerArena = 16;
constexpr std::uint32_t pagesPerArena = pagesPerChunk * chunksPerArena;

struct pallocSum {
  std::uint16_t start, max, end;
};

// The first bit at or after i that is set (or clear), n if there is none below n.
inline std::uint32_t nextSet(const std::uint64_t* b, std::uint32_t i, std::uint32_t n) {
  while (i < n) {
    std::uint64_t w = b[i / 64] >> (i % 64);
    if (w != 0) {
      i += static_cast<std::uint32_t>(__builtin_ctzll(w));
      return i < n ? i : n;
    }
    i = (i | 63) + 1;
  }
  return n;
}
inline std::uint32_t nextClear(const std::uint64_t* b, std::uint32_t i, std::uint32_t n) {
  while (i < n) {
    std::uint64_t w = ~b[i / 64] >> (i % 64);
    if (w != 0) {
      i += static_cast<std::uint32_t>(__builtin_ctzll(w));
      return i < n ? i : n;
    }
    i = (i | 63) + 1;
  }
  return n;
}
inline void setBits(std::uint64_t* b, std::uint32_t i, std::uint32_t n) {
  while (n > 0) {
    std::uint32_t k = 64 - i % 64 < n ? 64 - i % 64 : n;
    b[i / 64] |= (k == 64 ? ~std::uint64_t{0} : (std::uint64_t{1} << k) - 1) << (i % 64);
    i += k, n -= k;
  }
}
inline void clearBits(std::uint64_t* b, std::uint32_t i, std::uint32_t n) {
  while (n > 0) {
    std::uint32_t k = 64 - i % 64 < n ? 64 - i % 64 : n;
    b[i / 64] &= ~((k == 64 ? ~std::uint64_t{0} : (std::uint64_t{1} << k) - 1) << (i % 64));
    i += k, n -= k;
  }
}
inline std::uint32_t countBits(const std::uint64_t* b, std::uint32_t i, std::uint32_t n) {
  std::uint32_t c = 0;
  while (n > 0) {
    std::uint32_t k = 64 - i % 64 < n ? 64 - i % 64 : n;
    std::uint64_t w = b[i / 64] >> (i % 64);
    if (k != 64) w &= (std::uint64_t{1} << k) - 1;
    c += static_cast<std::uint32_t>(__builtin_popcountll(w));
    i += k, n -= k;
  }
  return c;
}

// Where the first run of want clear bits among the n bits of b begins; n if there is none.
inline std::uint32_t findRun(const std::uint64_t* b, std::uint32_t n, std::uint32_t want) {
  for (std::uint32_t i = nextClear(b, 0, n); i < n;) {
    std::uint32_t e = nextSet(b, i, n);
    if (e - i >= want) return i;
    i = nextClear(b, e, n);
  }
  return n;
}

inline pallocSum summarize(const std::uint64_t* b, std::uint32_t n) {
  pallocSum s{};
  s.start = static_cast<std::uint16_t>(nextSet(b, 0, n));
  for (std::uint32_t i = nextClear(b, 0, n); i < n;) {
    std::uint32_t e = nextSet(b, i, n);
    if (e - i > s.max) s.max = static_cast<std::uint16_t>(e - i);
    if (e == n) s.end = static_cast<std::uint16_t>(e - i);
    i = nextClear(b, e, n);
  }
  return s;
}

// The union of cnt equal neighbours of size pages each.
inline pallocSum mergeSums(const pallocSum* s, std::uint32_t cnt, std::uint32_t size) {
  pallocSum r{};
  std::uint32_t run = 0, max = 0;
  bool all = true;
  for (std::uint32_t i = 0; i < cnt; i++) {
    if (all) r.start = static_cast<std::uint16_t>(r.start + s[i].start);
    if (s[i].start != size) all = false;
    run += s[i].start;
    if (run > max) max = run;
    if (s[i].max > max) max = s[i].max;
    if (s[i].start != size) run = s[i].end;
  }
  r.max = static_cast<std::uint16_t>(max);
  r.end = static_cast<std::uint16_t>(run);
  return r;
}

// One arena's pages. Fresh ones are free, scavenged and zero. What the kernel has got back lazily (MADV_FREE) is scavenged
// and may have its old contents still: so the one does not follow from the other.
struct arenaPages {
  std::uint64_t alloc[pagesPerArena / 64];
  std::uint64_t scav[pagesPerArena / 64];  // free pages that the kernel has (back)
  std::uint64_t zero[pagesPerArena / 64];  // free pages that are known to be zero when next touched
  pallocSum chunk[chunksPerArena];
};

// Where the first run of want free pages inside the arena begins; pagesPerArena if none.
inline std::uint32_t arenaFind(const arenaPages* a, std::uint32_t want) {
  std::uint32_t run = 0, at = 0;  // free pages that end where chunk i begins, and where they begin
  for (std::uint32_t i = 0; i < chunksPerArena; i++) {
    const pallocSum& s = a->chunk[i];
    if (run == 0) at = i * pagesPerChunk;
    if (run + s.start >= want) return at;
    if (s.max >= want) return i * pagesPerChunk + findRun(a->alloc + i * chunkWords, pagesPerChunk, want);
    if (s.start == pagesPerChunk) {
      run += pagesPerChunk;
    } else {
      run = s.end;
      at = (i + 1) * pagesPerChunk - run;
    }
  }
  return pagesPerArena;
}

// Brings the summaries of the chunks that hold pages [i, i+n) up to date and returns the arena's.
inline pallocSum arenaUpdate(arenaPages* a, std::uint32_t i, std::uint32_t n) {
  for (std::uint32_t c = i / pagesPerChunk; c <= (i + n - 1) / pagesPerChunk; c++)
    a->chunk[c] = summarize(a->alloc + c * chunkWords, pagesPerChunk);
  return mergeSums(a->chunk, chunksPerArena, pagesPerChunk);
}

// The topmost run of free pages that the kernel has not got back, its upper end if it has more than `most`: how many they
// are, and the first in *at; 0 if there are none. What is given back begins at the end that first fit reaches last.
inline std::uint32_t topHeld(const arenaPages* a, std::uint32_t most, std::uint32_t* at) {
  for (std::uint32_t w = pagesPerArena / 64; w-- > 0;) {
    std::uint64_t hold = ~(a->alloc[w] | a->scav[w]);
    if (hold == 0) continue;
    std::uint32_t e = w * 64 + 64 - static_cast<std::uint32_t>(__builtin_clzll(hold)), b = e;
    auto held = [&](std::uint32_t i) { return ((a->alloc[i / 64] | a->scav[i / 64]) >> (i % 64) & 1) == 0; };
    while (b > 0 && e - b < most && held(b - 1)) b--;
    *at = b;
    return e - b;
  }
  return 0;
}

}  // namespace runtime
