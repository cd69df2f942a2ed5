// Reading the vDSO's symbol table. vdso_linux.cpp uses it at the start; tests read real and made-up images with it.
#pragma once

#include <elf.h>

#include <cstdint>
#include <string_view>

#include "runtime/base/stubs.h"

namespace runtime {

struct vdsoInfo {
  bool valid;
  bool isGNUHash;
  uintptr base, end;   // where the image lies
  uintptr loadOffset;  // what to add to an address in the image's tables
  const Elf64_Sym* symtab;
  const char* strings;
  const std::uint16_t* versym;  // null: symbols have no versions
  const Elf64_Verdef* verdef;
  const std::uint32_t *bucket, *chain;
  std::uint32_t nbucket, symOff;
};

void vdsoInitFromSysinfoEhdr(vdsoInfo* v, const Elf64_Ehdr* hdr) GOSYM("runtime.vdsoInitFromSysinfoEhdr");
// The index of version LINUX_2.6; 0 if symbols have no versions, -1 if the image does not have this one.
std::int32_t vdsoFindVersion(const vdsoInfo* v) GOSYM("runtime.vdsoFindVersion");
void vdsoParseSymbols(const vdsoInfo* v, std::int32_t version) GOSYM("runtime.vdsoParseSymbols");
// The address of a function, 0 if there is none.
uintptr vdsoLookup(const vdsoInfo* v, std::string_view name, std::int32_t version);

}  // namespace runtime
