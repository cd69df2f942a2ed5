// Attributes, getg, and the routines written in assembly.
//
// Owns: the names by which C++ reaches asm/, and the rules of the stack switches.
//
// Invariants
//   - getg() never changes inside one C++ function: a goroutine takes its g along, and code that runs on g0 was
//     entered through mcall or systemstack. So the compiler may keep the value.
//   - m and p do change at every call that may park. Read them again after such a call; user code (headers under
//     boot/) never reads them inline, because it can be preempted between the read and the use.
//   - mcall and gogo save no register but sp, pc and bp: mcall's inline wrapper declares all others clobbered, so the
//     compiler saves just what is live. The alternative, a routine that pushes the callee-saved registers itself,
//     costs ten memory operations a switch and hides the values from debuggers.
#pragma once

#include "runtime/base/runtime2.h"

// The ELF symbol of a function or variable, so that a breakpoint list written for Go works here. Names with
// parentheses need quotes of their own for the assembler: GOSYM("\"runtime.(*p).init\"").
#define GOSYM(name) __asm__(name)
// A function that a reader of Go expects to find as one, with one entry: never inlined, never cloned.
#define LANDMARK [[gnu::noinline, gnu::noclone]]
// As LANDMARK, and the optimiser may not specialise calls to it: for steps of the start, where speed is no matter.
#define BOOTMARK      [[gnu::noipa]]
#define ALWAYS_INLINE [[gnu::always_inline]] inline
// A large table that a small program does not touch. They lie together (asm/text.ld), so that all the small variables do,
// too: each page that a start touches costs it microseconds.
#define BIGTABLE    [[gnu::section(".bss.tables")]]
#define LIKELY(x)   __builtin_expect(!!(x), 1)
#define UNLIKELY(x) __builtin_expect(!!(x), 0)

namespace runtime {

// The running g. See the head of the file for why this may be pure.
ALWAYS_INLINE g* getg() {
  g* gp;
  __asm__("movq %%fs:-8, %0" : "=r"(gp));
  return gp;
}

// This M's copy of the running g's stackguard0, where the prologue of user code looks.
ALWAYS_INLINE void setguard(uintptr guard) { __asm__ volatile("movq %0, %%fs:0x70" ::"r"(guard) : "memory"); }
ALWAYS_INLINE uintptr getguard() {
  uintptr v;
  __asm__ volatile("movq %%fs:0x70, %0" : "=r"(v));
  return v;
}

extern "C++" {
// asm_amd64.S
void rt0_go() GOSYM("runtime.rt0_go");
void mcall_asm(void (*fn)(g*)) GOSYM("runtime.mcall");
void systemstack_asm(void (*fn)(void*), void* arg) GOSYM("runtime.systemstack");
void gogo(gobuf* buf) GOSYM("runtime.gogo");
void gosavegogo_asm(g* gp, gobuf* buf) GOSYM("runtime.gosavegogo");
[[noreturn]] void gogoexit(g* gp, gobuf* buf) GOSYM("runtime.gogoexit");
void goexit() GOSYM("runtime.goexit");
void mstart() GOSYM("runtime.mstart");
[[noreturn]] void abort() GOSYM("runtime.abort");
void asminit() GOSYM("runtime.asminit");
std::uint64_t cputicks() GOSYM("runtime.cputicks");
void procyield(std::uint32_t cycles) GOSYM("runtime.procyield");
void publicationBarrier() GOSYM("runtime.publicationBarrier");
extern const uintptr mainPC GOSYM("runtime.mainPC");  // read-only: the address of runtime.main (C29)
}

// The pc that a goroutine's function returns to is goexit + PCQuantum: one past the first instruction, so that a
// traceback, which looks up pc-1, finds goexit.
constexpr uintptr PCQuantum = 1;

// Switches from the running goroutine to this M's g0 and calls fn(g) there; fn never returns. Somebody's gogo brings
// the goroutine back to the instruction after this. Panics (throw) when already on g0.
ALWAYS_INLINE void mcall(void (*fn)(g*)) {
  __asm__ volatile("call runtime.mcall"
                   : "+D"(fn)
                   :
                   : "rax", "rbx", "rcx", "rdx", "rsi", "r8", "r9", "r10", "r11", "r12", "r13", "r14", "r15", "xmm0",
                     "xmm1", "xmm2", "xmm3", "xmm4", "xmm5", "xmm6", "xmm7", "xmm8", "xmm9", "xmm10", "xmm11", "xmm12",
                     "xmm13", "xmm14", "xmm15", "memory", "cc");
}

// Saves where gp, the running goroutine, is, as mcall does, and goes on with another by gogo(buf).
ALWAYS_INLINE void gosavegogo(g* gp, gobuf* buf) {
  __asm__ volatile("call runtime.gosavegogo"
                   : "+D"(gp), "+S"(buf)
                   :
                   : "rax", "rbx", "rcx", "rdx", "r8", "r9", "r10", "r11", "r12", "r13", "r14", "r15", "xmm0", "xmm1",
                     "xmm2", "xmm3", "xmm4", "xmm5", "xmm6", "xmm7", "xmm8", "xmm9", "xmm10", "xmm11", "xmm12", "xmm13",
                     "xmm14", "xmm15", "memory", "cc");
}

// Runs f on the M's g0 and returns; on g0 already it is a plain call. f must not park, and cannot be preempted.
template <class F>
ALWAYS_INLINE void systemstack(F&& f) {
  auto fp = &f;
  systemstack_asm([](void* a) { (*static_cast<decltype(fp)>(a))(); }, const_cast<void*>(static_cast<const void*>(fp)));
}

// The pc and sp of the caller of the function this stands in.
#define getcallerpc() (reinterpret_cast<::runtime::uintptr>(__builtin_return_address(0)))
#define getcallersp() (reinterpret_cast<::runtime::uintptr>(__builtin_frame_address(0)) + 16)

// acquirem pins the running goroutine to its M and keeps it from being preempted until releasem.
ALWAYS_INLINE m* acquirem() {
  m* mp = getg()->m;
  mp->locks++;
  return mp;
}
ALWAYS_INLINE void releasem(m* mp) {
  mp->locks--;
  g* gp = getg();
  // A preemption that arrived while locks were held was put off: ask for it again.
  if (UNLIKELY(mp->locks == 0 && gp->preempt)) {
    gp->stackguard0 = stackPreempt;
    setguard(stackPreempt);
  }
}

// Pseudo-random numbers, per M, not for secrets. fastrand uses the M's state; seeded by mcommoninit.
ALWAYS_INLINE std::uint32_t fastrand() {
  m* mp = getg()->m;
  mp->fastrand += 0xa0761d6478bd642fULL;
  unsigned __int128 t = static_cast<unsigned __int128>(mp->fastrand) * (mp->fastrand ^ 0xe7037ed1a0b428dbULL);
  return static_cast<std::uint32_t>(static_cast<std::uint64_t>(t >> 64) ^ static_cast<std::uint64_t>(t));
}
ALWAYS_INLINE std::uint32_t fastrandn(std::uint32_t n) {  // [0, n)
  return static_cast<std::uint32_t>((static_cast<std::uint64_t>(fastrand()) * n) >> 32);
}

}  // namespace runtime
