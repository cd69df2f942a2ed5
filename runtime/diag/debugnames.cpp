// Debug information that calls the runtime's variables by Go's names: `p 'runtime.sched'` in any gdb.
//
// A variable's own debug information has both names, sched in namespace runtime and the linker's runtime.sched. By which of
// them a debugger finds it is the debugger's choice: gdb 13 takes the linker's, gdb 16 neither ("has unknown type"). So here
// is a compilation unit of DWARF, written by hand, in which the name is simply runtime.sched. It has no bytes in the running
// program. Types are named and not described: debuggers look for the description elsewhere, by the name.
//
// Invariants
//   - This file is compiled with -g0: the compiler's own unit would begin in the middle of this one.
//   - References are weak, and such as keep nothing: a program has the variables it had without this file. Of one that it
//     has not the debugger sees the address 0, which is its sign for that.
//   - That the types are right the compiler checks, below.
#include <type_traits>

#include "runtime/base/bootstep.h"
#include "runtime/base/cpu.h"
#include "runtime/base/hooks.h"
#include "runtime/base/panic.h"
#include "runtime/base/symtab.h"
#include "runtime/gc/mgcwork.h"
#include "runtime/mem/malloc.h"
#include "runtime/mem/mheap.h"
#include "runtime/mem/stack.h"
#include "runtime/os/netpoll.h"
#include "runtime/os/os_linux.h"
#include "runtime/sync/newstack.h"

namespace runtime {

// What the variables below are made of.
#define STRUCTS(X)                                                                                                    \
  X(g)                                                                                                                \
  X(m)                                                                                                                \
  X(p) X(schedt) X(mutex) X(mheap) X(mcache) X(mspan) X(heapArena) X(bootrec) X(moduledata) X(hooks_t) X(cpufeatures) \
      X(debugvars) X(gcWorkState) X(gcControllerState)

// STRUCT(name, type), POINTER(name, what it points to), SLICE(name, pointers to what), ARRAY(name, of what), BASE(name,
// type, which of the basic types).
#define VARIABLES(STRUCT, POINTER, SLICE, ARRAY, BASE)                                                                \
  STRUCT(sched, schedt)                                                                                               \
  STRUCT(g0, g)                                                                                                       \
  STRUCT(m0, m) STRUCT(allglock, mutex) STRUCT(allpLock, mutex) STRUCT(mheap_, mheap) STRUCT(emptymspan, mspan)       \
      STRUCT(firstmoduledata, moduledata) STRUCT(hooks, hooks_t) STRUCT(cpu, cpufeatures) STRUCT(debug, debugvars)    \
          STRUCT(work, gcWorkState) STRUCT(gcController, gcControllerState) POINTER(allm, m) POINTER(mcache0, mcache) \
              SLICE(allgs, g) SLICE(allp, p) ARRAY(bootrecs, bootrec) BASE(gomaxprocs, std::int32_t, i32)             \
                  BASE(ncpu, std::int32_t, i32) BASE(argc, std::int32_t, i32) BASE(exitcode, std::int32_t, i32) BASE( \
                      allglen, std::uint64_t, u64) BASE(runtimeInitTime, std::int64_t, i64)                           \
                      BASE(forcegcperiod, std::int64_t, i64) BASE(zerobase, std::uint64_t, u64) BASE(                 \
                          stackgrowths, std::uint64_t, u64) BASE(iscgo, bool, bool) BASE(mainStarted, bool, bool)     \
                          BASE(boottrace, bool, bool) BASE(crashOnFatal, bool, bool) BASE(useAVXmemmove, bool, bool)  \
                              BASE(useERMSmemmove, bool, bool) BASE(physPageSize, uintptr, u64)                       \
                                  BASE(physHugePageSize, uintptr, u64) BASE(maxstacksize, uintptr, u64)               \
                                      BASE(maxstackceiling, uintptr, u64) BASE(stackHint, uintptr, u64)               \
                                          BASE(arenaHint, uintptr, u64) BASE(mainPC, const uintptr, u64)              \
                                              BASE(worldsema, std::uint32_t, u32) BASE(panicking, std::uint32_t, u32) \
                                                  BASE(nbootrecs, std::uint32_t, u32)                                 \
                                                      BASE(bootrecording, std::uint32_t, u32)                         \
                                                          BASE(runningPanicDefers, std::uint32_t, u32)                \
                                                              BASE(gcBlackenEnabled, std::uint32_t, u32)              \
                                                                  BASE(tracePending, std::uint32_t, u32)              \
                                                                      BASE(netpollWaiters, std::uint32_t, u32) BASE(  \
                                                                          processorVersionInfo, std::uint32_t, u32)   \
                                                                          BASE(cpuidMaxLeaf, std::uint32_t, u32)      \
                                                                              BASE(cpuidFeatures, std::uint32_t, u32) \
                                                                                  BASE(isIntel, std::uint8_t, u8)     \
                                                                                      BASE(lfenceBeforeRdtsc,         \
                                                                                           std::uint8_t, u8)

#define IS(name, ...)          static_assert(std::is_same_v<decltype(name), __VA_ARGS__>, #name " has another type");
#define IS_POINTER(name, type) IS(name, type*)
#define IS_SLICE(name, type)   IS(name, slice<type*>)
#define IS_ARRAY(name, type)   static_assert(std::is_same_v<std::remove_extent_t<decltype(name)>, type>, #name);
#define IS_BASE(name, type, _) IS(name, type)
VARIABLES(IS, IS_POINTER, IS_SLICE, IS_ARRAY, IS_BASE)

// An entry begins with the number of its abbreviation, in the order of the list that is written first. A reference is the
// distance from the unit's begin.
#define REF(label)         ".4byte .Ldn_" label " - .Ldn_unit\n"
#define TYPE_STRUCT(type)  ".Ldn_" #type ": .uleb128 3; .asciz \"" #type "\"\n"
#define TYPE_SLICE(type)   ".Ldn_slice_" #type ": .uleb128 3; .asciz \"slice<runtime::" #type "*>\"\n"
#define TYPE_POINTER(type) ".Ldn_pointer_" #type ": .uleb128 4\n" REF(#type)
#define TYPE_ARRAY(type)   ".Ldn_array_" #type ": .uleb128 5\n" REF(#type) ".uleb128 6\n" REF("u64") ".byte 0\n"
#define TYPE_BASE(label, name, encoding, size) \
  ".Ldn_" label ": .uleb128 7; .asciz \"" name "\"; .byte " encoding ", " size "\n"
#define VARIABLE(name, label)                                        \
  ".weak \"runtime." #name "\"; .uleb128 8; .asciz \"runtime." #name \
  "\"\n" REF(label) ".byte 9, 3; .8byte \"runtime." #name "\"\n"  // a location of 9 bytes: DW_OP_addr and the address
#define VAR_STRUCT(name, type)  VARIABLE(name, #type)
#define VAR_POINTER(name, type) VARIABLE(name, "pointer_" #type)
#define VAR_SLICE(name, type)   VARIABLE(name, "slice_" #type)
#define VAR_ARRAY(name, type)   VARIABLE(name, "array_" #type)
#define VAR_BASE(name, _, base) VARIABLE(name, #base)
#define ABBREV(number, tag, children, attributes) \
  ".uleb128 " number ", " tag "; .byte " children "; .uleb128 " attributes ", 0, 0\n"

__asm__(
    // asm_amd64.S asks for this symbol, so that the linker takes this file from the archive, and keeps it.
    ".pushsection .rodata.debugnames, \"a\"\n"
    ".globl \"runtime.debugnames\"; .hidden \"runtime.debugnames\"\n"
    "\"runtime.debugnames\": .byte 0\n"
    ".popsection\n"
    ".pushsection .debug_abbrev, \"\", @progbits\n"
    ".Ldn_abbrev:\n"
    // Attributes: name 3 as string 8, type 0x49 as reference 0x13, language 0x13 as 2 bytes 5, declaration 0x3c as given 0x19,
    // encoding 0x3e and size 0xb as a byte 0xb, external 0x3f as given, location 2 as expression 0x18.
    ABBREV("1", "0x11", "1", "0x03, 8, 0x13, 5")                // compile_unit
    ABBREV("2", "0x39", "1", "0x03, 8")                         // namespace
    ABBREV("3", "0x13", "0", "0x03, 8, 0x3c, 0x19")             // structure_type
    ABBREV("4", "0x0f", "0", "0x49, 0x13")                      // pointer_type
    ABBREV("5", "0x01", "1", "0x49, 0x13")                      // array_type
    ABBREV("6", "0x21", "0", "0x49, 0x13")                      // subrange_type
    ABBREV("7", "0x24", "0", "0x03, 8, 0x3e, 0x0b, 0x0b, 0x0b")  // base_type
    ABBREV("8", "0x34", "0", "0x03, 8, 0x49, 0x13, 0x3f, 0x19, 0x02, 0x18")  // variable
    ".byte 0\n"
    ".popsection\n"
    ".pushsection .debug_info, \"\", @progbits\n"
    ".Ldn_unit: .4byte .Ldn_end - .Ldn_version\n"
    ".Ldn_version: .2byte 4; .4byte .Ldn_abbrev; .byte 8\n"
    ".uleb128 1; .asciz \"runtime/diag/debugnames.cpp\"; .2byte 0x1a\n"  // C++11
    ".uleb128 2; .asciz \"runtime\"\n"
    STRUCTS(TYPE_STRUCT) TYPE_SLICE(g) TYPE_SLICE(p)
    ".byte 0\n"
    TYPE_POINTER(m) TYPE_POINTER(mcache) TYPE_ARRAY(bootrec)
    TYPE_BASE("bool", "bool", "2", "1") TYPE_BASE("u8", "unsigned char", "8", "1") TYPE_BASE("u32", "unsigned int", "7", "4")
    TYPE_BASE("i32", "int", "5", "4") TYPE_BASE("u64", "unsigned long", "7", "8") TYPE_BASE("i64", "long", "5", "8")
    VARIABLES(VAR_STRUCT, VAR_POINTER, VAR_SLICE, VAR_ARRAY, VAR_BASE)
    ".byte 0\n"
    ".Ldn_end:\n"
    ".popsection\n");

}  // namespace runtime
