// The package sync as the public headers use it: semaphores, and the plain structs of the types of boot/sync.h with the
// functions that work on them. All zero is each type's initial state. Users' programs include this header.
#pragma once

#include <cstddef>
#include <cstdint>

namespace runtime {

struct g;

// ---- semaphores: sema.cpp ----
// Waits until *addr > 0 and takes one. lifo: wait at the head of the queue.
void semacquire1(std::uint32_t* addr, bool lifo) __asm__("runtime.semacquire1");
// Adds one and wakes a waiter. handoff: the waiter gets it for sure, and this P at once.
void semrelease1(std::uint32_t* addr, bool handoff) __asm__("runtime.semrelease1");
inline void semacquire(std::uint32_t* addr) { semacquire1(addr, false); }
inline void semrelease(std::uint32_t* addr) { semrelease1(addr, false); }

// A list of waiters, for Cond. A waiter is on the list before it gives up the Cond's lock, and does not touch the list any
// more after it was notified: the Cond may be gone then.
struct notifyWaiter {
  notifyWaiter* next;  // list's lock
  notifyWaiter* prev;
  g* gp;
  std::uint32_t state;  // atomic: on the list, parked, notified
};
struct notifyList {
  std::uint64_t lock;  // a runtime mutex
  notifyWaiter* head;  // lock; read as a hint without it
  notifyWaiter* tail;  // lock
};
void notifyListAdd(notifyList* l, notifyWaiter* w) __asm__("runtime.notifyListAdd");
void notifyListWait(notifyWaiter* w) __asm__("runtime.notifyListWait");
// w will not wait after all.
void notifyListDrop(notifyList* l, notifyWaiter* w) __asm__("runtime.notifyListDrop");
void notifyListNotifyAll(notifyList* l) __asm__("runtime.notifyListNotifyAll");
void notifyListNotifyOne(notifyList* l) __asm__("runtime.notifyListNotifyOne");

// ---- locks: mutex.cpp ----
struct syncMutex {
  std::int32_t state;  // atomic: locked 1, woken 2, starving 4, then the number of waiters
  std::uint32_t sema;
};
void mutexLock(syncMutex* mu) __asm__("\"sync.(*Mutex).Lock\"");
bool mutexTryLock(syncMutex* mu) __asm__("\"sync.(*Mutex).TryLock\"");
void mutexUnlock(syncMutex* mu) __asm__("\"sync.(*Mutex).Unlock\"");

struct alignas(8) syncRWMutex {
  std::int32_t readerCount;  // atomic: readers, minus rwmutexMaxReaders while a writer is there. One word with w.state
  syncMutex w;               // held by a writer, also while it waits for readers
  std::uint32_t writerSem;   // the writer waits here for the readers before it
  std::uint32_t readerSem;   // readers wait here for the writer
  std::int32_t readerWait;   // atomic: readers the writer has still to wait for
};
void rwmutexRLock(syncRWMutex* rw) __asm__("\"sync.(*RWMutex).RLock\"");
bool rwmutexTryRLock(syncRWMutex* rw) __asm__("\"sync.(*RWMutex).TryRLock\"");
void rwmutexRUnlock(syncRWMutex* rw) __asm__("\"sync.(*RWMutex).RUnlock\"");
void rwmutexLock(syncRWMutex* rw) __asm__("\"sync.(*RWMutex).Lock\"");
bool rwmutexTryLock(syncRWMutex* rw) __asm__("\"sync.(*RWMutex).TryLock\"");
void rwmutexUnlock(syncRWMutex* rw) __asm__("\"sync.(*RWMutex).Unlock\"");

struct alignas(8) syncOnce {
  std::int32_t done;  // atomic: 1 once the function has been called. One word with m.state
  syncMutex m;        // held by whoever calls it
};
void onceLock(syncOnce* o) __asm__("\"sync.(*Once).lock\"");
// Sets done, too.
void onceUnlock(syncOnce* o) __asm__("\"sync.(*Once).unlock\"");

struct syncWaitGroup {
  std::uint64_t state;  // atomic: the counter in the upper half, the number of waiters in the lower
  std::uint32_t sema;
};
void waitgroupAdd(syncWaitGroup* wg, std::int64_t delta) __asm__("\"sync.(*WaitGroup).Add\"");
void waitgroupWait(syncWaitGroup* wg) __asm__("\"sync.(*WaitGroup).Wait\"");

// ---- Pool: pool.cpp ----
struct poolLocal;
struct syncPool {
  poolLocal* local;       // atomic: one for each P, made by the first Put
  poolLocal* victim;      // atomic: the locals of before the last collection
  std::uint32_t nlocal;   // of local
  std::uint32_t nvictim;  // of victim
  syncPool* next;         // poolLock: the pools that have locals
  syncPool** pprev;       // poolLock: what points at this one; null: not in the list
  poolLocal* dropped;     // atomic: victims of a collection that wait for poolDropped; only with keepDropped
  std::uint32_t ndropped;
  bool keepDropped;  // init: what a collection drops must go through a function of the program's
};
void poolPut(syncPool* p, void* x) __asm__("sync.Pool.Put");
void* poolGet(syncPool* p) __asm__("sync.Pool.get");  // null: empty
// One value that a collection has dropped, null when there is none.
void* poolDropped(syncPool* p) __asm__("sync.Pool.dropped");
// The pool's life ends: take out what is left by poolGet and poolDropped first.
void poolClose(syncPool* p) __asm__("sync.Pool.close");
// For the collector, with the world stopped, before it marks: drops the victims, makes the locals victims.
void poolCleanup() __asm__("sync.poolCleanup");

}  // namespace runtime
