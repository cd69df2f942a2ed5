// What the checks of the lock order do: good orders pass, each kind of wrong one is named with the locks held.
// (Locks check themselves only when built with BOOT_LOCKRANK; here the checks are called directly.)
// RUN: %prog good
// STDOUT: good
#include <boot/boot.h>

#include <string_view>

#include "runtime/base/lockrank.h"

namespace {

runtime::mutex sched, mheap, hchan[200], plain, many[12];

void wrong(std::string_view what) {
  if (what == "order") {  // sched.lock with the heap's lock held
    runtime::lockRankAcquire(&mheap);
    runtime::lockRankAcquire(&sched);
  } else if (what == "twice") {
    runtime::lockRankAcquire(&sched);
    runtime::lockRankAcquire(&sched);
  } else if (what == "falling") {
    runtime::lockRankAcquire(&hchan[1]);
    runtime::lockRankAcquire(&hchan[0]);
  } else if (what == "unlock") {
    runtime::lockRankRelease(&sched);
  } else if (what == "many") {
    for (auto& l : many) {
      runtime::lockInit(&l, runtime::lockRankTimers);
      runtime::lockRankAcquire(&l);
    }
  } else if (what == "unranked") {
    runtime::lockRankAcquire(&plain);
  } else if (what == "held") {
    runtime::assertLockHeld(&sched);
  }
}

void good() {
  for (int i = 0; i < 3; i++) {
    runtime::lockRankAcquire(&sched);
    runtime::lockRankAcquire(&mheap);
    runtime::lockRankRelease(&sched);  // any order of release is fine
    runtime::lockRankRelease(&mheap);
    // A select's: any number, by rising address, given back in any order.
    for (auto& l : hchan) runtime::lockRankAcquire(&l);
    runtime::lockRankAcquire(&mheap);
    runtime::lockRankRelease(&mheap);
    for (auto& l : hchan) runtime::lockRankRelease(&l);
    for (auto& l : hchan) runtime::lockRankAcquire(&l);
    for (int k = 200; k-- > 0;) runtime::lockRankRelease(&hchan[k]);
  }
  runtime::lockRankAcquire(&sched);  // nothing is held: this would be out of order
  runtime::lockRankRelease(&sched);
}

}  // namespace

void main_main() {
  runtime::lockInit(&sched, runtime::lockRankSched);
  runtime::lockInit(&mheap, runtime::lockRankMheap);
  for (auto& l : hchan) runtime::lockInit(&l, runtime::lockRankHchan);
  std::string_view what = boot::os::Args()[1];
  if (what == "good")
    good();
  else
    wrong(what);
  boot::println("{}", what);
}
