// A P's run queue, on a P of the test's own: runnext, the ring, its overflow; and goroutines held back by
// sched.disable.user.
// CLAIMS: [C25] [C36] [C39]
// PROCS: 1
// ENV: GODEBUG=asyncpreemptoff=1
// STDOUT-NOT: ^FAILED
// STDOUT-MATCH: ^14 checks$
#include "claims.h"

using claims::check;
using namespace runtime;

namespace {

p pp;
g gs[600];

// What was found while the P must not be given away: printing is a system call, in which sysmon may take it.
struct {
  const char *tag, *what;
  bool ok;
} notes[16];
int nnotes;

void note(const char* tag, const char* what, bool ok) { notes[nnotes++] = {tag, what, ok}; }

void runnext() {
  note("C25", "a new P's queue is empty", runqempty(&pp));
  runqput(&pp, &gs[0], true);
  note("C36", "next = true: the G takes runnext", pp.runnext == &gs[0] && pp.runqhead == pp.runqtail);
  note("C25", "with a G in runnext it is not empty", !runqempty(&pp));
  runqput(&pp, &gs[1], true);
  note("C36", "the old one is kicked to the tail of the ring",
       pp.runnext == &gs[1] && pp.runqtail - pp.runqhead == 1 && pp.runq[pp.runqhead % kRunqLen] == &gs[0]);
  runqput(&pp, &gs[2], false);
  note("C36", "next = false: to the tail", pp.runnext == &gs[1] && pp.runq[(pp.runqhead + 1) % kRunqLen] == &gs[2]);
  bool inherit = false;
  g* a = runqget(&pp, &inherit);
  bool first = a == &gs[1] && inherit;
  a = runqget(&pp, &inherit);
  first &= a == &gs[0] && !inherit;
  a = runqget(&pp, &inherit);
  first &= a == &gs[2];
  note("C36", "runqget: runnext first, with its time slice, then the ring in order", first);
  note("C25", "and it is empty again", runqempty(&pp));
}

void overflow() {
  note("C36", "the ring has 256 slots", kRunqLen == 256);
  for (int i = 0; i < 256; i++) runqput(&pp, &gs[i], false);
  bool full = pp.runqtail - pp.runqhead == 256 && sched.runqsize == 0;
  note("C36", "which can all be used", full);
  runqput(&pp, &gs[256], false);
  // 128 and the new one, oldest first.
  bool order = sched.runqsize == 129;
  g* x = sched.runq.head;
  for (int i = 0; i < 128 && x != nullptr; i++, x = x->schedlink) order &= x == &gs[i];
  order &= x == &gs[256];
  note("C36", "one more moves half of it, and itself, to the global queue", order);
  note("C36", "the other half stays", pp.runqtail - pp.runqhead == 128 && pp.runq[pp.runqhead % kRunqLen] == &gs[128]);
  lock(&sched.lock);
  sched.runq = {};
  sched.runqsize = 0;
  unlock(&sched.lock);
}

// Only system goroutines run while sched.disable.user is set; this one says it is one.
void disabled() {
  auto* self = getg();
  bool ran = false;
  lock(&sched.lock);
  sched.disable.user = true;
  unlock(&sched.lock);
  self->isSystem = true;
  boot::go([&] { ran = true; });
  for (int i = 0; i < 5; i++) Gosched();
  check("C39", "under sched.disable.user a user's goroutine is set aside", !ran && sched.disable.n == 1);
  lock(&sched.lock);
  sched.disable.user = false;
  globrunqputbatch(&sched.disable.runnable, sched.disable.n);
  sched.disable.runnable = {};
  sched.disable.n = 0;
  unlock(&sched.lock);
  self->isSystem = false;
  for (int i = 0; i < 5; i++) Gosched();
  check("C39", "and runs afterwards", ran);
}

// What findRunnable asks before it looks at any queue, and in which order.
char asked[64];
int nasked;

void first() {
  auto* oldWorker = hooks.findRunnableGCWorker;
  hooks.traceReader = []() -> g* {
    if (nasked < 64) asked[nasked++] = 't';
    return nullptr;
  };
  hooks.findRunnableGCWorker = [](p*, std::int64_t) -> g* {
    if (nasked < 64) asked[nasked++] = 'w';
    return nullptr;
  };
  tracePending = 1;      // there is something to read: without it a switch may go past the scheduler
  gcBlackenEnabled = 1;  // the worker is asked for while the collector marks
  bool ran = false, before = false;
  boot::go([&] {
    ran = true;
    before = nasked >= 2 && asked[0] == 't' && asked[1] == 'w';
  });
  while (!ran) Gosched();
  tracePending = 0;
  gcBlackenEnabled = 0;
  hooks.traceReader = nullptr;
  hooks.findRunnableGCWorker = oldWorker;
  check("C39", "the trace reader first, then the GC worker, before a goroutine of the local queue", before);
}

}  // namespace

void main_main() {
  m* mp = acquirem();  // the Gs above are none: nobody may find them on the global queue
  runnext();
  overflow();
  releasem(mp);
  for (int i = 0; i < nnotes; i++) check(notes[i].tag, notes[i].what, notes[i].ok);
  disabled();
  first();
  claims::done();
}
