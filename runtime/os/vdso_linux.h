// Reading the vDSO's symbol table. vdso_linux.cpp uses it at the start; tests read real and made-up images with it.
#pragma once

#include <cstdint>
#include <string_view>

#include "runtime/os/elfimage.h"

namespace runtime {

// The tables' addresses are what the image says; each look into them is held against [base, end).
struct vdsoInfo {
  bool valid;
  bool isGNUHash;
  uintptr base, end;   // where the image lies
  uintptr loadOffset;  // what to add to an address in the image's tables
  uintptr symtab, strings;
  uintptr versym;  // 0: symbols have no versions
  uintptr verdef;
  uintptr bucket, chain;
  std::uint32_t nbucket, symOff;
};

// A kernel's image is some pages; one that claims more is not believed.
constexpr uintptr kVdsoMax = 1 << 20;

// readable: no more than these bytes are looked at, whatever the headers say.
void vdsoInitFromSysinfoEhdr(vdsoInfo* v, const Elf64_Ehdr* hdr, uintptr readable = kVdsoMax)
    GOSYM("runtime.vdsoInitFromSysinfoEhdr");
// The index of version LINUX_2.6; 0 if symbols have no versions, -1 if the image does not have this one.
std::int32_t vdsoFindVersion(const vdsoInfo* v) GOSYM("runtime.vdsoFindVersion");
void vdsoParseSymbols(const vdsoInfo* v, std::int32_t version) GOSYM("runtime.vdsoParseSymbols");
// The address of a function, 0 if there is none.
uintptr vdsoLookup(const vdsoInfo* v, std::string_view name, std::int32_t version);

}  // namespace runtime
