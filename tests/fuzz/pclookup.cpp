// Looks up pcs in a program's table of functions and lines, by the runtime's reader, from outside: `pclookup PROGRAM` reads
// addresses from its input, one a line, and prints for each the function and, innermost first, FILE:LINE.
// SOURCES: runtime/diag/symtab.cpp
#include <elf.h>

#include <cinttypes>
#include <cstdio>
#include <cstring>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

#include "runtime/diag/symtab.h"

using namespace runtime;

int main(int argc, char** argv) {
  if (argc != 2) return std::fprintf(stderr, "usage: %s PROGRAM <ADDRESSES\n", argv[0]), 2;
  std::ifstream in(argv[1], std::ios::binary);
  std::vector<char> file{std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
  Elf64_Ehdr eh;
  if (file.size() < sizeof eh) return std::fprintf(stderr, "can't read %s\n", argv[1]), 2;
  std::memcpy(&eh, file.data(), sizeof eh);
  auto section = [&](unsigned i) {
    Elf64_Shdr s;
    std::memcpy(&s, file.data() + eh.e_shoff + i * sizeof s, sizeof s);
    return s;
  };
  Elf64_Shdr names = section(eh.e_shstrndx);
  for (unsigned i = 0; i < eh.e_shnum; i++) {
    Elf64_Shdr s = section(i);
    if (std::strcmp(file.data() + names.sh_offset + s.sh_name, ".gopclntab") != 0) continue;
    // A copy of just this size, at another place: the pcs move with it.
    std::vector<char> table(file.data() + s.sh_offset, file.data() + s.sh_offset + s.sh_size);
    auto t = reinterpret_cast<const pclntab*>(table.data());
    for (std::uint64_t pc; std::scanf("%" SCNx64, &pc) == 1;) {
      funcloc loc[32];
      int n = pclookupIn(t, table.size(), reinterpret_cast<uintptr>(t) + (pc - s.sh_addr), loc, 32);
      std::printf("%#" PRIx64 "\t%s", pc, n > 0 ? loc[n - 1].func : "");
      for (int k = 0; k < n; k++)
        if (loc[k].file != nullptr) std::printf("\t%s:%d", loc[k].file, loc[k].line);
      std::printf("\n");
    }
    return 0;
  }
  return std::fprintf(stderr, "%s has no .gopclntab\n", argv[1]), 2;
}
