// Go's package runtime as far as a program uses it, under Go's names.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

namespace runtime {

// Lets other goroutines run; this one goes to the end of the global queue.
void Gosched() __asm__("runtime.Gosched");
// Sets the number of Ps and returns the old one; n < 1 changes nothing.
std::int32_t GOMAXPROCS(std::int32_t n) __asm__("runtime.GOMAXPROCS");
// CPUs that this process may use: affinity and the cgroup's limit, as found at the start.
std::int32_t NumCPU() __asm__("runtime.NumCPU");
// Goroutines that exist, the runtime's own not counted.
std::int32_t NumGoroutine() __asm__("runtime.NumGoroutine");
// Ties the calling goroutine to its thread until UnlockOSThread has been called as often. A goroutine that ends while
// tied ends its thread, too.
void LockOSThread() __asm__("runtime.LockOSThread");
void UnlockOSThread() __asm__("runtime.UnlockOSThread");

// Writes the traceback of the calling goroutine into buf, as a crash would print it, and with all those of the others,
// whom it stops meanwhile. Returns the length; what does not fit is cut off.
std::size_t Stack(char* buf, std::size_t n, bool all) __asm__("runtime.Stack");
inline std::size_t Stack(std::span<char> buf, bool all) { return Stack(buf.data(), buf.size(), all); }

struct callerinfo {
  std::uintptr_t pc;
  const char* func;  // null if the program was linked without its table of lines
  const char* file;
  std::int32_t line;
};
// Where the calling goroutine is: skip = 0 is the caller of Caller, 1 its caller. False if there are not so many.
bool Caller(int skip, callerinfo* out) __asm__("runtime.Caller");

}  // namespace runtime
