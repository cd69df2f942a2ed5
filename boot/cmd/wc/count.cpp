// 64 bytes at a time: three bit masks say which bytes are newlines, white space, printable.
//
// A byte is in a word if it is printable, or if it is neutral and the byte before is in a word. That is how a carry runs
// through an addition: a printable byte generates one, a neutral byte passes it on, white space stops it. So one 64-bit
// addition tells for each byte whether the one before was in a word, and a word begins at every printable byte for which
// that is not so. No byte is looked at alone, and nothing branches on the text.
#include "count.h"

#include <emmintrin.h>

#include <bit>
#include <cstring>

namespace {

struct Masks {
  std::uint64_t newline = 0, space = 0, printable = 0;
};

Masks classify(const unsigned char* p) {
  Masks m;
  const __m128i nl = _mm_set1_epi8('\n'), blank = _mm_set1_epi8(' '), del = _mm_set1_epi8(0x7f);
  const __m128i below = _mm_set1_epi8('\t' - 1), above = _mm_set1_epi8('\r' + 1);
  for (int i = 0; i < 4; i++) {
    __m128i x = _mm_loadu_si128(reinterpret_cast<const __m128i*>(p) + i);
    // Signed comparisons: bytes from 0x80 are less than everything, so they are neither.
    __m128i controls = _mm_and_si128(_mm_cmpgt_epi8(x, below), _mm_cmpgt_epi8(above, x));
    __m128i spaces = _mm_or_si128(controls, _mm_cmpeq_epi8(x, blank));
    __m128i prints = _mm_andnot_si128(_mm_cmpeq_epi8(x, del), _mm_cmpgt_epi8(x, blank));
    auto bits = [i](__m128i v) { return static_cast<std::uint64_t>(_mm_movemask_epi8(v)) << (16 * i); };
    m.newline |= bits(_mm_cmpeq_epi8(x, nl));
    m.space |= bits(spaces);
    m.printable |= bits(prints);
  }
  return m;
}

// The number of bits without the POPCNT instruction, which the oldest amd64 lacks.
std::uint64_t popcount(std::uint64_t v) {
  v -= (v >> 1) & 0x5555555555555555u;
  v = (v & 0x3333333333333333u) + ((v >> 2) & 0x3333333333333333u);
  v = (v + (v >> 4)) & 0x0f0f0f0f0f0f0f0fu;
  return (v * 0x0101010101010101u) >> 56;
}

}  // namespace

void Counts::add(const unsigned char* p, std::size_t n) {
  bytes += n;
  bool carry = last == printable;
  unsigned char tail[64];
  while (n > 0) {
    if (n < 64) {
      std::memset(tail, 0, sizeof tail);  // zero bytes are neutral
      std::memcpy(tail, p, n);
      p = tail;
      n = 64;
    }
    Masks m = classify(p);
    std::uint64_t pass = ~m.space;  // generates or passes on
    std::uint64_t sum = pass + m.printable;
    bool over = sum < pass;
    sum += carry;
    over |= sum < static_cast<std::uint64_t>(carry);
    std::uint64_t inWordBefore = sum ^ pass ^ m.printable;
    lines += popcount(m.newline);
    words += popcount(m.printable & ~inWordBefore);
    if (std::uint64_t any = m.space | m.printable; any != 0) {
      if (first == none) [[unlikely]]
        first = (m.printable >> std::countr_zero(any) & 1) != 0 ? printable : space;
      last = (m.printable >> (63 - std::countl_zero(any)) & 1) != 0 ? printable : space;
    }
    carry = over;
    p += 64;
    n -= 64;
  }
}
