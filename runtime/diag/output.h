// Output of programs: what os::Write, println, printf and C's write have in common.
//
// Owns: Go's rule for a descriptor that nobody reads any more. A write to 1 or 2 that ends in EPIPE ends the program by
// SIGPIPE, unless it asked for that signal or ignores it: a filter in front of `head` stops. On other descriptors EPIPE
// is an error as any other. What libc writes itself is found by the signal's handler (signal_unix.cpp).
//
// The runtime's own reports (base/print.h) do not come by here: they are no output, and whoever closes standard error
// does not end the program by it, as in Go.
#pragma once

#include <cstddef>
#include <cstdint>

namespace runtime {

struct ucontext;

// One write(2), whose goroutine lets its P go meanwhile: the number of bytes, or -errno.
std::ptrdiff_t writeSome(int fd, const void* p, std::size_t n);
// All n bytes, through partial writes, interrupts and a descriptor that is not ready: n, or what was written before an
// error, or -errno if that is nothing.
std::ptrdiff_t writeFull(int fd, const void* p, std::size_t n);

// For SIGPIPE's handler: was it raised by a write to 1 or 2 that libc has made (hosted mode's printf, cout)? A system
// call that the program makes by itself has its error, as in Go.
bool brokenOutput(std::uint32_t sig, const ucontext* ctx);

}  // namespace runtime
