// Interface values: the tables that bind an interface's methods to a type's. (Go's iface.go and part of type.go.)
//
// An interface value is two words: an itab and a pointer to the data. The itab is made once for each pair of interface
// and concrete type and holds, besides the two, the code of each method in the interface's order.
//
//   - A pair that the program converts by name is made by the compiler, in the section boot_itabs; itabsinit puts all of
//     them into the hash table.
//   - A pair met only at run time, in a type assertion, is made by getitab from the methods that the type lists
//     (BOOT_METHODS), compared by name and signature, and added to the table. A pair that does not fit is added too, so
//     that asking again is cheap.
#pragma once

#include "runtime/base/stubs.h"

namespace runtime {

// A method by name and signature. sig is the address of an object that exists once for each signature.
struct imethod {
  const char* name;
  const void* sig;
};
struct method {
  const char* name;
  const void* sig;
  void (*fn)();
};

struct rtype {       // a concrete type
  const char* name;  // as C++ writes it; not zero-terminated
  std::uint32_t namelen;
  std::uint32_t hash;
  bool builtin;  // int and the like: belongs to no package
};

struct interfacetype {
  const char* name;
  std::uint32_t namelen;
  std::uint32_t hash;
  const imethod* methods;
  std::uint32_t nmethods;
};

// A type's list of methods, in the section boot_methods.
struct uncommontype {
  const rtype* typ;
  const method* methods;
  std::uint64_t nmethods;
};

struct itab {
  const interfacetype* inter;
  const rtype* typ;
  std::uint32_t hash;  // copy of typ->hash
  std::uint32_t bad;   // 1: typ lacks a method; kept so that the next question is answered at once
  const void* fun;     // array of nmethods function pointers; the interface's own struct is one
};

// schedinit: fills the hash table from the linker's section.
void itabsinit() GOSYM("runtime.itabsinit");
// The itab of a pair. Null if typ does not implement inter; then *missing, if asked for, is the first name, in
// alphabetical order, of a method that typ lacks.
const itab* getitab(const interfacetype* inter, const rtype* typ, const char** missing) GOSYM("runtime.getitab");
void itabAdd(const itab* m) GOSYM("runtime.itabAdd");  // itabLock held, or before a second thread runs
std::uint64_t itabcount();                             // pairs in the table

}  // namespace runtime
