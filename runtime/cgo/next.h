// The definition that ours stands before: what `read` of libc is to a program that has one of its own.
//
// dlsym(RTLD_NEXT) would say so, but not at any time: for a name it does not find in the version asked for it allocates a
// message, and an allocator that is a library of its own (jemalloc, heaptrack) takes a mutex for that, by the very
// function that is looked for. And without a version it may find the oldest one: pthread_cond_wait of 2002.
#pragma once

#include "runtime/base/stubs.h"

namespace runtime::cgo {

// The first library after the program that defines name, as its default version. Allocates nothing, takes no lock, and
// may be called before the runtime has started. Ends the program if there is none.
void* nextDefinition(const char* name) noexcept;

template <class F>
F* next(F** at, const char* name) noexcept {
  F* f = __atomic_load_n(at, __ATOMIC_RELAXED);
  if (LIKELY(f != nullptr)) return f;
  f = reinterpret_cast<F*>(nextDefinition(name));
  __atomic_store_n(at, f, __ATOMIC_RELAXED);  // a race finds the same one twice
  return f;
}

}  // namespace runtime::cgo

// The next definition of a function that libc's headers declare.
#define NEXT(name)                           \
  ([] {                                      \
    static decltype(::name)* at;             \
    return ::runtime::cgo::next(&at, #name); \
  }())
