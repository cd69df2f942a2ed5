// Go's package runtime/debug: limits that a program may set for itself.
#pragma once

#include <cstdint>

namespace runtime::debug {

// The most threads the program may have; one more is "thread exhaustion", which is fatal. Returns the old limit (10000).
std::int32_t SetMaxThreads(std::int32_t n) __asm__("runtime.debug.SetMaxThreads");
// The most bytes a goroutine's stack may have; beyond it is "stack overflow". Returns the old limit (1e9).
std::int64_t SetMaxStack(std::int64_t n) __asm__("runtime.debug.SetMaxStack");
// How much a fatal end tells, in the words of GOTRACEBACK: none, single, all, system, crash, or a number. Never less than
// what GOTRACEBACK asks for.
void SetTraceback(const char* level) __asm__("runtime.debug.SetTraceback");

}  // namespace runtime::debug
