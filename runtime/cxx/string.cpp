// <string.h> without libc: what gcc, libstdc++ and libgcc_eh call by these names.
//
// Owns: mem* and str* but for memcpy, memmove and memset, which are assembly (memmove_amd64.S).
//
// Invariants
//   - No function here may be compiled into a call of itself: gcc turns a loop that looks like strlen into a call of
//     strlen, hence the pragma below.
//   - The searching functions read 16 bytes at a time, from aligned addresses only. Such a load may take in bytes before
//     or behind the object, never a byte of another page, so it can't fault where a byte loop would not.
// Way not taken: AVX2 variants chosen at start. Names and JSON tokens are short; the set-up would cost more than it gains.
#include <emmintrin.h>

#include <cstddef>
#include <cstdint>

#include "runtime/cxx/memchunk.h"

#pragma GCC optimize("no-tree-loop-distribute-patterns")

using std::size_t;
using uchar = unsigned char;

namespace {

constexpr size_t kVec = 16;

// The 16 bytes at an aligned address. May read outside the object, see the head.
[[gnu::always_inline]] inline __m128i loadAligned(const void* p) {
  return _mm_load_si128(static_cast<const __m128i*>(p));
}
[[gnu::always_inline]] inline __m128i loadAny(const void* p) { return _mm_loadu_si128(static_cast<const __m128i*>(p)); }
// Bit i is set where byte i of v equals that of w.
[[gnu::always_inline]] inline unsigned eqmask(__m128i v, __m128i w) {
  return static_cast<unsigned>(_mm_movemask_epi8(_mm_cmpeq_epi8(v, w)));
}
[[gnu::always_inline]] inline const uchar* alignDown(const void* p) {
  return reinterpret_cast<const uchar*>(reinterpret_cast<std::uintptr_t>(p) & ~(kVec - 1));
}
[[gnu::always_inline]] inline uchar lower(uchar c) { return c >= 'A' && c <= 'Z' ? c + 32 : c; }

// Who called a function of this file. What may take long asks between pieces whether the goroutine shall stop.
using runtime::kChunk, runtime::pieceDone;
[[gnu::always_inline]] inline void copyFor(char* dst, const char* src, size_t n, const void* caller) {
  if (__builtin_expect(n >= runtime::kChunkFrom, 0))
    runtime::memmoveChunked(dst, src, n, caller);
  else
    __builtin_memcpy(dst, src, n);
}
#define CALLER __builtin_return_address(0)

int compare(const uchar* p, const uchar* q, size_t n) {
  size_t i = 0;
  for (; n - i >= kVec; i += kVec) {
    unsigned eq = eqmask(loadAny(p + i), loadAny(q + i));
    if (eq != 0xffff) {
      i += static_cast<size_t>(__builtin_ctz(~eq));
      return p[i] - q[i];
    }
  }
  for (; i < n; i++) {
    if (p[i] != q[i]) return p[i] - q[i];
  }
  return 0;
}

void* find(const void* s, int c, size_t n) {
  if (n == 0) return nullptr;
  const __m128i want = _mm_set1_epi8(static_cast<char>(c));
  auto first = static_cast<const uchar*>(s);
  const uchar* p = alignDown(s);
  size_t skip = static_cast<size_t>(first - p);
  unsigned hit = eqmask(loadAligned(p), want) >> skip << skip;
  size_t left = n + skip;  // bytes of the object from p on
  for (;;) {
    if (hit != 0) {
      size_t i = static_cast<size_t>(__builtin_ctz(hit));
      return i < left ? const_cast<uchar*>(p + i) : nullptr;
    }
    if (left <= kVec) return nullptr;
    left -= kVec;
    p += kVec;
    hit = eqmask(loadAligned(p), want);
  }
}

// n may be "as far as it takes" (SIZE_MAX), so it is not added to a pointer.
[[gnu::always_inline]] inline void* findFor(const void* s, int c, size_t n, const void* caller) {
  while (__builtin_expect(n > kChunk, 0)) {
    if (void* p = find(s, c, kChunk)) return p;
    s = static_cast<const uchar*>(s) + kChunk;
    n -= kChunk;
    pieceDone(caller);
  }
  return find(s, c, n);
}

[[gnu::always_inline]] inline int compareFor(const uchar* p, const uchar* q, size_t n, const void* caller) {
  while (__builtin_expect(n > kChunk, 0)) {
    if (int d = compare(p, q, kChunk)) return d;
    p += kChunk, q += kChunk, n -= kChunk;
    pieceDone(caller);
  }
  return compare(p, q, n);
}

[[gnu::always_inline]] inline size_t lengthFor(const char* s, const void* caller) {
  const __m128i zero = _mm_setzero_si128();
  const uchar* p = alignDown(s);
  size_t skip = static_cast<size_t>(reinterpret_cast<const uchar*>(s) - p);
  unsigned hit = eqmask(loadAligned(p), zero) >> skip;
  if (hit != 0) return static_cast<size_t>(__builtin_ctz(hit));
  for (;;) {
    const uchar* stop = p + kChunk;
    do {
      p += kVec;
      hit = eqmask(loadAligned(p), zero);
    } while (hit == 0 && p != stop);
    if (hit != 0) break;
    pieceDone(caller);
  }
  return static_cast<size_t>(p - reinterpret_cast<const uchar*>(s)) + static_cast<size_t>(__builtin_ctz(hit));
}

[[gnu::always_inline]] inline void* findLastFor(const void* s, int c, size_t n, const void* caller) {
  auto p = static_cast<const uchar*>(s);
  while (n > 0) {
    if (p[--n] == static_cast<uchar>(c)) return const_cast<uchar*>(p + n);
    if (__builtin_expect(n % kChunk == 0, 0)) pieceDone(caller);
  }
  return nullptr;
}

[[gnu::always_inline]] inline char* findEndFor(const char* s, int c, const void* caller) {
  for (;;) {
    const char* stop = s + kChunk;
    for (; s != stop; s++)
      if (*s == 0 || *s == static_cast<char>(c)) return const_cast<char*>(s);
    pieceDone(caller);
  }
}

[[gnu::always_inline]] inline void* findBlockFor(const void* hay, size_t n, const void* needle, size_t m,
                                                 const void* caller) {
  auto h = static_cast<const uchar*>(hay), k = static_cast<const uchar*>(needle);
  if (m == 0) return const_cast<uchar*>(h);
  const uchar* stop = h + kChunk;  // where many false starts have taken long, too
  while (n >= m) {
    auto p = static_cast<const uchar*>(findFor(h, *k, n - m + 1, caller));
    if (p == nullptr) return nullptr;
    if (compareFor(p, k, m, caller) == 0) return const_cast<uchar*>(p);
    n -= static_cast<size_t>(p + 1 - h);
    h = p + 1;
    if (__builtin_expect(h >= stop, 0)) {
      pieceDone(caller);
      stop = h + kChunk;
    }
  }
  return nullptr;
}

}  // namespace

extern "C" {

int memcmp(const void* a, const void* b, size_t n) noexcept {
  return compareFor(static_cast<const uchar*>(a), static_cast<const uchar*>(b), n, CALLER);
}

// What clang makes of a memcmp whose order is not asked for.
int bcmp(const void* a, const void* b, size_t n) noexcept {
  return compareFor(static_cast<const uchar*>(a), static_cast<const uchar*>(b), n, CALLER);
}

void* memchr(const void* s, int c, size_t n) noexcept { return findFor(s, c, n, CALLER); }
void* rawmemchr(const void* s, int c) noexcept { return findFor(s, c, SIZE_MAX, CALLER); }
void* memrchr(const void* s, int c, size_t n) noexcept { return findLastFor(s, c, n, CALLER); }

void* memmem(const void* hay, size_t n, const void* needle, size_t m) noexcept {
  return findBlockFor(hay, n, needle, m, CALLER);
}

size_t strlen(const char* s) noexcept { return lengthFor(s, CALLER); }

size_t strnlen(const char* s, size_t n) noexcept {
  auto end = static_cast<const char*>(findFor(s, 0, n, CALLER));
  return end == nullptr ? n : static_cast<size_t>(end - s);
}

int strcmp(const char* a, const char* b) noexcept {
  for (;;) {
    const char* stop = a + kChunk;
    for (; a != stop; a++, b++)
      if (*a == 0 || *a != *b) return static_cast<uchar>(*a) - static_cast<uchar>(*b);
    pieceDone(CALLER);
  }
}

int strncmp(const char* a, const char* b, size_t n) noexcept {
  for (; n > 0; a++, b++, n--) {
    if (*a != *b) return static_cast<uchar>(*a) - static_cast<uchar>(*b);
    if (*a == 0) break;
    if (__builtin_expect(n % kChunk == 0, 0)) pieceDone(CALLER);
  }
  return 0;
}

int strcasecmp(const char* a, const char* b) noexcept {
  for (; *a != 0 && lower(static_cast<uchar>(*a)) == lower(static_cast<uchar>(*b)); a++, b++) {}
  return lower(static_cast<uchar>(*a)) - lower(static_cast<uchar>(*b));
}

int strncasecmp(const char* a, const char* b, size_t n) noexcept {
  for (; n > 0; a++, b++, n--) {
    int d = lower(static_cast<uchar>(*a)) - lower(static_cast<uchar>(*b));
    if (d != 0) return d;
    if (*a == 0) break;
  }
  return 0;
}

// There is no locale but "C", where collation is the order of bytes.
int strcoll(const char* a, const char* b) noexcept { return strcmp(a, b); }

char* strchrnul(const char* s, int c) noexcept { return findEndFor(s, c, CALLER); }

char* strchr(const char* s, int c) noexcept {
  char* p = findEndFor(s, c, CALLER);
  return *p == static_cast<char>(c) ? p : nullptr;
}

char* strrchr(const char* s, int c) noexcept {
  return static_cast<char*>(findLastFor(s, c, lengthFor(s, CALLER) + 1, CALLER));
}

char* strstr(const char* hay, const char* needle) noexcept {
  return static_cast<char*>(findBlockFor(hay, lengthFor(hay, CALLER), needle, lengthFor(needle, CALLER), CALLER));
}

size_t strcspn(const char* s, const char* reject) noexcept {
  size_t n = 0;
  while (s[n] != 0 && strchr(reject, s[n]) == nullptr) n++;
  return n;
}

size_t strspn(const char* s, const char* accept) noexcept {
  size_t n = 0;
  while (s[n] != 0 && strchr(accept, s[n]) != nullptr) n++;
  return n;
}

char* strpbrk(const char* s, const char* accept) noexcept {
  s += strcspn(s, accept);
  return *s != 0 ? const_cast<char*>(s) : nullptr;
}

char* stpcpy(char* dst, const char* src) noexcept {
  size_t n = lengthFor(src, CALLER);
  copyFor(dst, src, n + 1, CALLER);
  return dst + n;
}

char* strcpy(char* dst, const char* src) noexcept {
  copyFor(dst, src, lengthFor(src, CALLER) + 1, CALLER);
  return dst;
}

char* strncpy(char* dst, const char* src, size_t n) noexcept {
  auto end = static_cast<const char*>(findFor(src, 0, n, CALLER));
  size_t k = end == nullptr ? n : static_cast<size_t>(end - src);
  copyFor(dst, src, k, CALLER);
  if (n - k >= runtime::kChunkFrom)
    runtime::memsetChunked(dst + k, 0, n - k, CALLER);
  else
    __builtin_memset(dst + k, 0, n - k);
  return dst;
}

char* strcat(char* dst, const char* src) noexcept {
  copyFor(dst + lengthFor(dst, CALLER), src, lengthFor(src, CALLER) + 1, CALLER);
  return dst;
}

char* strncat(char* dst, const char* src, size_t n) noexcept {
  size_t at = strlen(dst), k = strnlen(src, n);
  __builtin_memcpy(dst + at, src, k);
  dst[at + k] = 0;
  return dst;
}

// Wide characters: std::wstring's char_traits ask for these. wchar_t is 32 bits wide here.
size_t wcslen(const wchar_t* s) noexcept {
  size_t n = 0;
  while (s[n] != 0) n++;
  return n;
}

wchar_t* wmemchr(const wchar_t* s, wchar_t c, size_t n) noexcept {
  for (; n > 0; s++, n--) {
    if (*s == c) return const_cast<wchar_t*>(s);
  }
  return nullptr;
}

int wmemcmp(const wchar_t* a, const wchar_t* b, size_t n) noexcept {
  for (; n > 0; a++, b++, n--) {
    if (*a != *b) return *a < *b ? -1 : 1;
  }
  return 0;
}

int wcscmp(const wchar_t* a, const wchar_t* b) noexcept {
  for (; *a != 0 && *a == *b; a++, b++) {}
  return *a == *b ? 0 : *a < *b ? -1 : 1;
}

wchar_t* wmemcpy(wchar_t* d, const wchar_t* s, size_t n) noexcept {
  return static_cast<wchar_t*>(__builtin_memcpy(d, s, n * sizeof *d));
}

wchar_t* wmemmove(wchar_t* d, const wchar_t* s, size_t n) noexcept {
  return static_cast<wchar_t*>(__builtin_memmove(d, s, n * sizeof *d));
}

wchar_t* wmemset(wchar_t* d, wchar_t c, size_t n) noexcept {
  for (size_t i = 0; i < n; i++) d[i] = c;
  return d;
}

}  // extern "C"
