// Parking goroutines on an address: the futex of goroutine land. See cxx.h for why there is only this one.
//
// Owns: a fixed table of buckets, each a lock and a FIFO of waiters. A waiter lies in the frame of the goroutine that
// parks, which stays where it is until the goroutine is ready again.
//
// Invariants
//   - Whoever takes a waiter out of its bucket's list, under the bucket's lock, readies its goroutine, exactly once.
//   - The value is compared under the bucket's lock, and the lock is released on g0, after the switch (goparkunlock). A
//     waker changes the value first and takes the lock after: it either finds the waiter or the waiter saw the change.
//     Released before the switch, a waker could resume the goroutine while it still runs here.
//   - A deadline's function never trusts its waiter: the goroutine may have been woken and its frame be gone. It searches
//     the bucket for it, and a ticket tells two waits from one another that lie at the same place.
#include "runtime/cxx/cxx.h"

#include "runtime/sched/time.h"

namespace runtime::cxx {
namespace {

struct waiter {
  waiter* next;
  waiter* prev;
  const std::uint32_t* addr;
  g* gp;
  uintptr ticket;
  parkResult result;  // set by who takes it out
  timer deadline;
};

struct alignas(64) bucket {
  mutex lock;
  waiter* head;
  waiter* tail;
  uintptr tickets;  // lock: the last ticket given out; its low byte is the bucket's number
};

constexpr std::uint32_t kBuckets = 256;
BIGTABLE bucket table[kBuckets];

std::uint32_t bucketOf(const void* addr) {
  auto x = reinterpret_cast<uintptr>(addr) >> 2;
  return static_cast<std::uint32_t>((x * 0x9e3779b97f4a7c15ULL) >> 56);
}

void enqueue(bucket* b, waiter* w) {
  w->next = nullptr;
  w->prev = b->tail;
  if (b->tail != nullptr)
    b->tail->next = w;
  else
    b->head = w;
  b->tail = w;
}

void dequeue(bucket* b, waiter* w) {
  if (w->prev != nullptr)
    w->prev->next = w->next;
  else
    b->head = w->next;
  if (w->next != nullptr)
    w->next->prev = w->prev;
  else
    b->tail = w->prev;
}

// Runs on g0 when a wait's deadline has passed.
void expired(void* arg, uintptr ticket) {
  bucket* b = &table[ticket % kBuckets];
  g* gp = nullptr;
  lock(&b->lock);
  for (waiter* w = b->head; w != nullptr; w = w->next) {
    if (w != arg || w->ticket != ticket) continue;
    dequeue(b, w);
    w->result = parkResult::timeout;
    gp = w->gp;
    break;
  }
  unlock(&b->lock);
  if (gp != nullptr) goready(gp);
}

}  // namespace

bool canPark() {
  g* gp = getg();
  m* mp = gp->m;
  return gp != mp->g0 && gp != mp->gsignal && mp->locks == 0;
}

parkResult parkOn(const std::uint32_t* addr, std::uint32_t val, std::int64_t deadline, waitReason why) {
  if (!canPark()) {
    osyield();
    return parkResult::changed;
  }
  std::uint32_t i = bucketOf(addr);
  bucket* b = &table[i];
  waiter w;
  w.addr = addr;
  w.gp = getg();
  lock(&b->lock);
  if (atomic::Load(addr) != val) {
    unlock(&b->lock);
    return parkResult::changed;
  }
  w.ticket = b->tickets = (b->tickets & ~uintptr{kBuckets - 1}) + kBuckets + i;
  enqueue(b, &w);
  if (deadline != kForever) {
    w.deadline = {nullptr, 0, deadline > 0 ? deadline : 1, 0, expired, &w, w.ticket};
    addtimer(&w.deadline);  // due at once or not: expired waits for the bucket's lock until the switch is done
  }
  goparkunlock(&b->lock, why);
  if (deadline != kForever && w.result != parkResult::timeout) deltimer(&w.deadline);
  return w.result;
}

std::uint32_t wakeOn(const std::uint32_t* addr, std::uint32_t n, parkResult as) {
  bucket* b = &table[bucketOf(addr)];
  gQueue woken{};
  std::uint32_t count = 0;
  lock(&b->lock);
  for (waiter *w = b->head, *next; w != nullptr && count < n; w = next) {
    next = w->next;
    if (w->addr != addr) continue;
    dequeue(b, w);
    w->result = as;
    gqpushBack(&woken, w->gp);
    count++;
  }
  unlock(&b->lock);
  while (g* gp = gqpop(&woken)) goready(gp);
  return count;
}

}  // namespace runtime::cxx
