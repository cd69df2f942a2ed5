// What the headers of an ELF image in memory say: where it was put, its segments, its unwind tables.
//
// Owns: the one reader of program headers, for the program, for the vDSO, and for whoever unwinds.
//
// Invariant: a damaged file has damaged headers. Nothing is read outside of what the caller knows to be readable and of
// the segments, which are there, since the kernel has mapped them by these same headers.
#pragma once

#include <elf.h>

#include "runtime/base/symtab.h"

namespace runtime {

struct elfimage {
  uintptr base;  // where the image's first byte lies
  uintptr bias;  // what to add to an address in its headers
  const Elf64_Phdr* phdr;
  uintptr phnum;
};

// The first page of an image is there, whatever its headers say.
constexpr uintptr kELFHeaderPage = 4096;

enum class elfstate { good, badHeader, badProgramHeaders };

// The image at base, of which `readable` bytes can be read. Unless good, it has no program headers (phnum is 0).
elfstate readELF(elfimage* im, uintptr base, uintptr readable);
// The segment, from lo to hi, that the n bytes at a lie in; false if there is none. A segment that can't be read is none.
bool segmentWith(const elfimage& im, uintptr a, uintptr n, uintptr* lo, uintptr* hi);
// The first program header of a type, null if there is none.
const Elf64_Phdr* headerOf(const elfimage& im, std::uint32_t type);
// Where .eh_frame_hdr and .eh_frame lie; false if there is no such header or it leads out of the segments.
bool unwindTables(const elfimage& im, ehTables* t);

}  // namespace runtime
