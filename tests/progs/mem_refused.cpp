// Requests that can't be met are refused by whoever can say no, and the program goes on well: sizes from above the
// machine's memory to SIZE_MAX, each function, many alignments; the same where a limit leaves little. And what is given
// out as zero is zero, whatever the kernel has done with pages that were given back to it.
// RUN: %prog huge && %prog over && (ulimit -d 200000; exec %prog limit) && (ulimit -v 400000; exec %prog limit) && %prog zero && GODEBUG=madvdontneed=0 %prog zero && %prog kept && %prog munmap && %prog guards && %prog fewmaps
// TIMEOUT: 100
// STDOUT: huge
// STDOUT: over
// STDOUT: limit
// STDOUT: limit
// STDOUT: zero
// STDOUT: zero
// STDOUT: kept
// STDOUT: munmap
// STDOUT: guards
// STDOUT: fewmaps
#include <boot/boot.h>

#include "refuse.h"

#include <cerrno>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <malloc.h>
#include <new>
#include <string>
#include <string_view>
#include <vector>

namespace {

using std::size_t;

template <class... A>
[[noreturn]] void bad(fmt::format_string<A...> f, A&&... a) {
  boot::panic(fmt::format(f, std::forward<A>(a)...));
}

// Hidden from the compiler, which would leave out what it knows to fail.
void* volatile sink;
void* (*volatile vmalloc)(size_t) = malloc;
void* (*volatile vcalloc)(size_t, size_t) = calloc;
void* (*volatile vrealloc)(void*, size_t) = realloc;
void* (*volatile vreallocarray)(void*, size_t, size_t) = reallocarray;
void* (*volatile valigned)(size_t, size_t) = aligned_alloc;
void* (*volatile vmemalign)(size_t, size_t) = memalign;
void* (*volatile vvalloc)(size_t) = valloc;
void* (*volatile vpvalloc)(size_t) = pvalloc;
int (*volatile vposix)(void**, size_t, size_t) = posix_memalign;
void* (*volatile vnew)(size_t) = ::operator new;
void* (*volatile vnewarray)(size_t) = ::operator new[];
void* (*volatile vnewalign)(size_t, std::align_val_t) = ::operator new;
void* (*volatile vnothrow)(size_t, const std::nothrow_t&) = ::operator new;
void* (*volatile vnothrowalign)(size_t, std::align_val_t, const std::nothrow_t&) = ::operator new[];

void null(const char* what, size_t n, size_t align, void* p) {
  if (p != nullptr) bad("{}({:#x}, align {:#x}) gave {}", what, n, align, p);
  if (errno != ENOMEM) bad("{}({:#x}, align {:#x}): errno {}", what, n, align, errno);
  errno = 0;
}
template <class F>
void throws(const char* what, size_t n, size_t align, F f) {
  try {
    f();
  } catch (const std::bad_alloc&) {
    return;
  } catch (const std::length_error&) {
    return;
  }
  bad("{}({:#x}, align {:#x}) did not throw", what, n, align);
}
template <class F>
void panics(const char* want, F f) {
  try {
    f();
  } catch (const boot::RuntimeError& e) {
    if (e.what() != std::string_view(want)) bad("{} instead of {}", e.what(), want);
    return;
  }
  bad("no panic: {}", want);
}

// All that C and C++ offer, for n bytes that can't be had.
void refused(size_t n) {
  errno = 0;
  null("malloc", n, 0, vmalloc(n));
  null("calloc", n, 0, vcalloc(1, n));
  null("calloc", n, 0, vcalloc(n / 8 + 1, 8));
  for (size_t have : {1, 100, 5000, 100000}) {
    auto p = static_cast<char*>(vmalloc(have));
    if (p == nullptr) continue;  // under a limit not even that
    memset(p, 7, have);
    null("realloc", n, 0, vrealloc(p, n));
    null("reallocarray", n, 0, vreallocarray(p, n / 8 + 1, 8));
    for (size_t i = 0; i < have; i++)
      if (p[i] != 7) bad("realloc({:#x}) changed the block", n);
    free(p);
  }
  null("valloc", n, 0, vvalloc(n));
  null("pvalloc", n, 0, vpvalloc(n));
  for (int shift = 0; shift < 64; shift++) {
    size_t a = size_t{1} << shift;
    null("aligned_alloc", n, a, valigned(a, n));
    null("memalign", n, a, vmemalign(a, n));
    if (a >= sizeof(void*)) {
      void* p = &p;
      if (int e = vposix(&p, a, n); e != ENOMEM || p != &p || errno != 0)
        bad("posix_memalign({:#x}, {:#x}): {}", a, n, e);
    }
    auto al = static_cast<std::align_val_t>(a);
    if (vnothrowalign(n, al, std::nothrow) != nullptr) bad("nothrow new({:#x}, {:#x})", n, a);
    throws("new", n, a, [&] { vnewalign(n, al); });
  }
  errno = 0;
  if (vnothrow(n, std::nothrow) != nullptr) bad("nothrow new({:#x})", n);
  throws("new", n, 0, [&] { vnew(n); });
  throws("new[]", n, 0, [&] { vnewarray(n); });
  throws("long[]", n, 0, [&] { sink = ::new long[n / 8 + 1]; });
  throws("vector", n, 0, [&] { return std::vector<char>(n).size(); });
  throws("vector::reserve", n, 0, [&] { std::vector<int>().reserve(n / 4); });
  throws("string", n, 0, [&] { return std::string(n, 'x').size(); });
}

struct wide {
  alignas(64) char c[64];
};

void collected(size_t n) {
  const char* slice = "runtime error: makeslice: len out of range";
  panics(slice, [&] { boot::make_slice<char>(n); });
  panics(slice, [&] { boot::make_slice<long>(n); });
  panics(slice, [&] { boot::make_slice<void*>(n); });
  panics(slice, [&] { boot::make_slice<wide>(n); });
  const char* chan = "makechan: size out of range";
  panics(chan, [&] { boot::make_chan<char>(static_cast<std::int64_t>(n)); });
  panics(chan, [&] { boot::make_chan<wide>(static_cast<std::int64_t>(n)); });
  panics(chan, [&] { boot::make_chan<std::string>(static_cast<std::int64_t>(n)); });
}

// All kinds of memory, filled and looked at again.
void well() {
  struct node {
    node* next;
    long v;
  };
  node* list = nullptr;
  for (long i = 0; i < 1000; i++) list = boot::New<node>(list, i);
  std::vector<std::pair<unsigned char*, size_t>> blocks;
  unsigned state = 1;
  for (int i = 0; i < 3000; i++) {
    state = state * 1103515245 + 12345;
    size_t n = state >> 16 & 1023;
    if (i % 50 == 0) n = n * 300 + 1;
    auto p = static_cast<unsigned char*>(i % 3 == 0   ? vcalloc(n, 1)
                                         : i % 3 == 1 ? vmalloc(n)
                                                      : valigned(size_t{16} << (i / 3 % 12), n));
    if (p == nullptr) bad("malloc of {} bytes after a refusal", n);
    for (size_t k = 0; i % 3 == 0 && k < n; k++)
      if (p[k] != 0) bad("calloc's memory is not zero");
    memset(p, i & 255, n);
    blocks.emplace_back(p, n);
    if (i % 500 == 0) runtime::GC();
  }
  for (size_t i = 0; i < blocks.size(); i++) {
    for (size_t k = 0; k < blocks[i].second; k++)
      if (blocks[i].first[k] != (i & 255)) bad("a block's contents changed");
    free(blocks[i].first);
  }
  auto s = boot::make_slice<long>(100000);
  for (long& v : s)
    if (v != 0) bad("make_slice is not zero");
  auto c = boot::make_chan<int>();
  for (int i = 0; i < 100; i++) boot::go([=] { c.send(i); });
  int sum = 0;
  for (int i = 0; i < 100; i++) sum += c.recv();
  if (sum != 4950) bad("goroutines after a refusal");
  long v = 999;
  for (node* n = list; n != nullptr; n = n->next)
    if (n->v != v--) bad("the list has changed");
}

[[gnu::noinline]] int deep(int n) {
  volatile char frame[2000];
  frame[n % 2000] = 1;
  return n == 0 ? 0 : deep(n - 1) + frame[n % 2000];
}

// n goroutines that are there all at once; some have been deep in their stacks.
void goroutines(int n) {
  auto start = boot::make_chan<int>(), done = boot::make_chan<int>();
  for (int i = 0; i < n; i++)
    boot::go([=] {
      int k = i % 1000 == 0 ? deep(200) : 0;
      start.recv();
      done.send(k);
    });
  if (deep(20000) != 20000) bad("deep");
  for (int i = 0; i < n; i++) start.send(i);
  int sum = 0;
  for (int i = 0; i < n; i++) sum += done.recv();
  if (sum != (n + 999) / 1000 * 200) bad("{} goroutines: {}", n, sum);
}

struct thousand {
  long v[1000];
};

template <class T>
void zeroes(const char* what, T* p, size_t n) {
  auto c = reinterpret_cast<unsigned char*>(p);
  for (size_t i = 0; i < n * sizeof(T); i++)
    if (c[i] != 0) bad("{}: byte {:#x} of {:#x} is {:#x}", what, i, n * sizeof(T), c[i]);
  memset(c, 0xa5, n * sizeof(T));
}

// Everything that promises zeroes, of sizes that come from classes and from spans of their own.
[[gnu::noinline]] void zeroed() {
  for (size_t n : {1, 10, 100, 1000, 10000, 100000, 1000000}) {
    auto s = boot::make_slice<int>(n);
    zeroes("make_slice<int>", s.data(), n);
    auto q = boot::make_slice<void*>(n);
    zeroes("make_slice<void*>", q.data(), n);
    memset(static_cast<void*>(q.data()), 0, n * sizeof(void*));
    for (auto& v : q) v = reinterpret_cast<void*>(~std::uintptr_t{0});
    auto c = static_cast<char*>(vcalloc(n, 3));
    zeroes("calloc", c, n * 3);
    free(c);
  }
  for (int i = 0; i < 3000; i++) {
    zeroes("New<thousand>", boot::New<thousand>(), 1);
    zeroes("New<int>", boot::New<int>(), 1);
    zeroes("New<array>", boot::New<std::array<void*, 20>>(), 1);
  }
  auto c = boot::make_chan<thousand>(10);
  if (c.len() != 0) bad("a new channel is not empty");
}

}  // namespace

void main_main() {
  std::string_view what = boot::os::Args()[1];
  const size_t max = SIZE_MAX, half = PTRDIFF_MAX;
  if (what == "huge") {
    for (size_t n : {max, max - 1, max - 15, max - 63, max - 4095, max - 4096, max - 8191, max - 8192, max - 16384,
                     max - (1 << 26), max / 2 + 2, half + 1, half, half - 1, half - 15, half - 8192, size_t{1} << 62,
                     size_t{1} << 48, (size_t{1} << 47) + 1}) {
      refused(n);
      collected(n);
    }
    for (size_t n : {size_t{1} << 47, (size_t{1} << 47) - 8192, size_t{1} << 46, size_t{1} << 43}) refused(n);
    // Products that wrap around to something small.
    errno = 0;
    null("calloc", 0, 0, vcalloc(size_t{1} << 32, size_t{1} << 32));
    null("calloc", 0, 0, vcalloc((size_t{1} << 32) + 1, (size_t{1} << 32) + 1));
    null("reallocarray", 0, 0, vreallocarray(nullptr, max / 16 + 2, 16));
    volatile size_t count = max / sizeof(wide) + 2;
    throws("wide[]", count, 64, [&] { sink = ::new wide[count]; });
    panics("runtime error: makeslice: len out of range", [&] { boot::make_slice<wide>(count); });
    panics("makechan: size out of range", [&] { boot::make_chan<int>(-1); });
    void* p = &p;
    for (size_t a : {size_t{0}, size_t{3}, size_t{4}, size_t{24}})
      if (vposix(&p, a, 8) != EINVAL || p != &p) bad("posix_memalign of alignment {}", a);
    auto empty = boot::make_chan<boot::received<int>*>(0);
    if (!empty) bad("no channel");
  } else if (what == "over") {
    // More than the machine has, where the kernel does not promise everything.

    for (size_t n = size_t{1} << 33; n <= size_t{1} << 42; n *= 2) {
      bool promised = false;
      if (void* p = vmalloc(n); p != nullptr) promised = true, free(p);
      if (!promised) refused(n);
    }
  } else if (what == "zero" || what == "kept") {
    // MADV_DONTNEED and MADV_FREE, both with EINVAL as for locked memory.
    if (what == "kept") refuse({{28, 22, 2, 4}, {28, 22, 2, 8}});
    for (int i = 0; i < 8; i++) {
      zeroed();
      runtime::MemStats before, after;
      runtime::ReadMemStats(&before);
      runtime::debug::FreeOSMemory();
      runtime::ReadMemStats(&after);
      if (what == "kept" && after.HeapReleased > before.HeapReleased) bad("released what the kernel did not take");
      if (what == "zero" && after.HeapReleased <= before.HeapReleased && i == 0) bad("nothing was released");
    }
  } else if (what == "munmap") {
    refuse({{11, 1}});
    for (int i = 0; i < 3; i++) {
      goroutines(3000);
      for (int k = 0; k < 3000; k++) runtime::SetFinalizer(boot::New<thousand>(), [](thousand*) {});
      runtime::debug::FreeOSMemory();
    }
  } else if (what == "guards" || what == "fewmaps") {
    // Kernels before 6.13: guards by mprotect, of which the kernel's limit of mappings leaves room for some 32,000.
    refuse({{28, 22, 2, 102}, {440, 22}});
    if (what == "fewmaps") refuse({{10, 12}});  // and where it leaves none at all
    goroutines(what == "guards" ? 70000 : 5000);
  } else {  // under a limit: until nothing is left, then some of it back
    auto eat = [](size_t n) {
      std::vector<void*> all;
      all.reserve(100000);
      errno = 0;
      while (void* p = vmalloc(n)) all.push_back(p), *static_cast<char*>(p) = 1;
      null("malloc", n, 0, nullptr);
      refused(size_t{1} << 31);
      for (void* p : all) free(p);
      if (all.size() * n < 50 << 20) bad("only {} blocks of {}", all.size(), n);
    };
    for (size_t n : {64 << 20, 10 << 20, 1 << 20, 100000, 40000}) eat(n);
    for (int i = 0; i < 3; i++) {
      try {
        std::vector<std::string> v;
        for (;;) v.emplace_back(1 << 20, 'x');
      } catch (const std::bad_alloc&) {}
    }
  }
  well();
  boot::println("{}", what);
}
