// The vDSO's image: headers, dynamic section, symbols, versions, both hash tables.
// SOURCES: runtime/os/vdso_elf.cpp runtime/os/elfimage.cpp
#include "runtime/os/vdso_linux.h"
#include "tests/fuzz/fuzz.h"

using namespace runtime;

FUZZ(vdso) {
  auto image = in.rest();
  auto base = reinterpret_cast<uintptr>(image.begin());
  vdsoInfo v;
  vdsoInitFromSysinfoEhdr(&v, reinterpret_cast<const Elf64_Ehdr*>(base), image.size);
  FUZZ_RULE(!v.valid || (v.base == base && v.end >= base && v.end <= base + image.size));
  std::int32_t version = vdsoFindVersion(&v);
  FUZZ_RULE(version >= -1 && version < 0x8000);
  for (const char* name : {"__vdso_clock_gettime", "a", ""}) {
    uintptr p = vdsoLookup(&v, name, version);
    FUZZ_RULE(p == 0 || (p >= v.base && p < v.end));
    FUZZ_RULE(v.valid || p == 0);
  }
}
