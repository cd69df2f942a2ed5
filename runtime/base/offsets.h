// Where the fields are: one list for the assembler and for debuggers.
//
// Owns: BOOT_OFFSETS, a list that is expanded twice. asm/go_asm.cpp makes the names of asm/go_asm.h from it (g.stack.lo
// becomes g_stack_lo), runtime/diag/gdb_table.cpp the table 'runtime.gdb_offsets' in the binary. So neither can say
// anything else than the compiler does, and a field that assembly needs is in reach of debuggers too.
//
//   F(type, member)  a field: its offset and size     SZ(type)  a struct's size: g__size
//   C(name, value)   a constant: const_name
//
// The list includes nothing, since it names types of several layers; who expands it includes what it names.
// Ways not taken: numbers in the .S files with static_asserts beside them (each change then needs two edits), and a
// debugger script that asks DWARF (it would fail on a stripped binary and on its core files).
#pragma once

// Bump it when an entry's meaning changes; an entry that is added, moved or dropped needs no new version.
#define BOOT_OFFSETS_VERSION 1

// clang-format off
#define BOOT_OFFSETS(F, SZ, C)                                                                                         \
  F(g, stack.lo) F(g, stack.hi) F(g, stackguard0) F(g, stackguard1) F(g, _panic) F(g, m)                               \
  F(g, sched) F(g, sched.sp) F(g, sched.pc) F(g, sched.g) F(g, sched.ctxt) F(g, sched.ret) F(g, sched.lr) F(g, sched.bp)              \
  F(g, syscallsp) F(g, syscallpc) F(g, stktopsp) F(g, param) F(g, atomicstatus) F(g, goid) F(g, schedlink)             \
  F(g, waitsince) F(g, waitreason) F(g, preempt) F(g, isSystem)                                                        \
  F(g, sig) F(g, sigcode0) F(g, sigcode1) F(g, sigpc) F(g, lockedm)                                                    \
  F(g, gopc) F(g, ancestors) F(g, startpc) F(g, waiting) F(g, timer) F(g, selectDone) F(g, eh_globals)                 \
  F(g, once_callable) F(g, once_call) F(g, stackbase) F(g, segs) F(g, segnext) F(g, stackslot_hi) SZ(g)                \
  F(gobuf, sp) F(gobuf, pc) F(gobuf, g) F(gobuf, ctxt) F(gobuf, ret) F(gobuf, lr) F(gobuf, bp) SZ(gobuf)               \
  F(stack, lo) F(stack, hi) SZ(stack) F(funcval, fn) F(mutex, key) F(mutex, rank) SZ(mutex) F(note, key)               \
  F(gQueue, head) F(gQueue, tail) SZ(gQueue) F(gList, head) SZ(gList) F(ancestorInfo, pcs) F(ancestorInfo, goid) F(ancestorInfo, gopc)      \
  SZ(ancestorInfo)                                                                                                     \
  F(stackseg, stk.lo) F(stackseg, stk.hi) F(stackseg, size) F(stackseg, next) F(stackseg, outer)                       \
  F(stackseg, outerstack.lo) F(stackseg, outerstack.hi) F(stackseg, outersp) F(stackseg, base) F(stackseg, len) SZ(stackseg)                              \
  F(m, g0) F(m, procid) F(m, gsignal)                                                                                  \
  F(m, goSigStack) F(m, sigmask) F(m, mstartfn) F(m, curg) F(m, caughtsig) F(m, p) F(m, nextp) F(m, oldp)              \
  F(m, tlsbase) F(m, mallocing) F(m, throwing) F(m, preemptoff) F(m, locks) F(m, dying) F(m, id) F(m, spinning)        \
  F(m, blocked) F(m, park) F(m, alllink) F(m, schedlink) F(m, freelink) F(m, lockedg) F(m, lockedExt)                  \
  F(m, lockedInt) F(m, waitunlockf) F(m, waitlock) F(m, preemptGen) F(m, signalPending)                                \
  F(m, nlocksHeld) F(m, locksHeld) F(m, tlsspace) F(m, tls) SZ(m)                                                      \
  F(p, id) F(p, status) F(p, link) F(p, schedtick) F(p, syscalltick) F(p, sysmontick) F(p, m) F(p, mcache)             \
  F(p, goidcache) F(p, goidcacheend) F(p, gFree) F(p, gFreeN) F(p, preempt) F(p, timersLock) F(p, timers)              \
  F(p, numTimers) F(p, timer0When) F(p, runqhead) F(p, runqtail) F(p, runnext) F(p, runq)                              \
  SZ(p)                                                                                                                \
  F(schedt, goidgen) F(schedt, lastpoll) F(schedt, pollUntil) F(schedt, lock) F(schedt, midle) F(schedt, nmidle)       \
  F(schedt, nmidlelocked) F(schedt, mnext) F(schedt, maxmcount) F(schedt, nmsys) F(schedt, nmfreed)                    \
  F(schedt, ngsys) F(schedt, pidle) F(schedt, npidle) F(schedt, nmspinning)                                            \
  F(schedt, runq) F(schedt, runqsize) F(schedt, disable.user) F(schedt, disable.runnable) F(schedt, disable.n)         \
  F(schedt, gFree.stack) F(schedt, gFree.n) F(schedt, freem) F(schedt, gcwaiting)                                      \
  F(schedt, stopwait) F(schedt, sysmonwait) SZ(schedt)                                       \
  F(sudog, g) F(sudog, next) F(sudog, prev) F(sudog, elem) F(sudog, isSelect) F(sudog, success)                        \
  F(sudog, waitlink) F(sudog, c) SZ(sudog)                                                                             \
  F(hchan, qcount) F(hchan, dataqsiz) F(hchan, buf) F(hchan, sendx) F(hchan, recvx) F(hchan, closed)                   \
  F(hchan, elemsize) F(hchan, elemtype) F(hchan, lock) F(hchan, recvq.first) F(hchan, recvq.last)                      \
  F(hchan, sendq.first) F(hchan, sendq.last) SZ(hchan)                                                                 \
  F(timer, pp) F(timer, when) F(timer, period) F(timer, f) F(timer, arg) SZ(timer)                                     \
  F(bootrec, tsc) F(bootrec, desc) F(bootrec, gp) F(bootrec, goid) F(bootrec, mid) F(bootrec, pid)                     \
  F(bootrec, tid) F(bootrec, depth) F(bootrec, val) SZ(bootrec)                                                        \
  F(bootdesc, symbol) F(bootdesc, file) F(bootdesc, line) F(bootdesc, fields) SZ(bootdesc)                             \
  F(sudog, prev) F(sudog, waittail) F(semaRoot, treap) F(semaRoot, nwait) SZ(semaRoot) C(kSemTabSize, kSemTabSize)     \
  C(_StackGuard, StackGuard) C(_StackMin, StackMin) C(_StackSystem, StackSystem) C(_StackSmall, StackSmall)            \
  C(stackPreempt, stackPreempt) C(kBootRecs, kBootRecs) C(kRunqLen, kRunqLen) C(kTLSSpace, kTLSSpace)                  \
  C(kTLSWords, kTLSWords) C(_Gidle, _Gidle) C(_Grunnable, _Grunnable) C(_Grunning, _Grunning)                          \
  C(_Gsyscall, _Gsyscall) C(_Gwaiting, _Gwaiting) C(_Gdead, _Gdead) C(_Gpreempted, _Gpreempted) C(_Gscan, _Gscan)      \
  C(_Pidle, _Pidle) C(_Prunning, _Prunning) C(_Psyscall, _Psyscall) C(_Pgcstop, _Pgcstop) C(_Pdead, _Pdead)            \
  C(waitReasonCount, waitReasonCount)
// clang-format on
