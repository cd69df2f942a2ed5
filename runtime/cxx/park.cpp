// Parking goroutines on an address: the futex of goroutine land. See cxx.h for why there is only this one.
//
// Owns: a fixed table of buckets, each a lock and a FIFO of waiters. A waiter lies in the frame of the goroutine that
// parks, which stays where it is until the goroutine is ready again.
//
// Invariants
//   - Whoever takes a waiter out of its bucket's list, under the bucket's lock, readies its goroutine, exactly once; if it
//     has not parked yet (enlist comes before parkEnlisted), it will see that under the lock, and not park.
//   - The object that the address belongs to is touched under the bucket's lock only, and by whoever takes a waiter out
//     before that one can know. So it may be freed as soon as all who waited are woken, as C++ allows it for a condition
//     variable; who was woken does not look at it again. wakeOn takes the address for a name.
//   - The value is compared under the bucket's lock, and the lock is released on g0, after the switch (goparkunlock). A
//     waker changes the value first and takes the lock after: it either finds the waiter or the waiter saw the change.
//     Released before the switch, a waker could resume the goroutine while it still runs here.
//   - A deadline's function never trusts its waiter: the goroutine may have been woken and its frame be gone. It searches
//     the bucket for it, and a ticket tells two waits from one another that lie at the same place.
#include "runtime/cxx/cxx.h"

namespace runtime::cxx {
namespace {

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

// Takes w out of b's list for `as`; returns the goroutine to be readied, null if it has not parked yet.
g* take(bucket* b, waiter* w, parkResult as) {
  dequeue(b, w);
  w->queued = false;
  w->result = as;
  if (w->count != nullptr) atomic::StoreRelaxed(w->count, *w->count - 1);
  return w->parked ? w->gp : nullptr;
}

// Runs on g0 when a wait's deadline has passed.
void expired(void* arg, uintptr ticket) {
  bucket* b = &table[ticket % kBuckets];
  g* gp = nullptr;
  lockRankSet(&b->lock, lockRankPark);
  lock(&b->lock);
  for (waiter* w = b->head; w != nullptr; w = w->next) {
    if (w != arg || w->ticket != ticket) continue;
    gp = take(b, w, parkResult::timeout);
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

namespace {

void enqueue(bucket* b, std::uint32_t i, waiter* w, const std::uint32_t* addr) {
  w->addr = addr;
  w->gp = getg();
  w->ticket = b->tickets = (b->tickets & ~uintptr{kBuckets - 1}) + kBuckets + i;
  w->queued = true;
  enqueue(b, w);
}

// Parks on w, which is in b's list; b is locked.
parkResult park(bucket* b, waiter* w, std::int64_t deadline, waitReason why) {
  w->parked = true;
  if (deadline != kForever) {
    w->deadline = {nullptr, 0, deadline > 0 ? deadline : 1, 0, expired, w, w->ticket};
    addtimer(&w->deadline);  // due at once or not: expired waits for the bucket's lock until the switch is done
  }
  goparkunlock(&b->lock, why);
  if (deadline != kForever && w->result != parkResult::timeout) deltimer(&w->deadline);
  return w->result;
}

}  // namespace

parkResult parkOn(const std::uint32_t* addr, std::uint32_t val, std::int64_t deadline, waitReason why) {
  NEEDS_P(parkOn(addr, val, deadline, why));
  if (!canPark()) {
    osyield();
    return parkResult::changed;
  }
  std::uint32_t i = bucketOf(addr);
  bucket* b = &table[i];
  waiter w;
  w.count = nullptr;
  lockRankSet(&b->lock, lockRankPark);
  lock(&b->lock);
  if (atomic::Load(addr) != val) {
    unlock(&b->lock);
    return parkResult::changed;
  }
  enqueue(b, i, &w, addr);
  return park(b, &w, deadline, why);
}

void enlist(waiter* w, const std::uint32_t* addr, std::uint32_t* count) {
  std::uint32_t i = bucketOf(addr);
  bucket* b = &table[i];
  w->count = count;
  w->parked = false;
  lockRankSet(&b->lock, lockRankPark);
  lock(&b->lock);
  enqueue(b, i, w, addr);
  atomic::Store(count, *count + 1);
  unlock(&b->lock);
}

parkResult parkEnlisted(waiter* w, std::int64_t deadline, waitReason why) {
  NEEDS_P(parkEnlisted(w, deadline, why));
  bucket* b = &table[w->ticket % kBuckets];
  lockRankSet(&b->lock, lockRankPark);
  lock(&b->lock);
  if (!w->queued) {
    unlock(&b->lock);
    return w->result;
  }
  return park(b, w, deadline, why);
}

std::uint32_t wakeOn(const std::uint32_t* addr, std::uint32_t n, parkResult as) {
  NEEDS_P(wakeOn(addr, n, as));
  bucket* b = &table[bucketOf(addr)];
  gQueue woken{};
  std::uint32_t count = 0;
  lockRankSet(&b->lock, lockRankPark);
  lock(&b->lock);
  for (waiter *w = b->head, *next; w != nullptr && count < n; w = next) {
    next = w->next;
    if (w->addr != addr) continue;
    if (g* gp = take(b, w, as)) gqpushBack(&woken, gp);
    count++;
  }
  unlock(&b->lock);
  while (g* gp = gqpop(&woken)) goready(gp);
  return count;
}

}  // namespace runtime::cxx
