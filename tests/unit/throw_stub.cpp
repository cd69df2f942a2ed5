// throw for code that is tested without the runtime: a broken invariant ends the tests.
#include <cstdio>
#include <cstdlib>

#include "runtime/base/panic.h"

namespace runtime {

[[noreturn, gnu::noinline, gnu::cold]] void throw_(const char* s) {
  std::fprintf(stderr, "fatal error: %s\n", s);
  std::abort();
}

}  // namespace runtime
