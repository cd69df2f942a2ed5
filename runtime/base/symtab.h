// The images in memory whose code may stand in a traceback: the program and the vDSO.
//
// Owns: moduledata. moduledataverify (schedinit) checks the program's before anything trusts it, modulesinit fills the
// list. The names of functions and lines are diag's matter; this is about where code, unwind tables and data lie.
#pragma once

#include "runtime/base/stubs.h"

namespace runtime {

// An image's unwind tables: the sorted one of .eh_frame_hdr, and the memory in which the entries of .eh_frame lie.
struct ehTables {
  const std::uint8_t *hdr, *hdrEnd;  // null: no unwind table
  const std::uint8_t *lo, *hi;
};

struct moduledata {
  const char* name;     // "" is the program
  uintptr bias;         // what to add to an address in the image's headers (0 unless it is a PIE)
  uintptr text, etext;  // the executable segment
  uintptr data, edata;  // the writable segment: globals, which are roots of the collector
  const void* phdr;     // Elf64_Phdr[phnum]
  uintptr phnum;
  ehTables eh;
  uintptr tls, tlsFileSize, tlsSize, tlsAlign;  // PT_TLS: what thread_locals start as; size 0: there are none
  moduledata* next;
};
extern moduledata firstmoduledata GOSYM("runtime.firstmoduledata");
extern moduledata* modulesSlice GOSYM("runtime.modulesSlice");  // init (modulesinit)

// Throws if the program's headers are not what the rest of the runtime expects.
void moduledataverify() GOSYM("runtime.moduledataverify");
void moduledataverify1(moduledata* md) GOSYM("runtime.moduledataverify1");
void modulesinit() GOSYM("runtime.modulesinit");
// The image that pc lies in, null if none. Async-signal-safe.
const moduledata* findmoduledatap(uintptr pc) GOSYM("runtime.findmoduledatap");

}  // namespace runtime
