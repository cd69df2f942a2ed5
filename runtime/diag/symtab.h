// From a pc to function, file and line, without libc and without DWARF.
//
// Owns: the format of the table that scripts/pclntab.py makes after a program has been linked and puts in by a second
// link (section .gopclntab). Writer and reader share the version number; a table of another version is not used.
//
// Way not taken: reading .debug_line at crash time. It is not loaded, is gone after strip, and needs a file to be
// opened in a process that may have no descriptor left.
#pragma once

#include "runtime/base/stubs.h"

namespace runtime {

// Numbers marked "leb" are of variable length, seven bits a byte, low ones first; signed ones are folded (0, -1, 1, -2
// …). Fixed-size entries for all of it would make the table three times as large, larger than the text it describes.
struct pclntab {               // all offsets are from the start of the table
  std::uint32_t magic;         // kPclnMagic
  std::uint32_t version;       // kPclnVersion
  std::int64_t text;           // address that the functions' pcs count from, itself counted from the table: an image
                               // may be loaded anywhere
  std::uint32_t nfunc, funcs;  // pclnfunc[nfunc], by pc
  std::uint32_t nname, names;  // u32[nname]: names of inlined functions, offsets into the strings
  std::uint32_t nfile, files;  // u32[nfile]: the same of files
  // A place: leb name index * 2 + hidden (0: the function itself), leb file index, leb line, leb distance back to the
  // place that this one was inlined into (0: not inlined).
  std::uint32_t locs;
  // A function's rows: leb count, then for each row leb pc and signed leb offset into locs, both as differences.
  // With kFuncPlain, when nothing is inlined in it: leb count, leb file index, then leb pc and signed leb line.
  std::uint32_t rows;
  std::uint32_t strings, size, reserved;
};
constexpr std::uint32_t kPclnMagic = 0x6e6c6350, kPclnVersion = 3;  // "Pcln"

struct pclnfunc {      // where the next begins it ends; the last of the table is an end only
  std::uint32_t pc;    // where the function lies
  std::uint32_t name;  // in the strings; 0: no function
  std::uint32_t rows;  // offset into rows, 0: it has none; flags may be added
};
// The runtime's own: shown under GOTRACEBACK=system only.
constexpr std::uint32_t kFuncHidden = 0x80000000;
// Most of a program's functions, those of the runtime above all: the rows hold lines, and the table is a quarter smaller.
constexpr std::uint32_t kFuncPlain = 0x40000000, kFuncFlags = kFuncHidden | kFuncPlain;

struct funcloc {
  const char* func;
  const char* file;  // null: unknown
  std::int32_t line;
  bool inlined;
  bool hidden;
};
struct funcinfo {
  const char* name;  // null: pc is in no function of the table
  uintptr entry, size;
  bool hidden;
};

// What lies at pc, inlined functions first, the function that was called last; at most n. 0: pc is in no function.
int pclookup(uintptr pc, funcloc* out, int n);
funcinfo findfunc(uintptr pc) GOSYM("runtime.findfunc");
// The same in a table of at most `size` bytes.
int pclookupIn(const pclntab* t, std::uint64_t size, uintptr pc, funcloc* out, int n);
funcinfo findfuncIn(const pclntab* t, std::uint64_t size, uintptr pc);

}  // namespace runtime
