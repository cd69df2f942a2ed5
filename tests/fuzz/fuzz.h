// What a fuzz target is: a function that takes any bytes, and must neither crash nor hang nor break a rule that it checks.
//
// NAME_fuzz.cpp holds one target, FUZZ(NAME) { ... }, with the bytes as `in`; `// SOURCES:` says which of the runtime's
// files it is about. corpus/NAME holds inputs that reach far, and one for each fault that was found. Each target is built in
// two ways: by clang with libFuzzer, which searches (scripts/fuzz), and by gcc with fuzz_main.cpp, which runs the corpus and
// some thousands of changed copies of it, as a test.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <string>
#include <string_view>

namespace fuzz {

// Takes an input apart from the front. Past its end there are zeros.
struct input {
  const std::uint8_t* p;
  std::size_t n;

  template <class T>
  T get() {
    T v{};
    std::size_t k = n < sizeof v ? n : sizeof v;
    std::memcpy(&v, p, k);
    p += k;
    n -= k;
    return v;
  }
  // The next k bytes, or what is left of them, in memory of just that size, where a sanitizer sees a read beside it.
  struct block {
    std::unique_ptr<std::uint8_t[]> mem;
    std::size_t size;
    std::uint8_t* begin() const { return mem.get(); }
    std::uint8_t* end() const { return mem.get() + size; }
  };
  block take(std::size_t k) {
    if (k > n) k = n;
    block b{std::unique_ptr<std::uint8_t[]>(new std::uint8_t[k]), k};
    if (k != 0) std::memcpy(b.begin(), p, k);
    p += k;
    n -= k;
    return b;
  }
  block rest() { return take(n); }
  // Up to the next zero, which is taken, too.
  std::string text() {
    std::size_t k = 0;
    while (k < n && p[k] != 0) k++;
    std::string s(reinterpret_cast<const char*>(p), k);
    p += k + (k < n);
    n -= k + (k < n);
    return s;
  }
};

using target = void (*)(input in);
struct registration {
  registration(const char* name, target run);
};

// Says which rule an input breaks, and dies.
[[noreturn]] inline void broken(const char* file, int line, const char* rule) {
  std::fprintf(stderr, "%s:%d: broken: %s\n", file, line, rule);
  std::abort();
}

}  // namespace fuzz

#define FUZZ_RULE(x) ((x) ? (void)0 : fuzz::broken(__FILE__, __LINE__, #x))

#ifdef BOOT_LIBFUZZER
#define FUZZ(name)                                                                    \
  static void fuzz_##name(fuzz::input in);                                            \
  extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) { \
    fuzz_##name({data, size});                                                        \
    return 0;                                                                         \
  }                                                                                   \
  static void fuzz_##name([[maybe_unused]] fuzz::input in)
#else
#define FUZZ(name)                                                       \
  static void fuzz_##name(fuzz::input in);                               \
  static const fuzz::registration registered_##name(#name, fuzz_##name); \
  static void fuzz_##name([[maybe_unused]] fuzz::input in)
#endif
