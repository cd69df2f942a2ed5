// CLAIMS: [C42]
// PROCS: 1 2
// TIMEOUT: 60
// EXIT: 2
// STDERR-MATCH: ^runtime: goroutine stack exceeds 1000000000-byte limit
// STDERR-MATCH: ^runtime: sp=0x[0-9a-f]+ stack=\[0x[0-9a-f]+, 0x[0-9a-f]+\]
// STDERR-MATCH: ^fatal error: stack overflow
// STDERR-MATCH: ^goroutine 1 \[running\]:
// A recursion without end is stopped by Go's limit and Go's words.
#include <boot/boot.h>

static volatile long one = 1;
[[gnu::noinline]] long f(long n) {
  if (n < 0) return 0;  // never, but the compiler must not know
  return f(n + one) + one;
}

void main_main() { boot::println("{}", f(1)); }
