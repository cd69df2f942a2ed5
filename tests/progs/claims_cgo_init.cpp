// A program that has _cgo_init, as hosted mode has: rt0_go calls it with (&g0, setg) instead of setting up TLS itself,
// and sets g0's guards afterwards.
// CLAIMS: [C07]
// RUN: strace -f -e trace=arch_prctl -o log %prog && grep -c ARCH_SET_FS log
// STDOUT-NOT: ^FAILED
// STDOUT-MATCH: ^5 checks$
// STDOUT-MATCH: ^1$
#include "claims.h"

namespace {

struct {
  runtime::g* gp;
  void (*setg)(runtime::g*);
  runtime::uintptr lo, guard, fs;
} seen;

}  // namespace

// On g0, before TLS: nothing may be used that needs it, the stack check least of all. Hosted mode's asks libc for the
// thread pointer; this one sets FS as settls would have, and makes g0's stack smaller to see that its bounds count.
[[gnu::no_split_stack]] static void init(runtime::g* gp, void (*setg)(runtime::g*));
static void init(runtime::g* gp, void (*setg)(runtime::g*)) {
  seen.gp = gp;
  seen.setg = setg;
  __asm__ volatile("rdfsbase %0" : "=r"(seen.fs));
  gp->stack.lo += 4096;
  seen.lo = gp->stack.lo;
  auto fs = reinterpret_cast<runtime::uintptr>(&runtime::m0.tls[1]);
  runtime::m0.tls[1] = fs;
  runtime::m0.tlsbase = fs;
  runtime::syscall6(158 /* arch_prctl */, 0x1002 /* ARCH_SET_FS */, static_cast<long>(fs));
  setg(gp);
  seen.guard = runtime::m0.tls[0];
}
extern "C" {  // as in Go, a variable that holds the function's address
extern void (*_cgo_init)(runtime::g*, void (*)(runtime::g*));
void (*_cgo_init)(runtime::g*, void (*)(runtime::g*)) = init;
}

void main_main() {
  using claims::check;
  check("C07", "_cgo_init got &g0", seen.gp == &runtime::g0);
  check("C07", "it was called before the runtime had set FS", seen.fs == 0);
  check("C07", "setg stores g where getg finds it", seen.guard == reinterpret_cast<runtime::uintptr>(&runtime::g0));
  check("C07", "g0's bounds are those it set", runtime::g0.stack.lo == seen.lo);
  check("C07", "g0's guards are stack.lo + StackGuard",
        runtime::g0.stackguard0 == seen.lo + runtime::StackGuard &&
            runtime::g0.stackguard1 == seen.lo + runtime::StackGuard);
  claims::done();
}
