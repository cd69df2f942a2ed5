// The table of field offsets in the binary, for debuggers and readers of core files that have no DWARF.
//
// Owns: the layout of 'runtime.gdb_offsets', which tools outside this tree rely on. A reader checks magic and version,
// then walks count entries of entsize bytes each; names it does not know it skips, names it misses it reports.
#pragma once

#include <cstdint>

namespace runtime {

struct gdb_offset {
  char name[40];  // "g.stack.lo"; a size is "g._size", a constant "const.stackPreempt", an address "addr.runtime.m0"
  union {
    std::int64_t value;  // offset, size or the constant itself
    const void* addr;    // of a variable or function, for programs without symbols; null if it is not linked in
  };
  std::uint64_t size;  // of the field; 0 for all others
};

struct gdb_offsets_header {
  char magic[8];  // "BOOTOFF", so that the table can be found without symbols
  std::uint32_t version;
  std::uint32_t count;
  std::uint32_t entsize;
  std::uint32_t reserved;
};

}  // namespace runtime
