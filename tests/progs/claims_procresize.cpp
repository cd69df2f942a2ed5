// GOMAXPROCS at run time: growing and shrinking keeps Ps, their queues and what runs on them.
// CLAIMS: [C22] [C23] [C24]
// PROCS: 1 2 4
// REPEAT: 3
// STDOUT-NOT: ^FAILED
// STDOUT-MATCH: ^17 checks$
#include "claims.h"

#include <atomic>

using claims::check;
using namespace runtime;

namespace {

bool idsInOrder() {
  for (std::int64_t i = 0; i < allp.len; i++)
    if (allp.array[i]->id != i) return false;
  return true;
}

// Idle Ps by the list and by the count, with the lock that guards both.
bool idleListAgrees() {
  lock(&sched.lock);
  std::uint32_t n = 0;
  bool ok = true;
  for (p* pp = sched.pidle; pp != nullptr; pp = pp->link, n++)
    ok &= atomic::Load(&pp->status) == _Pidle && pp->m == nullptr && runqempty(pp);
  ok &= n == atomic::Load(&sched.npidle);
  unlock(&sched.lock);
  return ok;
}

}  // namespace

void main_main() {
  std::int32_t start = GOMAXPROCS(0);
  check("C24", "GOMAXPROCS(n) returns the old number", GOMAXPROCS(8) == start);
  check("C24", "allp has grown to 8, ids in order", allp.len == 8 && gomaxprocs == 8 && idsInOrder());
  check("C24", "the idle list agrees with npidle", idleListAgrees());
  p* old[8];
  for (int i = 0; i < 8; i++) old[i] = allp.array[i];
  check("C24", "GOMAXPROCS(0) and less change nothing", GOMAXPROCS(0) == 8 && GOMAXPROCS(-3) == 8 && gomaxprocs == 8);

  // Work on all queues, then most of the Ps are taken away: every goroutine still runs, once.
  constexpr int n = 5000;
  static std::atomic<int> ran[n];
  auto done = boot::make_chan<int>(n);
  for (int i = 0; i < n; i++) {
    boot::go([i, done] {
      ran[i]++;
      done.send(i);
    });
    if (i % 1000 == 500) GOMAXPROCS(i % 3 + 1);
    if (i % 1000 == 900) GOMAXPROCS(8);
  }
  GOMAXPROCS(1);
  check("C24", "shrunk to 1", allp.len == 1 && gomaxprocs == 1);
  check("C24", "the P that is left runs this", getg()->m->p == allp.array[0] && old[0] == allp.array[0]);
  bool dead = true, empty = true;
  for (int i = 1; i < 8; i++) {
    dead &= atomic::Load(&old[i]->status) == _Pdead && old[i]->m == nullptr;
    empty &= runqempty(old[i]) && old[i]->gFreeN == 0 && old[i]->mcache == nullptr;
  }
  check("C24", "the others are _Pdead, without an M", dead);
  check("C24", "and hold nothing: no goroutines, dead or alive, no cache", empty);
  for (int i = 0; i < n; i++) done.recv();
  bool once = true;
  for (auto& r : ran) once &= r == 1;
  check("C24", "each of 5000 goroutines ran once", once);

  GOMAXPROCS(4);
  bool same = true;
  for (int i = 0; i < 4; i++) same &= allp.array[i] == old[i];
  check("C24", "growing again takes the old Ps", same && idsInOrder());
  check("C24", "the idle list agrees again", idleListAgrees());

  // Timers of a P that goes away go along.
  std::atomic<int> fired{0};
  for (int i = 0; i < 100; i++) {
    boot::go([&] {
      boot::time::Sleep(std::chrono::milliseconds(20));
      fired++;
    });
  }
  runtime::Gosched();
  GOMAXPROCS(1);
  for (int i = 0; i < 200 && fired < 100; i++) boot::time::Sleep(std::chrono::milliseconds(5));
  check("C24", "a hundred sleepers on Ps that went away wake up", fired == 100);

  // While others change it: the world stops for each, one after the other.
  auto changed = boot::make_chan<int>(4);
  for (int k = 0; k < 4; k++) {
    boot::go([k, changed] {
      for (int i = 0; i < 50; i++) GOMAXPROCS(1 + (i * 7 + k) % 9);
      changed.send(k);
    });
  }
  for (int k = 0; k < 4; k++) changed.recv();
  check("C24", "four goroutines changed it 200 times", allp.len == gomaxprocs && idsInOrder());
  GOMAXPROCS(1500);
  check("C24", "far more Ps than CPUs", allp.len == 1500 && idsInOrder() && idleListAgrees());
  GOMAXPROCS(2);
  check("C24", "back to 2", allp.len == 2 && idleListAgrees());
  check("C23", "the P and its M know each other", getg()->m->p->m == getg()->m);
  check("C22", "the current P is _Prunning", atomic::Load(&getg()->m->p->status) == _Prunning);
  claims::done();
}
