// Where the waiters of semaphores are kept (sema.cpp owns the rules), for those who draw who waits for whom.
#pragma once

#include "runtime/base/stubs.h"

namespace runtime {

// Prime, so that addresses with a common stride spread.
constexpr std::size_t kSemTabSize = 251;

struct alignas(64) semaRoot {
  mutex lock;
  sudog* treap;         // lock; by address, prev and next are the children, more waiters on one address behind waitlink
  std::uint32_t nwait;  // atomic: waiters; read without the lock
};

extern semaRoot semtable[kSemTabSize] GOSYM("runtime.semtable");

}  // namespace runtime
