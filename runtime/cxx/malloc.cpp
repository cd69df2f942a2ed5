// malloc and operator new over the runtime's heap.
//
// Owns: the C names (malloc … malloc_usable_size) and every form of operator delete; operator new that may throw is in
// new_exc.cpp, since it needs exceptions.
//
// Invariants
//   - Memory from here is "manual": freed by hand, never swept, and a root that the collector scans, so a std::vector
//     may hold pointers to collected objects.
//   - malloc and operator new look for a request to stop (sync/onep.h): a loop that allocates may be in here, where no
//     signal stops it, nearly all the time. They are called by the program and by libstdc++ only.
//   - Sized and aligned forms need nothing of their own: a block knows its size class from its address.
#include <cstddef>
#include <new>

#include <errno.h>
#include <malloc.h>
#include <stdlib.h>
#include <string.h>

#include "runtime/cxx/memchunk.h"
#include "runtime/mem/malloc.h"
#include "runtime/sync/onep.h"

namespace {

constexpr std::size_t kAlign = 16;   // alignof(max_align_t), what malloc promises
constexpr std::size_t kPage = 4096;  // what valloc aligns to

void* enomem(void* p) {
  if (p == nullptr) errno = ENOMEM;
  return p;
}

bool pow2(std::size_t n) { return n != 0 && (n & (n - 1)) == 0; }

}  // namespace

extern "C" {

// Each throw comes through here, too.
void* malloc(std::size_t n) noexcept {
  runtime::preemptpoint();
  return enomem(runtime::mallocManual(n, kAlign, false));
}

void free(void* p) noexcept { runtime::freeManual(p); }

void* calloc(std::size_t n, std::size_t size) noexcept {
  std::size_t total;
  if (__builtin_mul_overflow(n, size, &total)) return enomem(nullptr);
  return enomem(runtime::mallocManual(total, kAlign, true));
}

void* realloc(void* p, std::size_t n) noexcept {
  if (p == nullptr) return malloc(n);
  if (n == 0) {
    free(p);
    return nullptr;
  }
  std::size_t have = runtime::usableSize(p);
  // Stays where it is while it fits, unless half of the block would lie idle.
  if (n <= have && n > have / 2) return p;
  void* q = runtime::mallocManual(n, kAlign, false);
  if (q == nullptr) return n <= have ? p : enomem(nullptr);
  runtime::memmoveChunked(q, p, n < have ? n : have, __builtin_return_address(0));
  free(p);
  return q;
}

void* reallocarray(void* p, std::size_t n, std::size_t size) noexcept {
  std::size_t total;
  if (__builtin_mul_overflow(n, size, &total)) return enomem(nullptr);
  return realloc(p, total);
}

void* aligned_alloc(std::size_t align, std::size_t n) noexcept {
  if (!pow2(align)) {
    errno = EINVAL;
    return nullptr;
  }
  return enomem(runtime::mallocManual(n, align < kAlign ? kAlign : align, false));
}

void* memalign(std::size_t align, std::size_t n) noexcept { return aligned_alloc(align, n); }
void* valloc(std::size_t n) noexcept { return aligned_alloc(kPage, n); }
void* pvalloc(std::size_t n) noexcept {
  return n > SIZE_MAX - kPage ? enomem(nullptr) : aligned_alloc(kPage, (n + kPage - 1) & ~(kPage - 1));
}

int posix_memalign(void** out, std::size_t align, std::size_t n) noexcept {
  if (!pow2(align) || align % sizeof(void*) != 0) return EINVAL;
  void* p = runtime::mallocManual(n, align < kAlign ? kAlign : align, false);
  if (p == nullptr) return ENOMEM;
  *out = p;
  return 0;
}

std::size_t malloc_usable_size(void* p) noexcept { return p == nullptr ? 0 : runtime::usableSize(p); }

char* strdup(const char* s) noexcept {
  std::size_t n = strlen(s) + 1;
  auto p = static_cast<char*>(malloc(n));
  return p == nullptr ? nullptr : static_cast<char*>(memcpy(p, s, n));
}

char* strndup(const char* s, std::size_t n) noexcept {
  n = strnlen(s, n);
  auto p = static_cast<char*>(malloc(n + 1));
  if (p == nullptr) return nullptr;
  memcpy(p, s, n);
  p[n] = 0;
  return p;
}

}  // extern "C"

using std::align_val_t;
using std::nothrow_t;
using std::size_t;

void operator delete(void* p) noexcept { runtime::freeManual(p); }
void operator delete[](void* p) noexcept { runtime::freeManual(p); }
void operator delete(void* p, size_t) noexcept { runtime::freeManual(p); }
void operator delete[](void* p, size_t) noexcept { runtime::freeManual(p); }
void operator delete(void* p, const nothrow_t&) noexcept { runtime::freeManual(p); }
void operator delete[](void* p, const nothrow_t&) noexcept { runtime::freeManual(p); }
void operator delete(void* p, align_val_t) noexcept { runtime::freeManual(p); }
void operator delete[](void* p, align_val_t) noexcept { runtime::freeManual(p); }
void operator delete(void* p, size_t, align_val_t) noexcept { runtime::freeManual(p); }
void operator delete[](void* p, size_t, align_val_t) noexcept { runtime::freeManual(p); }
void operator delete(void* p, align_val_t, const nothrow_t&) noexcept { runtime::freeManual(p); }
void operator delete[](void* p, align_val_t, const nothrow_t&) noexcept { runtime::freeManual(p); }
