// The package sync as the public headers use it: semaphores, and the plain structs of the types of boot/sync.h with the
// functions that work on them. All zero is each type's initial state. Users' programs include this header.
#pragma once

#include <cstddef>
#include <cstdint>

namespace runtime {

struct sudog;

// ---- semaphores: sema.cpp ----
// Waits until *addr > 0 and takes one. lifo: wait at the head of the queue.
void semacquire1(std::uint32_t* addr, bool lifo) __asm__("runtime.semacquire1");
// Adds one and wakes a waiter. handoff: the waiter gets it for sure, and this P at once.
void semrelease1(std::uint32_t* addr, bool handoff) __asm__("runtime.semrelease1");
inline void semacquire(std::uint32_t* addr) { semacquire1(addr, false); }
inline void semrelease(std::uint32_t* addr) { semrelease1(addr, false); }

// A list of waiters with tickets, for Cond.
struct notifyList {
  std::uint32_t wait;    // atomic: ticket of the next waiter
  std::uint32_t notify;  // ticket of the next waiter to be notified; written with lock
  std::uint64_t lock;    // a runtime mutex
  sudog* head;           // lock
  sudog* tail;
};
std::uint32_t notifyListAdd(notifyList* l) __asm__("runtime.notifyListAdd");
void notifyListWait(notifyList* l, std::uint32_t ticket) __asm__("runtime.notifyListWait");
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

struct syncRWMutex {
  syncMutex w;               // held by a writer, also while it waits for readers
  std::uint32_t writerSem;   // the writer waits here for the readers before it
  std::uint32_t readerSem;   // readers wait here for the writer
  std::int32_t readerCount;  // atomic: readers, minus rwmutexMaxReaders while a writer is there
  std::int32_t readerWait;   // atomic: readers the writer has still to wait for
};
void rwmutexRLock(syncRWMutex* rw) __asm__("\"sync.(*RWMutex).RLock\"");
bool rwmutexTryRLock(syncRWMutex* rw) __asm__("\"sync.(*RWMutex).TryRLock\"");
void rwmutexRUnlock(syncRWMutex* rw) __asm__("\"sync.(*RWMutex).RUnlock\"");
void rwmutexLock(syncRWMutex* rw) __asm__("\"sync.(*RWMutex).Lock\"");
bool rwmutexTryLock(syncRWMutex* rw) __asm__("\"sync.(*RWMutex).TryLock\"");
void rwmutexUnlock(syncRWMutex* rw) __asm__("\"sync.(*RWMutex).Unlock\"");

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
