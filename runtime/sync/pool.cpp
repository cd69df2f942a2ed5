// Pool: values kept for reuse, for each P its own (Go's sync/pool.go).
//
// Owns: the locals of all pools and the list of the pools that have any.
//
// A local has a private slot and a deque: its P puts and gets at the top, where values are still in the cache; Ps that
// have none take from the bottom. A collection makes the locals the victims and drops the former victims: what was not
// used between two collections is gone, and what is used steadily survives.
//
// Invariants
//   - Each local is guarded by its own lock, which only its P takes in the common case; at GOMAXPROCS 1 it is elided.
//     So GOMAXPROCS may change under a pool: surplus Ps share a local (id modulo their number).
//   - local, victim and the list change under poolLock or with the world stopped. Nobody is inside a pool's function
//     when the world is stopped, as runtime text is not preempted.
// Way not taken: Go's lock-free chain of rings. It saves the owner a locked instruction and costs a page of proof.
#include "runtime/base/hooks.h"
#include "runtime/base/panic.h"
#include "runtime/mem/malloc.h"
#include "runtime/sync/onep.h"
#include "runtime/sync/sync.h"

namespace runtime {

struct alignas(128) poolLocal {
  mutex lock;
  void* priv;   // lock
  void** ring;  // lock: cap slots, a power of two
  std::uint32_t cap;
  std::uint32_t bottom, top;  // lock: counters; the values are at [bottom, top) modulo cap
};

namespace {

mutex poolLock{0, lockRankPool};
syncPool* allPools;

template <class T>
T* makeArray(std::uint32_t n) {
  void* m = mallocManual(n * sizeof(T), alignof(T), true);
  if (m == nullptr) fatal("out of memory for a sync.Pool");
  return static_cast<T*>(m);
}

void freeLocals(poolLocal* l, std::uint32_t n) {
  if (l == nullptr) return;
  for (std::uint32_t i = 0; i < n; i++)
    if (l[i].ring != nullptr) freeManual(l[i].ring);
  freeManual(l);
}

void push(poolLocal* l, void* x) {
  if (l->priv == nullptr) {
    l->priv = x;
    return;
  }
  if (l->top - l->bottom == l->cap) {
    std::uint32_t ncap = l->cap == 0 ? 8 : l->cap * 2;
    auto ring = makeArray<void*>(ncap);
    for (std::uint32_t i = l->bottom; i != l->top; i++) ring[i & (ncap - 1)] = l->ring[i & (l->cap - 1)];
    if (l->ring != nullptr) freeManual(l->ring);
    l->ring = ring;
    l->cap = ncap;
  }
  l->ring[l->top++ & (l->cap - 1)] = x;
}

void* takeSlot(poolLocal* l, std::uint32_t i) {
  void*& s = l->ring[i & (l->cap - 1)];
  void* x = s;
  s = nullptr;  // the ring is a root for the collector
  return x;
}

void* popTop(poolLocal* l) {
  if (void* x = l->priv; x != nullptr) {
    l->priv = nullptr;
    return x;
  }
  return l->top != l->bottom ? takeSlot(l, --l->top) : nullptr;
}

void* popBottom(poolLocal* l) {
  if (l->top != l->bottom) return takeSlot(l, l->bottom++);
  void* x = l->priv;
  l->priv = nullptr;
  return x;
}

// The own local's top, then the others' bottoms.
void* getFrom(poolLocal* locals, std::uint32_t n, std::uint32_t mine) {
  for (std::uint32_t i = 0; i < n; i++) {
    poolLocal* l = &locals[(mine + i) % n];
    // A look without the lock: a value that is just being put here is not worth waiting for.
    if (i != 0 && atomic::LoadRelaxed(&l->priv) == nullptr &&
        atomic::LoadRelaxed(&l->top) == atomic::LoadRelaxed(&l->bottom))
      continue;
    lockRankSet(&l->lock, lockRankPoolLocal);
    userlock(&l->lock);
    void* x = i == 0 ? popTop(l) : popBottom(l);
    userunlock(&l->lock);
    if (x != nullptr) return x;
  }
  return nullptr;
}

std::uint32_t pid() { return static_cast<std::uint32_t>(getg()->m->p->id); }

void makeLocal(syncPool* p) {
  auto n = static_cast<std::uint32_t>(gomaxprocs > ncpu ? gomaxprocs : ncpu);
  poolLocal* fresh = makeArray<poolLocal>(n);
  lock(&poolLock);
  hooks.poolCleanup = poolCleanup;
  if (p->local == nullptr) {
    p->nlocal = n;
    atomic::StoreRel(&p->local, fresh);
    fresh = nullptr;
    if (p->pprev == nullptr) {
      p->next = allPools;
      p->pprev = &allPools;
      if (allPools != nullptr) allPools->pprev = &p->next;
      allPools = p;
    }
  }
  unlock(&poolLock);
  if (fresh != nullptr) freeManual(fresh);  // somebody else was first
}

}  // namespace

void poolPut(syncPool* p, void* x) {
  NEEDS_P(poolPut(p, x));
  if (x == nullptr) return;
  if (atomic::LoadAcq(&p->local) == nullptr) makeLocal(p);
  poolLocal* l = &p->local[pid() % p->nlocal];
  lockRankSet(&l->lock, lockRankPoolLocal);
  userlock(&l->lock);
  push(l, x);
  userunlock(&l->lock);
}

void* poolGet(syncPool* p) {
  NEEDS_P(poolGet(p));
  std::uint32_t me = pid();
  if (poolLocal* l = atomic::LoadAcq(&p->local); l != nullptr)
    if (void* x = getFrom(l, p->nlocal, me % p->nlocal); x != nullptr) return x;
  if (poolLocal* l = atomic::LoadAcq(&p->victim); l != nullptr) return getFrom(l, p->nvictim, me % p->nvictim);
  return nullptr;
}

void* poolDropped(syncPool* p) {
  NEEDS_P(poolDropped(p));
  poolLocal* l = atomic::LoadAcq(&p->dropped);
  return l == nullptr ? nullptr : getFrom(l, p->ndropped, 0);
}

void poolClose(syncPool* p) {
  lock(&poolLock);
  if (p->pprev != nullptr) {
    *p->pprev = p->next;
    if (p->next != nullptr) p->next->pprev = p->pprev;
    p->pprev = nullptr;
  }
  unlock(&poolLock);
  freeLocals(p->local, p->nlocal);
  freeLocals(p->victim, p->nvictim);
  freeLocals(p->dropped, p->ndropped);
  p->local = p->victim = p->dropped = nullptr;
}

void poolCleanup() {
  for (syncPool* p = allPools; p != nullptr; p = p->next) {
    if (p->keepDropped && p->victim != nullptr) {
      // Values go from the victims to dropped, where the program's next Put or Get finds them.
      if (p->dropped == nullptr) {
        p->dropped = p->victim;
        p->ndropped = p->nvictim;
      } else {
        for (std::uint32_t i = 0; i < p->nvictim; i++)
          while (void* x = popBottom(&p->victim[i])) push(&p->dropped[i % p->ndropped], x);
        freeLocals(p->victim, p->nvictim);
      }
    } else {
      freeLocals(p->victim, p->nvictim);
    }
    p->victim = p->local;
    p->nvictim = p->nlocal;
    p->local = nullptr;
    p->nlocal = 0;
  }
}

}  // namespace runtime
