// The stack of a panic that nobody catches, kept for who looks at the core.
//
// Deferred functions run before the report, as in Go. There they run on top of the stack that has panicked, and a core
// shows where that was. Here they run by unwinding: each takes the place of the frames that it was called through. But
// the unwinder's first phase knows that nobody will catch, while the stack is whole. So it is copied then; when the
// unwinding has come to the goroutine's end the copy is put back, and the goroutine goes on where the copy was made, in
// gopersonality, which reports: under it lie the unwinder, who has thrown, and all its callers with their locals.
//
// Locals are those of the moment of the panic. What they point to is as the destructors have left it.
//
// Invariants
//   - Nothing that is needed after the return lies on that stack: the report's text is in the keptstack.
//   - Segments that the unwinding has left are still the goroutine's, unless a collection has cut them off: then the
//     report is made without the frames, as if there were no copy.
//
// Ways not taken: deferred functions alone, called on top of the stack (Go's way): a std::lock_guard between them would
// not unlock, and the next deferred function that locks would wait for ever. A forked child that keeps the memory: it has
// one thread.
#include "boot/panic_impl.h"
#include "runtime/mem/stack.h"
#include "runtime/os/os_linux.h"

namespace boot::detail {

using runtime::g;
using runtime::stackseg;

namespace {

constexpr uintptr kMostBytes = 16 << 20;  // of a deeper stack the innermost part

void copy(void* to, const void* from, uintptr n) {
  // Not by a function that a sanitizer watches: it would find the gaps between locals.
  __asm__ volatile("rep movsb" : "+D"(to), "+S"(from), "+c"(n) : : "memory");
}

bool owned(const g* gp, const stackseg* want) {
  for (const stackseg* s = gp->segs; s != nullptr; s = s->outer)
    if (s == want) return true;
  for (const stackseg* s = gp->segnext; s != nullptr; s = s->next)
    if (s == want) return true;
  return false;
}

// On g0, after mcall by keepStack.
void save(g* gp) {
  keptstack* k = unwindstate::of(gp)->kept;
  k->at = gp->sched;
  k->bounds = gp->stack;
  k->guard = gp->stackguard0;
  for (stackseg* s = gp->segs; s != nullptr && k->nsegs < keptstack::kMostSegs; s = s->outer)
    k->segs[k->nsegs++] = {s, s->outer, s->outerstack, s->outersp};
  uintptr total = 0;
  runtime::eachStackRange(gp, gp->sched.sp, [&](uintptr lo, uintptr hi) {
    if (hi - lo > kMostBytes - total) hi = lo + (kMostBytes - total);
    if (k->nparts <= keptstack::kMostSegs && hi > lo) k->parts[k->nparts++] = {lo, hi - lo};
    total += hi - lo;
  });
  k->bytes = (total + 4095) & ~uintptr{4095};
  k->memory = static_cast<char*>(runtime::sysAllocOS(k->bytes, true));
  char* at = k->memory;
  for (int i = 0; at != nullptr && i < k->nparts; i++) {
    copy(at, reinterpret_cast<const void*>(k->parts[i].lo), k->parts[i].n);
    at += k->parts[i].n;
  }
  runtime::gogo(&gp->sched);
}

// On g0, after mcall by goBack.
void restore(g* gp) {
  keptstack* k = unwindstate::of(gp)->kept;
  for (int i = 0; i < k->nsegs; i++) {
    k->segs[i].s->outer = k->segs[i].outer;
    k->segs[i].s->outerstack = k->segs[i].outerstack;
    k->segs[i].s->outersp = k->segs[i].outersp;
  }
  gp->segs = k->nsegs != 0 ? k->segs[0].s : nullptr;
  if (gp->segs != nullptr) gp->segnext = gp->segs->next;
  gp->stack = k->bounds;
  gp->stackguard0 = k->guard;
  const char* at = k->memory;
  for (int i = 0; i < k->nparts; i++) {
    copy(reinterpret_cast<void*>(k->parts[i].lo), at, k->parts[i].n);
    at += k->parts[i].n;
  }
  gp->sched = k->at;
  runtime::gogo(&gp->sched);
}

}  // namespace

keptstack::~keptstack() {
  if (memory != nullptr) runtime::sysFreeOS(memory, bytes);
}

bool keepStack(g* gp) {
  auto* k = unwindstate::of(gp)->kept = new keptstack;
  runtime::mcall(save);
  return k->back;  // the second time from goBack
}

void goBack(g* gp) {
  keptstack* k = unwindstate::of(gp)->kept;
  if (k == nullptr || k->memory == nullptr) return;
  for (int i = 0; i < k->nsegs; i++)
    if (!owned(gp, k->segs[i].s)) return;
  k->back = true;
  runtime::mcall(restore);
}

}  // namespace boot::detail
