// Running one static constructor, and GODEBUG=inittrace=1, which tells how long each took. In both modes.
#include <cstddef>

#include "runtime/base/print.h"
#include "runtime/base/runtime1.h"
#include "runtime/cxx/cxx.h"
#include "runtime/diag/symtab.h"
#include "runtime/os/os_linux.h"

namespace runtime::cxx {

// GODEBUG=inittrace=1: a line for each thing that runs before main_main, in Go's format. Go's has the memory allocated
// too, which is not counted here.
void inittrace(const char* name, std::int64_t start, std::int64_t end) {
  // Two digits that count: 0.022 ms, 0.22 ms, 2.2 ms.
  auto ms = [](char* buf, std::size_t n, std::int64_t ns) {
    if (ns < 1000) return snprint(buf, n, "0");
    if (ns >= 10000000) return snprint(buf, n, "{}", ns / 1000000);
    std::int64_t us = ns / 1000, scale = us >= 1000 ? 100 : us >= 100 ? 10 : 1;
    int digits = us >= 1000 ? 1 : us >= 100 ? 2 : 3;
    return snprint(buf, n, "{}.{:0{}}", us / 1000, us % 1000 / scale, digits);
  };
  char at[24], clock[24];
  at[ms(at, sizeof at - 1, start - runtimeInitTime)] = 0;
  clock[ms(clock, sizeof clock - 1, end - start)] = 0;
  printf("init {} @{} ms, {} ms clock\n", name, at, clock);
}

void runInit(const initfn* f) {
  if (LIKELY(debug.inittrace == 0)) {
    (*f)(argc, argv, envp);
    return;
  }
  std::int64_t start = nanotime();
  (*f)(argc, argv, envp);
  std::int64_t end = nanotime();
  // What a file's constructors are called by is a name of the compiler's; the file's tells more.
  funcloc loc[8];
  auto pc = reinterpret_cast<uintptr>(*f);
  int n = pclookup(pc, loc, 8);
  const char* name = n > 0 && loc[n - 1].file != nullptr ? loc[n - 1].file : findfunc(pc).name;
  inittrace(name != nullptr ? name : "?", start, end);
}

}  // namespace runtime::cxx
